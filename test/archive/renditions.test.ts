import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from '@jest/globals'
import { parquetReadObjects } from 'hyparquet'
import { BarsArchive, barsTable } from '../../src/archive/bars.ts'
import { Renditions } from '../../src/archive/renditions.ts'
import { renderTable } from '../../src/archive/tables.ts'
import { makeBars, makeHome } from './folder.ts'

async function publishBars(length: number): Promise<string> {
  const archive = new BarsArchive(makeHome())
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(length), { source: 'import', now: 0 })
  return archive.segmentPath('AAPL', '1d', manifest.sha256)
}

test.each([500, 20_001])('a table of %i rows says the same in every format', async rows => {
  const path = await publishBars(rows)
  const renditions = new Renditions()
  const [json, csv, parquet] = await Promise.all(
    (['json', 'csv', 'parquet'] as const).map(format => renditions.renditionOf(path, format)),
  )
  const { columns } = JSON.parse(readFileSync(json!, 'utf8'))
  const lines = readFileSync(csv!, 'utf8').trimEnd().split('\r\n').slice(1)
  const bytes = readFileSync(parquet!)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  const objects = await parquetReadObjects({ file })
  expect(columns.close).toEqual(objects.map(row => row.close))
  expect(columns.time).toEqual(objects.map(row => row.time.toISOString()))
  expect(lines).toEqual(
    objects.map((_, i) =>
      Object.keys(columns)
        .map(name => columns[name][i])
        .join(','),
    ),
  )
  expect(readFileSync(csv!).equals(renderTable(barsTable(makeBars(rows)), 'csv'))).toBe(true)
})

test('requests for the same rendition share one job, and the file is made once', async () => {
  const path = await publishBars(100)
  const renditions = new Renditions()
  const [first, second] = [renditions.renditionOf(path, 'json'), renditions.renditionOf(path, 'json')]
  expect(second).toBe(first)
  const made = statSync(await first).ino
  expect(statSync(await renditions.renditionOf(path, 'json')).ino).toBe(made)
  expect(readdirSync(dirname(path)).filter(name => name.endsWith('.tmp'))).toEqual([])
  expect(await renditions.renditionOf(path, 'arrow')).toBe(path)
})

test('a missing table fails, and is tried again on the next demand', async () => {
  const renditions = new Renditions()
  const missing = `${makeHome()}/none.arrow`
  await expect(renditions.renditionOf(missing, 'csv')).rejects.toThrow('ENOENT')
  await expect(renditions.renditionOf(missing, 'csv')).rejects.toThrow('ENOENT')
  await expect(renditions.renditionOf('/etc/passwd', 'csv')).rejects.toThrow('not a stored table')
})
