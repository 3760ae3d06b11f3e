import { hash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { BarsArchive, barsTable } from '../../src/archive/bars.ts'
import { datasetFolder } from '../../src/archive/layout.ts'
import { encodeTable } from '../../src/archive/tables.ts'
import { upgradeLayout } from '../../src/archive/upgrade.ts'
import type { Bars } from '../../src/market/bars.ts'
import { filesIn, makeHome, makeMinuteBars } from './folder.ts'

const bars = makeMinuteBars(90, Date.UTC(2023, 10, 30), 24 * 60)
const replaced = makeMinuteBars(40, Date.UTC(2023, 10, 30), 24 * 60)

function writeOldSegment(folder: string, content: Bars): string {
  const bytes = encodeTable(barsTable(content))
  const sha256 = hash('sha256', bytes)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${sha256}.arrow`), bytes)
  return sha256
}

/** A dataset of one file beside its manifest, and an older file that an operation may have pinned. */
function writeOldDataset(home: string, symbol: string, source: string) {
  const folder = datasetFolder(home, symbol, '1m')
  const pinned = writeOldSegment(folder, replaced)
  const sha256 = writeOldSegment(folder, bars)
  writeFileSync(join(folder, `${sha256}.csv`), 'rendition')
  const manifest = {
    symbol,
    timeframe: '1m',
    source,
    bars: bars.length,
    first_time: new Date(bars.time[0] ?? 0).toISOString(),
    last_time: new Date(bars.time[89] ?? 0).toISOString(),
    sha256,
    fetched_at: '2024-05-06T07:08:09.000Z',
    adjustment: 'none',
    size_bytes: 1,
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  return { folder, pinned, sha256 }
}

test('datasets of the older layout become what publishing their bars makes, and are found by the identities they had', async () => {
  const home = makeHome()
  const { folder, pinned, sha256 } = writeOldDataset(home, 'AAPL', 'sample')
  writeOldDataset(home, 'BTCUSDT', 'import')
  expect(await upgradeLayout(home)).toEqual({ upgraded: 2, failed: [] })
  const [archive, other] = [new BarsArchive(home), new BarsArchive(makeHome())]
  const origin = { source: 'sample', now: Date.UTC(2024, 4, 6, 7, 8, 9), calendar: 'XNYS' }
  const { manifest } = await other.publish('AAPL', '1m', bars, origin)
  expect(await archive.manifest('AAPL', '1m')).toEqual(manifest)
  expect(await archive.manifest('BTCUSDT', '1m')).toMatchObject({ calendar: '24-7', source: 'import' })
  expect(archive.read('AAPL', '1m', manifest.sha256)).toEqual(bars)
  expect(archive.read('AAPL', '1m', sha256)).toEqual(bars)
  expect(archive.read('AAPL', '1m', pinned)).toEqual(replaced)
  expect(filesIn(folder).filter(name => !name.includes('/'))).toEqual(['manifest.json'])
})

test('an upgraded archive is left as it is, and what old operations pinned lives as long as they do', async () => {
  const home = makeHome()
  const { folder, pinned } = writeOldDataset(home, 'AAPL', 'sample')
  await upgradeLayout(home)
  const before = filesIn(folder)
  expect(await upgradeLayout(home)).toEqual({ upgraded: 0, failed: [] })
  expect(filesIn(folder)).toEqual(before)
  const archive = new BarsArchive(home)
  const tomorrow = Date.now() + 86_400_000
  await archive.sweep(new Set([pinned]), tomorrow)
  expect(archive.read('AAPL', '1m', pinned)).toEqual(replaced)
  await archive.sweep(new Set(), tomorrow)
  expect(() => archive.read('AAPL', '1m', pinned)).toThrow(expect.objectContaining({ code: 'bars-missing' }))
})

test('interrupted between the manifest and the removal of the old files it goes on', async () => {
  const home = makeHome()
  const { folder, pinned, sha256 } = writeOldDataset(home, 'AAPL', 'sample')
  const copy = makeHome()
  cpSync(home, copy, { recursive: true })
  await upgradeLayout(home)
  const finished = filesIn(folder)
  cpSync(datasetFolder(copy, 'AAPL', '1m'), folder, {
    recursive: true,
    filter: source => !source.endsWith('manifest.json'),
  })
  expect(await upgradeLayout(home)).toEqual({ upgraded: 1, failed: [] })
  expect(filesIn(folder)).toEqual(finished)
  expect([sha256, pinned].map(old => new BarsArchive(home).read('AAPL', '1m', old).length)).toEqual([90, 40])
})

test('interrupted before the manifest was replaced it begins again', async () => {
  const home = makeHome()
  const { folder, sha256 } = writeOldDataset(home, 'AAPL', 'sample')
  const old = readFileSync(join(folder, 'manifest.json'))
  const bytes = readFileSync(join(folder, `${sha256}.arrow`))
  await upgradeLayout(home)
  writeFileSync(join(folder, 'manifest.json'), old)
  writeFileSync(join(folder, `${sha256}.arrow`), bytes)
  expect(await upgradeLayout(home)).toEqual({ upgraded: 1, failed: [] })
  expect(new BarsArchive(home).read('AAPL', '1m', sha256)).toEqual(bars)
})

test('a dataset that cannot be read is told, kept aside, and does not stop the others', async () => {
  const home = makeHome()
  const damaged = writeOldDataset(home, 'AAPL', 'sample')
  writeFileSync(join(damaged.folder, `${damaged.sha256}.arrow`), 'torn')
  const unclear = writeOldDataset(home, 'MSFT', 'sample')
  writeFileSync(join(unclear.folder, 'manifest.json'), '{')
  writeOldDataset(home, 'TSLA', 'sample')
  const { upgraded, failed } = await upgradeLayout(home)
  expect(upgraded).toBe(1)
  expect(failed.map(({ path }) => path)).toEqual(
    [damaged, unclear].map(({ folder }) => join(folder, 'manifest.json')),
  )
  expect((await new BarsArchive(home).list()).map(({ symbol }) => symbol)).toEqual(['TSLA'])
  expect(filesIn(damaged.folder)).toContain(`${damaged.sha256}.arrow`)
  expect(await upgradeLayout(home)).toEqual({ upgraded: 0, failed: [] })
})
