import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parquetReadObjects } from 'hyparquet'
import { ArtifactFolder, artifactPath } from '../../src/archive/artifacts.ts'
import { BarsArchive, barsTable } from '../../src/archive/bars.ts'
import { barsOf } from '../../src/archive/bars-table.ts'
import { renderTable } from '../../src/archive/render.ts'
import { Renditions } from '../../src/archive/renditions.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { downsampleBars } from '../../src/market/downsample.ts'
import { makeBars, makeHome, operationId } from './folder.ts'

async function publishBars(length: number) {
  const home = makeHome()
  const archive = new BarsArchive(home)
  const origin = { source: 'import', now: 0, calendar: '24-7' }
  const { manifest } = await archive.publish('AAPL', '12h', makeBars(length), origin)
  return { home, symbol: 'AAPL', timeframe: '12h', sha256: manifest.sha256 }
}

test.each([500, 20_001])('a dataset of %i bars says the same in every format', async rows => {
  const version = await publishBars(rows)
  const renditions = new Renditions()
  const [json, csv, parquet, arrow] = await Promise.all(
    (['json', 'csv', 'parquet', 'arrow'] as const).map(format =>
      renditions.datasetOf({ ...version, format }),
    ),
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
  expect(barsOf(decodeTable(readFileSync(arrow!)))).toEqual(makeBars(rows))
})

test.each([500, 20_001])('of %i bars a part is cut out, in fewer points where there are more', async rows => {
  const version = await publishBars(rows)
  const whole = makeBars(rows)
  const [start, end] = [whole.time[3]!, whole.time[403]!]
  const slice = { ...version, start, end, format: 'arrow' } as const
  const renditions = new Renditions()
  const part = sliceBars(whole, start, end)
  for (const [maxPoints, expected] of [
    [null, part],
    [400, part],
    [7, downsampleBars(part, 7)],
  ] as const)
    expect(barsOf(decodeTable(await renditions.sliceOf({ ...slice, maxPoints }, rows)))).toEqual(expected)
})

test('requests for the same rendition share one job, and the file is made once', async () => {
  const home = makeHome()
  const folder = new ArtifactFolder(home, operationId, 1)
  const artifact = folder.table('trades', barsTable(makeBars(100)))
  await folder.publish()
  const path = artifactPath(home, operationId, 1, artifact)
  const renditions = new Renditions()
  const [first, second] = [renditions.renditionOf(path, 'json'), renditions.renditionOf(path, 'json')]
  expect(second).toBe(first)
  const made = statSync(await first).ino
  expect(statSync(await renditions.renditionOf(path, 'json')).ino).toBe(made)
  expect(readdirSync(dirname(path)).filter(name => name.endsWith('.tmp'))).toEqual([])
  expect(await renditions.renditionOf(path, 'arrow')).toBe(path)
})

test('a dataset is rendered once for each version', async () => {
  const version = await publishBars(100)
  const renditions = new Renditions()
  const asked = { ...version, format: 'csv' } as const
  const [first, second] = [renditions.datasetOf(asked), renditions.datasetOf(asked)]
  expect(second).toBe(first)
  const made = statSync(await first).ino
  expect(statSync(await renditions.datasetOf(asked)).ino).toBe(made)
  const folder = join(version.home, 'bars', 'AAPL', '12h', 'renditions')
  expect(readdirSync(folder)).toEqual([`${version.sha256}.csv`])
})

test('a missing table fails, and is tried again on the next demand', async () => {
  const renditions = new Renditions()
  const missing = `${makeHome()}/none.arrow`
  await expect(renditions.renditionOf(missing, 'csv')).rejects.toThrow('ENOENT')
  await expect(renditions.renditionOf(missing, 'csv')).rejects.toThrow('ENOENT')
  await expect(renditions.renditionOf('/etc/passwd', 'csv')).rejects.toThrow('not a stored table')
  const gone = { home: makeHome(), symbol: 'AAPL', timeframe: '1d', sha256: 'a'.repeat(64) }
  await expect(renditions.datasetOf({ ...gone, format: 'csv' })).rejects.toMatchObject({
    code: 'bars-missing',
  })
})
