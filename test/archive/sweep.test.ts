import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import { datasetFolder } from '../../src/archive/layout.ts'
import { Renditions } from '../../src/archive/renditions.ts'
import { filesIn, makeBars, makeHome } from './folder.ts'

const from = { source: 'import', now: Date.UTC(2024, 0, 1), calendar: 'XNYS' }
const split = { kind: 'split', ex_date: '2020-01-03', ratio: 2 } as const
const hourMs = 3_600_000
/** When everything that the test stored is older than an hour, even what waits under a temporary name. */
const tomorrow = () => Date.now() + 25 * hourMs

function makeArchive() {
  const home = makeHome()
  return { home, archive: new BarsArchive(home), folder: datasetFolder(home, 'AAPL', '1d') }
}

test('a sweep removes only what nothing names and was replaced more than an hour ago', async () => {
  const { home, archive, folder } = makeArchive()
  const [old, pinned, current] = await Promise.all(
    [10, 20, 30].map(async n => (await archive.publish('AAPL', '1d', makeBars(n), from)).manifest),
  )
  const renditions = new Renditions()
  for (const manifest of [old!, pinned!])
    await renditions.datasetOf({
      home,
      symbol: 'AAPL',
      timeframe: '1d',
      sha256: manifest.sha256,
      format: 'csv',
    })
  writeFileSync(join(folder, 'segments', '.x.arrow.1.tmp'), 'left by a kill')
  const inUse = new Set([pinned!.sha256])
  expect(await archive.sweep(inUse)).toBe(0)
  expect(await archive.sweep(inUse, Date.now() + hourMs / 2)).toBe(0)
  expect(await archive.sweep(inUse, tomorrow())).toBe(1)
  expect(filesIn(folder)).toEqual(
    [
      'manifest.json',
      `renditions/${pinned!.sha256}.csv`,
      `segments/${pinned!.partitions[0]?.sha256}.arrow`,
      `segments/${current!.partitions[0]?.sha256}.arrow`,
      `versions/${pinned!.sha256}.json`,
      `versions/${current!.sha256}.json`,
    ].sort(),
  )
})

test('the hour begins when a version is replaced, not when it was stored', async () => {
  const { archive, folder } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(10), from)
  for (const name of filesIn(folder)) utimesSync(join(folder, name), new Date(0), new Date(0))
  await archive.publish('AAPL', '1d', makeBars(20), from)
  expect(await archive.sweep(new Set())).toBe(0)
  expect(archive.read('AAPL', '1d', manifest.sha256).length).toBe(10)
})

test('what an operation pinned is read to its end, adjusted prices too, and is gone an hour after it', async () => {
  const { archive } = makeArchive()
  await archive.publish('AAPL', '1d', makeBars(10), from)
  await archive.commit('AAPL', '1d', { bars: makeBars(0), actions: [split] }, from)
  const pinned = await archive.pin('AAPL', '1d', 'split')
  await archive.publish('AAPL', '1d', makeBars(20), from)
  await archive.sweep(new Set([pinned!.sha256]), tomorrow())
  expect(archive.read('AAPL', '1d', pinned!.sha256).length).toBe(10)
  await archive.sweep(new Set(), tomorrow())
  expect(() => archive.read('AAPL', '1d', pinned!.sha256)).toThrow(
    expect.objectContaining({ code: 'bars-missing' }),
  )
})

test('a removed dataset is out of the catalogue at once and readable for another hour', async () => {
  const { home, archive } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(10), from)
  expect(await archive.remove('AAPL', '1d')).toBe(true)
  expect(await archive.remove('AAPL', '1d')).toBe(false)
  expect(await archive.list()).toEqual([])
  await archive.sweep(new Set())
  expect(archive.read('AAPL', '1d', manifest.sha256)).toEqual(makeBars(10))
  await archive.sweep(new Set([manifest.sha256]), tomorrow())
  expect(archive.read('AAPL', '1d', manifest.sha256)).toEqual(makeBars(10))
  expect(await archive.sweep(new Set(), tomorrow())).toBe(1)
  expect(readdirSync(join(home, 'bars'))).toEqual([])
  const again = await archive.publish('AAPL', '1d', makeBars(10), from)
  expect(again).toMatchObject({ created: true, manifest: { sha256: manifest.sha256 } })
})

test('removing what never was leaves no trace', async () => {
  const { home, archive } = makeArchive()
  expect(await archive.remove('AAPL', '1d')).toBe(false)
  expect(readdirSync(join(home, 'bars'))).toEqual([])
})

test('a damaged version keeps all segments, because nobody knows which are its own', async () => {
  const { archive, folder } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(10), from)
  await archive.publish('AAPL', '1d', makeBars(20), from)
  writeFileSync(join(folder, 'versions', `${manifest.sha256}.json`), '{')
  expect(() => archive.read('AAPL', '1d', manifest.sha256)).toThrow(
    expect.objectContaining({ code: 'bars-invalid' }),
  )
  expect(await archive.sweep(new Set([manifest.sha256]), tomorrow())).toBe(0)
  expect(await archive.sweep(new Set(), tomorrow())).toBe(1)
})

test('pinned without an adjustment it is the dataset itself, with one another identity that is kept once', async () => {
  const { archive, folder } = makeArchive()
  expect(await archive.pin('AAPL', '1d', 'none')).toBeNull()
  await archive.publish('AAPL', '1d', makeBars(10), from)
  const { manifest } = (await archive.commit('AAPL', '1d', { bars: makeBars(0), actions: [split] }, from))!
  expect(await archive.pin('AAPL', '1d', 'none')).toEqual({ manifest, sha256: manifest.sha256 })
  const [first, second] = [await archive.pin('AAPL', '1d', 'split'), await archive.pin('AAPL', '1d', 'split')]
  expect(second).toEqual(first)
  expect(archive.version('AAPL', '1d', first!.sha256)).toEqual({
    ...archive.version('AAPL', '1d', manifest.sha256),
    adjustment: 'split',
  })
  expect(filesIn(join(folder, 'versions'))).toHaveLength(3)
  const [raw, adjusted] = [manifest.sha256, first!.sha256].map(sha256 => archive.read('AAPL', '1d', sha256))
  expect([...adjusted!.close].map((close, i) => (raw!.close[i] ?? 0) / close)).toEqual([
    2, 2, 1, 1, 1, 1, 1, 1, 1, 1,
  ])
  const range = { start: raw!.time[1]!, end: raw!.time[2]! }
  expect([...archive.read('AAPL', '1d', first!.sha256, range).close]).toEqual([adjusted!.close[1]])
})
