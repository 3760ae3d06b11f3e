import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { barsTable } from '../../src/archive/bars.ts'
import { type ImportTask, importBars } from '../../src/archive/import-bars.ts'
import { decompress } from '../../src/archive/import-parquet-codecs.ts'
import { renderTable } from '../../src/archive/render.ts'
import { Problem } from '../../src/problems.ts'
import { makeBars, makeHome } from './folder.ts'

const options = { numRuns: 400, seed: 20_240_102, interruptAfterTimeLimit: 20_000 } as const

type Change = (bytes: Uint8Array) => Uint8Array

/** Some bytes replaced, removed, doubled or cut off. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }).map(
    (edits): Change =>
      bytes => {
        const changed = bytes.slice()
        for (const [at, byte] of edits) changed[at % changed.length] = byte
        return changed
      },
  ),
  fc.nat().map(
    (at): Change =>
      bytes =>
        bytes.subarray(0, at % bytes.length),
  ),
  fc.tuple(fc.nat(), fc.nat(200)).map(
    ([at, length]): Change =>
      bytes => {
        const start = at % bytes.length
        return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + length)])
      },
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 50 })).map(
    ([at, more]): Change =>
      bytes => {
        const start = at % bytes.length
        return Buffer.concat([bytes.subarray(0, start), more, bytes.subarray(start)])
      },
  ),
)

/** Name and content of every file of the datasets. */
function stored(home: string): string[] {
  const folder = join(home, 'bars')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return files.map(name => {
    const path = join(folder, name)
    return `${name} ${statSync(path).isDirectory() ? '' : readFileSync(path, 'base64')}`
  })
}

/**
 * Imports what must either be read or be refused. @returns whether it was read
 * @throws when something else happens, or a refusal changed anything
 */
async function attempt(task: ImportTask, content: Uint8Array, before: readonly string[]): Promise<boolean> {
  writeFileSync(task.path, content)
  try {
    await importBars(task)
    return true
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(['bars-invalid', 'params-invalid']).toContain(error.code)
    for (const { pointer, line, message } of error.errors) {
      if (pointer.startsWith('/lines/'))
        expect([line, message]).toEqual([expect.any(Number), expect.stringMatching(/^line \d+/)])
      if (pointer.startsWith('/rows/')) expect(message).toMatch(/^row \d+, column /)
    }
    expect(stored(task.home)).toEqual(before)
    return false
  }
}

async function prepared(format: 'csv' | 'parquet'): Promise<ImportTask> {
  const home = makeHome()
  mkdirSync(join(home, 'bars'), { recursive: true })
  const path = join(home, 'tmp', 'given')
  const facts = { home, path, symbol: 'X', timeframe: '1d', calendar: '24-7', source: 'import' } as const
  const task: ImportTask = {
    ...facts,
    format: 'csv',
    definitions: [],
    now: Date.UTC(2024, 0, 1),
    pointer: '/path',
  }
  writeFileSync(path, renderTable(barsTable(makeBars(3)), 'csv'))
  await importBars(task)
  return { ...task, format }
}

test.each(['csv', 'parquet'] as const)(
  'a damaged %s file is read or refused, and refused it changes nothing',
  async format => {
    const task = await prepared(format)
    const content = new Uint8Array(renderTable(barsTable(makeBars(200)), format))
    let refused = 0
    await fc.assert(
      fc.asyncProperty(change, async damage => {
        if (!(await attempt(task, damage(content), stored(task.home)))) refused++
      }),
      options,
    )
    expect(refused).toBeGreaterThan(50)
  },
)

test.each(['csv', 'parquet'] as const)('junk given as %s is refused', async format => {
  const task = await prepared(format)
  const before = stored(task.home)
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc
      .string({
        unit: fc.constantFrom(...'0123456789,;\t|"-:./ \n\rTZe$KdateopnhighlwcsvumPAR1'),
        maxLength: 300,
      })
      .map(text => Buffer.from(text)),
    // A footer of any bytes between the marks of a Parquet file.
    fc.uint8Array({ maxLength: 200 }).map(footer => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(footer.length)
      return Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')])
    }),
  )
  await fc.assert(
    fc.asyncProperty(junk, async content => expect(await attempt(task, content, before)).toBe(false)),
    options,
  )
})

test.each(['SNAPPY', 'LZ4_RAW', 'GZIP', 'ZSTD', 'BROTLI'])(
  '%s input of any bytes unpacks to the size asked for or fails',
  codec => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(10_000), (input, size) => {
        let output: Uint8Array
        try {
          output = decompress(codec, input, size)
        } catch {
          return
        }
        expect(output.length).toBe(size)
      }),
      { ...options, numRuns: 2000 },
    )
  },
)

test('what unpacks to more than its page says is stopped there', () => {
  const zeros = Buffer.alloc(50_000_000)
  for (const [codec, packed] of [
    ['GZIP', gzipSync(zeros)],
    ['ZSTD', zstdCompressSync(zeros)],
    ['BROTLI', brotliCompressSync(zeros.subarray(0, 5_000_000))],
  ] as const)
    expect(() => decompress(codec, packed, 1000)).toThrow()
})
