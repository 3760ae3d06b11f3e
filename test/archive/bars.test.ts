import { cpSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import { datasetFolder, symbolFault } from '../../src/archive/layout.ts'
import { makeBars, makeHome } from './folder.ts'

const from = { source: 'import', now: Date.UTC(2024, 0, 1) }

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
  expect(await archive.list()).toEqual([manifest])
})

test('publishing the same bars again creates nothing and keeps one segment', async () => {
  const { archive, folder } = makeArchive()
  const first = await archive.publish('AAPL', '1d', makeBars(10), from)
  const second = await archive.publish('AAPL', '1d', makeBars(10), from)
  expect(second).toEqual({ manifest: first.manifest, created: false })
  expect(readdirSync(folder).sort()).toEqual([`${first.manifest.sha256}.arrow`, 'manifest.json'].sort())
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
  const path = join(folder, `${manifest.sha256}.arrow`)
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

test('a sweep removes only segments that nothing names and that were replaced more than an hour ago', async () => {
  const { archive, folder } = makeArchive()
  const [old, pinned, current] = await Promise.all(
    [10, 20, 30].map(async n => (await archive.publish('AAPL', '1d', makeBars(n), from)).manifest.sha256),
  )
  writeFileSync(join(folder, '.x.arrow.1.tmp'), 'left by a kill')
  writeFileSync(join(folder, `${old}.csv`), 'rendition')
  expect(await archive.sweep(new Set([pinned!]))).toBe(0)
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), new Date(0), new Date(0))
  expect(await archive.sweep(new Set([pinned!]))).toBe(1)
  expect(readdirSync(folder).sort()).toEqual([`${pinned}.arrow`, `${current}.arrow`, 'manifest.json'].sort())
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
  expect(await archive.list()).toEqual([manifest])
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
