import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { BarsArchive, datasetOf, type Origin } from '../../src/archive/bars.ts'
import { datasetFolder, symbolFault } from '../../src/archive/layout.ts'
import { filesIn, makeBars, makeHome, makeMinuteBars } from './folder.ts'

const from = { source: 'import', now: Date.UTC(2024, 0, 1), calendar: 'XNYS' }

function makeArchive() {
  const home = makeHome()
  return { archive: new BarsArchive(home), folder: datasetFolder(home, 'AAPL', '1d') }
}

test('published bars read back bit for bit, and the manifest describes them', async () => {
  const { archive } = makeArchive()
  const bars = makeBars(300)
  const { manifest, created } = await archive.publish('AAPL', '1d', bars, from)
  expect(created).toBe(true)
  expect(manifest).toMatchObject({
    symbol: 'AAPL',
    timeframe: '1d',
    source: 'import',
    bars: 300,
    first_time: '2020-01-01T00:00:00.000Z',
    last_time: '2020-10-26T00:00:00.000Z',
    fetched_at: '2024-01-01T00:00:00.000Z',
    adjustment: 'none',
  })
  expect(archive.read('AAPL', '1d', manifest.sha256)).toEqual(bars)
  expect(await archive.manifest('AAPL', '1d')).toEqual(manifest)
  expect(await archive.list()).toEqual([datasetOf(manifest)])
  expect(datasetOf(manifest)).toEqual({
    symbol: 'AAPL',
    timeframe: '1d',
    source: 'import',
    calendar: 'XNYS',
    bars: 300,
    first_time: '2020-01-01T00:00:00.000Z',
    last_time: '2020-10-26T00:00:00.000Z',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    fetched_at: '2024-01-01T00:00:00.000Z',
    adjustment: 'none',
    splits: 0,
    dividends: 0,
    resampled_from: null,
    segments: 1,
    size_bytes: expect.any(Number),
  })
})

test('publishing the same bars again creates nothing and keeps one segment', async () => {
  const { archive, folder } = makeArchive()
  const first = await archive.publish('AAPL', '1d', makeBars(10), from)
  const second = await archive.publish('AAPL', '1d', makeBars(10), from)
  expect(second).toEqual({ manifest: first.manifest, created: false })
  expect(filesIn(folder)).toEqual([
    'manifest.json',
    `segments/${first.manifest.partitions[0]?.sha256}.arrow`,
    `versions/${first.manifest.sha256}.json`,
  ])
})

test('bars that were pinned stay readable after the dataset was replaced', async () => {
  const { archive } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(10), from)
  await archive.publish('AAPL', '1d', makeBars(20), from)
  expect(archive.read('AAPL', '1d', manifest.sha256).length).toBe(10)
})

test('of two publishes at once one wins whole, and only one created the dataset', async () => {
  const { archive } = makeArchive()
  const results = await Promise.all(
    [10, 20, 30].map(n => archive.publish('AAPL', '1d', makeBars(n, n), from)),
  )
  expect(results.map(result => result.created)).toEqual([true, false, false])
  const manifest = await archive.manifest('AAPL', '1d')
  expect(manifest?.bars).toBe(30)
  expect(archive.read('AAPL', '1d', manifest?.sha256 ?? '')).toEqual(makeBars(30, 30))
})

test('a dataset nobody stored is null, and reading bars that are gone says what to do', async () => {
  const { archive } = makeArchive()
  expect(await archive.manifest('AAPL', '1d')).toBeNull()
  expect(await archive.list()).toEqual([])
  expect(() => archive.read('AAPL', '1d', 'a'.repeat(64))).toThrow(
    expect.objectContaining({ code: 'bars-missing', hint: expect.stringContaining('retry') }),
  )
})

test('bars that no market can have made, and no bars at all, are refused and change nothing', async () => {
  const { archive } = makeArchive()
  const bars = makeBars(3)
  bars.low[1] = 500
  const refused = expect.objectContaining({ code: 'bars-invalid' })
  await expect(archive.publish('AAPL', '1d', bars, from)).rejects.toEqual(refused)
  await expect(archive.publish('AAPL', '1d', makeBars(0), from)).rejects.toEqual(refused)
  expect(await archive.list()).toEqual([])
})

test('a flipped byte and a torn segment are found, and publishing again repairs them', async () => {
  const { archive, folder } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(50), from)
  const path = join(folder, 'segments', `${manifest.partitions[0]?.sha256}.arrow`)
  const bytes = readFileSync(path)
  const flipped = Buffer.from(bytes)
  flipped[bytes.length >> 1]! ^= 1
  for (const damage of [flipped, bytes.subarray(0, 700), Buffer.alloc(0)]) {
    writeFileSync(path, damage)
    expect(() => archive.read('AAPL', '1d', manifest.sha256)).toThrow(
      expect.objectContaining({ code: 'bars-invalid' }),
    )
  }
  await archive.publish('AAPL', '1d', makeBars(50), from)
  expect(archive.read('AAPL', '1d', manifest.sha256)).toEqual(makeBars(50))
})

test('many bars are stored by a thread as few are here: bit for bit, in turn, and refused with the same problem', async () => {
  const { archive } = makeArchive()
  const results = await Promise.all([
    archive.publish('AAPL', '1d', makeBars(20_001), from),
    archive.publish('AAPL', '1d', makeBars(5, 7), from),
    archive.publish('AAPL', '1d', makeBars(20_002), from),
  ])
  expect(results.map(result => result.created)).toEqual([true, false, false])
  const sha256 = results[2]?.manifest.sha256 ?? ''
  expect((await archive.manifest('AAPL', '1d'))?.sha256).toBe(sha256)
  expect(archive.read('AAPL', '1d', sha256)).toEqual(makeBars(20_002))
  const wrong = makeBars(20_001)
  wrong.low[20_000] = 500
  await expect(archive.publish('AAPL', '1d', wrong, from)).rejects.toMatchObject({
    name: 'Problem',
    code: 'bars-invalid',
    errors: expect.arrayContaining([expect.objectContaining({ pointer: '/bars/20000/high' })]),
  })
  expect((await archive.manifest('AAPL', '1d'))?.sha256).toBe(sha256)
})

test('the memory of many bars moves to the thread instead of being copied', async () => {
  const bars = makeBars(20_001)
  await makeArchive().archive.publish('AAPL', '1d', bars, from)
  expect(bars.close.length).toBe(0)
})

test('where the file system ignores case, another dataset is neither read nor replaced', async () => {
  const { archive, folder } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1d', makeBars(3), from)
  for (const [symbol, timeframe, field] of [
    ['aapl', '1d', 'symbol'],
    ['AAPL', '1M', 'timeframe'],
  ] as const) {
    const other = join(folder, '..', '..', symbol, timeframe)
    cpSync(folder, other, { recursive: true })
    expect(await archive.manifest(symbol, timeframe)).toBeNull()
    await expect(
      archive.publish(symbol, timeframe, makeBars(3), { ...from, pointer: '/path' }),
    ).rejects.toMatchObject({ code: 'params-invalid', errors: [{ pointer: `/path/${field}` }] })
  }
  expect(await archive.list()).toEqual([datasetOf(manifest)])
})

test('symbols that Windows cannot keep as folders are refused before anything is written', async () => {
  const { archive, folder } = makeArchive()
  for (const symbol of ['CON', 'nul', 'AUX.L', 'com1', 'LPT9.txt', 'BRK.'])
    await expect(archive.publish(symbol, '1d', makeBars(3), from)).rejects.toMatchObject({
      code: 'params-invalid',
      errors: [{ pointer: '/symbol' }],
    })
  expect(readdirSync(join(folder, '..', '..'))).toEqual([])
  for (const symbol of ['CONN', 'COM10', 'COM0', 'A.CON', 'NULL', 'BRK.B'])
    expect(symbolFault(symbol)).toBeNull()
})

test('bars are cut at months or years by their open time in UTC, and a range opens only what it touches', async () => {
  const { archive, folder } = makeArchive()
  const bars = makeMinuteBars(2_000, Date.UTC(2023, 10, 30), 60)
  const { manifest } = await archive.publish('AAPL', '5m', bars, from)
  const yearly = await archive.publish('AAPL', '1h', bars, from)
  expect(manifest.partitions.map(({ partition }) => partition)).toEqual([
    '2023-11',
    '2023-12',
    '2024-01',
    '2024-02',
  ])
  expect(yearly.manifest.partitions.map(({ partition, bars }) => [partition, bars])).toEqual([
    ['2023', 32 * 24],
    ['2024', 2_000 - 32 * 24],
  ])
  expect(archive.read('AAPL', '5m', manifest.sha256)).toEqual(bars)
  const december = manifest.partitions[1]?.sha256
  writeFileSync(join(folder, '..', '5m', 'segments', `${december}.arrow`), '')
  const range = { start: Date.UTC(2023, 11, 31, 23), end: Date.UTC(2024, 0, 1, 1, 30) }
  expect(() => archive.read('AAPL', '5m', manifest.sha256, range)).toThrow('damaged')
  const later = archive.read('AAPL', '5m', manifest.sha256, { ...range, start: Date.UTC(2024, 0, 1) })
  expect([...later.time]).toEqual([Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 1, 1)])
  expect(archive.read('AAPL', '5m', manifest.sha256, { start: 0, end: 1 }).length).toBe(0)
})

test('the identity is a function of bars, calendar and timeframe alone', async () => {
  const { archive } = makeArchive()
  const identity = async (timeframe: string, origin: Origin, n = 9) =>
    (await archive.publish('AAPL', timeframe, makeBars(n), origin)).manifest.sha256
  const first = await identity('1d', from)
  expect(await identity('1d', { ...from, source: 'yahoo', now: 5 })).toBe(first)
  const others = [
    await identity('1d', { ...from, calendar: '24-7' }),
    await identity('1w', from),
    await identity('1d', from, 8),
  ]
  expect(new Set([first, ...others]).size).toBe(4)
})

test('times that no file can hold, and times all over the centuries, are refused', async () => {
  const { archive } = makeArchive()
  for (const wrong of [8.64e15, 0.5, -8.64e15]) {
    const bars = makeBars(1)
    bars.time[0] = wrong
    bars.close_time[0] = 8.64e15 + 1e6
    await expect(archive.publish('AAPL', '1m', bars, from)).rejects.toMatchObject({
      code: 'bars-invalid',
      errors: [{ pointer: expect.stringMatching('^/bars/0/') }],
    })
  }
  const spread = makeMinuteBars(6_001, Date.UTC(1500, 0, 1), 44_640)
  await expect(archive.publish('AAPL', '1m', spread, from)).rejects.toMatchObject({
    code: 'bars-invalid',
    hint: expect.stringContaining('seconds'),
  })
  expect(await archive.list()).toEqual([])
})

test('years before 100 are kept apart like all others', async () => {
  const { archive } = makeArchive()
  const bars = makeMinuteBars(3, new Date(0).setUTCFullYear(99, 11, 31), 1_440)
  const { manifest } = await archive.publish('AAPL', '1m', bars, from)
  expect(manifest.partitions.map(({ partition }) => partition)).toEqual(['99-12', '100-01'])
  expect(archive.read('AAPL', '1m', manifest.sha256)).toEqual(bars)
})
