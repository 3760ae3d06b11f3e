import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { BarsArchive, barsTable } from '../../src/archive/bars.ts'
import { ImportPlaces, importFile, receiveUpload, removeUploads } from '../../src/archive/import.ts'
import { type ImportTask, importBars } from '../../src/archive/import-bars.ts'
import { readParquetFile } from '../../src/archive/import-parquet.ts'
import { renderTable } from '../../src/archive/render.ts'
import type { Table } from '../../src/archive/tables.ts'
import { Threads } from '../../src/archive/threads.ts'
import type { Bars } from '../../src/market/bars.ts'
import { Problem } from '../../src/problems.ts'
import { makeBars, makeHome } from './folder.ts'

function taskOf(home: string, format: 'csv' | 'parquet', content: string | Uint8Array): ImportTask {
  const path = join(home, 'tmp', `given.${format}`)
  writeFileSync(path, content)
  return {
    home,
    symbol: 'X',
    timeframe: '1d',
    format,
    path,
    calendar: '24-7',
    definitions: [],
    source: 'import',
    now: Date.UTC(2200, 0, 1),
    pointer: '/path',
  }
}

async function refusal(attempt: Promise<unknown>): Promise<Problem> {
  const outcome = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  if (outcome instanceof Problem) return outcome
  throw new Error(`it was not refused: ${outcome}`)
}

/** Everything under the dataset's folder. */
const filesOf = (home: string) =>
  existsSync(join(home, 'bars')) ? readdirSync(join(home, 'bars'), { recursive: true }).sort() : []

/** CSV of bars, from the newest to the oldest. */
function newestFirst(bars: Bars): string {
  const [header, ...lines] = Buffer.from(renderTable(barsTable(bars), 'csv'))
    .toString()
    .trimEnd()
    .split('\r\n')
  return [header, ...lines.reverse()].join('\n')
}

const parquetOf = (table: Table) => renderTable(table, 'parquet')

function parquetBars(table: Table): Bars[] {
  const home = makeHome()
  const { path } = taskOf(home, 'parquet', parquetOf(table))
  return [...readParquetFile({ path, timeframe: '1d', warnings: [], maxBars: 1e6 })]
}

test.each(['csv', 'parquet'] as const)(
  'exported as %s and imported again, the bars are the same bytes',
  async format => {
    const home = makeHome()
    const bars = makeBars(3000)
    const first = await importBars(taskOf(home, format, renderTable(barsTable(bars), format)))
    expect(first).toMatchObject({ created: true, calendar: '24-7', warnings: [] })
    expect(first.manifest).toMatchObject({ symbol: 'X', timeframe: '1d', source: 'import', bars: 3000 })
    const again = await importBars(
      taskOf(
        home,
        format === 'csv' ? 'parquet' : 'csv',
        renderTable(barsTable(bars), format === 'csv' ? 'parquet' : 'csv'),
      ),
    )
    expect(again).toMatchObject({ created: false })
    expect(again.manifest.sha256).toBe(first.manifest.sha256)
  },
)

test('an import runs in a thread and publishes what it read', async () => {
  const home = makeHome()
  const task = taskOf(home, 'csv', renderTable(barsTable(makeBars(100)), 'csv'))
  const { manifest } = await importFile({ ...task, calendar: null }, new Threads())
  expect((await new BarsArchive(home).manifest('X', '1d'))?.sha256).toBe(manifest.sha256)
})

test('a file that is newest first and longer than a chunk becomes the dataset of the same file turned round', async () => {
  const bars = makeBars(60_001)
  const rows = renderTable(barsTable(bars), 'csv')
  const turned = await importFile(taskOf(makeHome(), 'csv', newestFirst(bars)), new Threads())
  const straight = await importFile(taskOf(makeHome(), 'csv', rows), new Threads())
  expect(turned.manifest.sha256).toBe(straight.manifest.sha256)
})

test('a fault far down in a file leaves the dataset stored before as it was, and nothing else', async () => {
  const home = makeHome()
  await importBars(taskOf(home, 'csv', renderTable(barsTable(makeBars(10)), 'csv')))
  const before = filesOf(home)
  const text = Buffer.from(renderTable(barsTable(makeBars(60_000)), 'csv')).toString()
  const problem = await refusal(
    importFile(taskOf(home, 'csv', `${text}never,1,1,1,1,1,1\r\n`), new Threads()),
  )
  expect(problem.errors).toEqual([
    expect.objectContaining({ pointer: '/lines/60002/time', code: 'time', line: 60_002, column: 1 }),
  ])
  expect(filesOf(home)).toEqual(before)
})

const days = Float64Array.of(Date.UTC(2024, 0, 2), Date.UTC(2024, 0, 3), Date.UTC(2024, 0, 4))
const price = { kind: 'number', values: Float64Array.of(1, 2, 3) } as const
const tableOf = (columns: Table['columns']): Table => ({ rows: 3, columns })
const prices = (['open', 'high', 'low', 'close'] as const).map(name => ({ name, ...price }))

test('Parquet may hold its times as text, as epochs and under the name pandas gives an index', () => {
  const iso = [...days].map(day => new Date(day).toISOString().slice(0, 10))
  const seconds = days.map(day => day / 1000)
  for (const time of [
    { name: 'Date', kind: 'text', values: iso },
    { name: 'unix', kind: 'integer', values: seconds },
    { name: 'timestamp', kind: 'number', values: days },
    { name: '__index_level_0__', kind: 'time', values: days },
  ] as const) {
    const [bars] = parquetBars(tableOf([...prices, time]))
    expect([...(bars?.time ?? [])]).toEqual([...days])
    expect([...(bars?.close ?? [])]).toEqual([1, 2, 3])
  }
})

test('nulls in Parquet are named by row and column; a missing volume is 0 and is reported', async () => {
  const holes = { kind: 'number', values: Float64Array.of(1, Number.NaN, 3) } as const
  const time = { name: 'time', kind: 'time', values: days } as const
  const broken = tableOf([time, ...prices.slice(0, 3), { name: 'close', ...holes }])
  const { errors } = await refusal(importBars(taskOf(makeHome(), 'parquet', parquetOf(broken))))
  expect(errors).toEqual([
    { pointer: '/rows/2/close', code: 'number', message: 'row 2, column close: close is null' },
  ])
  const { warnings } = await importBars(
    taskOf(makeHome(), 'parquet', parquetOf(tableOf([time, ...prices, { name: 'volume', ...holes }]))),
  )
  expect(warnings).toEqual(['1 rows have no volume: it is 0 there.'])
})

test('a Parquet file without the columns needed is refused by their names', async () => {
  const file = parquetOf(
    tableOf([...prices.slice(1), { name: 'flag', kind: 'boolean', values: [true, true, true] }]),
  )
  expect(
    (await refusal(importBars(taskOf(makeHome(), 'parquet', file)))).errors.map(error => error.message),
  ).toEqual(['there is no time column (Date, Time, Timestamp or Datetime)', 'there is no open column'])
})

test('what is no Parquet file is refused as such', async () => {
  for (const content of ['', 'PAR1', 'date,open\n', 'PAR1 a text between PAR1']) {
    const { code, message } = await refusal(importBars(taskOf(makeHome(), 'parquet', content)))
    expect([code, message]).toEqual(['bars-invalid', expect.stringContaining('the footer cannot be read')])
  }
})

test.each(['PLAIN', 'DELTA_LENGTH_BYTE_ARRAY', 'RLE_DICTIONARY'] as const)(
  'a page of 350,000 %s texts is read in little more memory than its bytes',
  async encoding => {
    const rows = 350_000
    const texts = Array.from({ length: rows }, (_, i) => new Date(1.6e12 + i * 60_000).toISOString())
    const columnData: ColumnSource[] = [
      { name: 'time', type: 'STRING', data: texts, encoding, nullable: false },
      ...prices.map(
        ({ name }): ColumnSource => ({ name, type: 'DOUBLE', data: new Float64Array(rows).fill(1) }),
      ),
    ]
    const file = parquetWriteBuffer({ columnData, rowGroupSize: rows, pageSize: 2 ** 30, statistics: false })
    const task = { ...taskOf(makeHome(), 'parquet', new Uint8Array(file)), timeframe: '1m' } as const
    const { manifest } = await importFile(task, new Threads(40))
    expect([manifest.bars, manifest.partitions[0]?.first_ms]).toEqual([rows, 1.6e12])
  },
)

test('a Parquet cell of a million digits is no number and costs no time', async () => {
  const text = { kind: 'text', values: ['1', '1'.repeat(1_000_000), '1'] } as const
  const time = { name: 'time', kind: 'time', values: days } as const
  const file = parquetOf(tableOf([time, ...prices.slice(0, 3), { name: 'close', ...text }]))
  const { errors } = await refusal(importBars(taskOf(makeHome(), 'parquet', file)))
  expect(errors[0]?.message).toBe('row 2, column close: close is not a number')
})

test.each(['oldest first', 'newest first'])(
  'bars that are not complete are left out, %s, and the answer says how many and from when',
  async order => {
    const bars = makeBars(60_000)
    const text = order === 'newest first' ? newestFirst(bars) : renderTable(barsTable(bars), 'csv')
    const at = (i: number) => bars.time[i]
    const lastClose = bars.close_time[999] as number
    const taken = async (now: number) => {
      const { manifest, warnings } = await importBars({ ...taskOf(makeHome(), 'csv', text), now })
      return [manifest.bars, manifest.partitions.at(-1)?.last_ms, ...warnings]
    }
    expect(await taken(lastClose)).toEqual([
      1000,
      at(999),
      '59000 bars are not complete yet and were left out; the first opens at 2022-09-27T00:00:00.000Z.',
    ])
    // One millisecond earlier, the bar that closes then is not complete either.
    expect(await taken(lastClose - 1)).toEqual([
      999,
      at(998),
      '59001 bars are not complete yet and were left out; the first opens at 2022-09-26T00:00:00.000Z.',
    ])
  },
)

test('a file whose bars are all in the future is refused and leaves what was stored', async () => {
  const home = makeHome()
  await importBars(taskOf(home, 'csv', renderTable(barsTable(makeBars(10)), 'csv')))
  const before = filesOf(home)
  const future = 'date,open,high,low,close\n2999-01-02,1,1,1,1\n2999-01-03,1,1,1,1\n'
  const { code, message } = await refusal(importBars(taskOf(home, 'csv', future)))
  expect(code).toBe('bars-invalid')
  expect(message).toBe('no bar of the file is complete yet: the first opens at 2999-01-02T00:00:00.000Z')
  expect(filesOf(home)).toEqual(before)
})

test('eight imports are taken at the same time; one more is refused before it begins, until one ends', async () => {
  const places = new ImportPlaces()
  const ends = Array.from({ length: 8 }, () => Promise.withResolvers<string>())
  const held = ends.map(end => places.hold(() => end.promise))
  let hasBegun = false
  const ninth = () =>
    places.hold(async () => {
      hasBegun = true
      return 'ninth'
    })
  expect([(await refusal(ninth())).code, hasBegun]).toEqual(['queue-full', false])
  ends[0]?.reject(new Error('hung up'))
  await expect(held[0]).rejects.toThrow('hung up')
  expect(await ninth()).toBe('ninth')
  for (const end of ends.slice(1)) end.resolve('done')
  expect(await Promise.all(held.slice(1))).toEqual(Array.from({ length: 7 }, () => 'done'))
})

test('an upload is written to tmp/, for the owner alone', async () => {
  const home = makeHome()
  const path = await receiveUpload(Readable.from([Buffer.from('ab'), Buffer.from('c')]), home, {
    maxBytes: 3,
  })
  expect(path.startsWith(join(home, 'tmp'))).toBe(true)
  expect(readdirSync(join(home, 'tmp'))).toHaveLength(1)
})

test('an upload that is too large is refused without ending the connection, and its file is removed', async () => {
  const home = makeHome()
  const stream = new PassThrough()
  stream.write(Buffer.alloc(10))
  const { code } = await refusal(receiveUpload(stream, home, { maxBytes: 9 }))
  expect([code, stream.destroyed]).toEqual(['body-too-large', false])
  expect(readdirSync(join(home, 'tmp'))).toEqual([])
})

test('the file of an upload is removed when its sender goes away or it is aborted', async () => {
  const home = makeHome()
  const gone = new PassThrough()
  const left = expect(receiveUpload(gone, home, { maxBytes: 9 })).rejects.toThrow('hung up')
  gone.write(Buffer.alloc(1), () => gone.destroy(new Error('hung up')))
  await left
  const abort = new AbortController()
  const aborted = expect(
    receiveUpload(new PassThrough(), home, { maxBytes: 9, signal: abort.signal }),
  ).rejects.toThrow('draining')
  abort.abort(new Error('draining'))
  await aborted
  expect(readdirSync(join(home, 'tmp'))).toEqual([])
})

test('uploads that a killed server left are removed, and nothing else', async () => {
  const home = makeHome()
  await receiveUpload(Readable.from([Buffer.from('x')]), home, { maxBytes: 9 })
  writeFileSync(join(home, 'tmp', 'other'), '')
  expect(await removeUploads(home)).toBe(1)
  expect(readdirSync(join(home, 'tmp'))).toEqual(['other'])
})
