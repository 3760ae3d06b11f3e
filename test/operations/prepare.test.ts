import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import { createLayout } from '../../src/archive/layout.ts'
import { StrategyLibrary } from '../../src/archive/strategies.ts'
import { backtestingSpec } from '../../src/operations/backtesting.ts'
import { dataDownloadSpec } from '../../src/operations/data-download.ts'
import { fetchAllBars } from '../../src/vendors/fetch.ts'
import { sampleVendor } from '../../src/vendors/sample.ts'

const defaults = {
  initial_capital: 100_000,
  commission_rate: 0.001,
  commission_fixed: 0,
  slippage_bps: 5,
  sizing: { mode: 'all_in' },
  units: 'whole',
  close_open_trades: true,
}

async function makeRooms(symbol = 'AAPL') {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-prepare-'))
  createLayout(home)
  const bars = new BarsArchive(home)
  const request = {
    symbol: 'AAPL',
    timeframe: '1d',
    start: null,
    end: null,
    signal: new AbortController().signal,
  } as const
  const sample = await fetchAllBars(sampleVendor, request, () => undefined)
  const { manifest } = await bars.publish(symbol, '1d', sample, { source: 'sample', now: 0 })
  const strategies = new StrategyLibrary(home, resolve(import.meta.dirname, '../../examples/strategies'))
  return { rooms: { bars, strategies }, manifest, strategies }
}

test('a backtest echoes everything that will run and pins its strategy and bars', async () => {
  const { rooms, manifest, strategies } = await makeRooms()
  const prepared = await backtestingSpec.prepare({ ...defaults, strategy: 'sma_cross' }, rooms)
  expect(prepared.params).toEqual({
    ...defaults,
    strategy: 'sma_cross',
    symbol: 'AAPL',
    timeframe: '1d',
    start: '2013-05-13T00:00:00.000Z',
    end: '2018-05-12T00:00:00.000Z',
  })
  expect(prepared.steps).toEqual({ total: 1260, unit: 'bar' })
  expect(prepared.dataset_sha256).toEqual([manifest.sha256])
  const file = await strategies.get('sma_cross')
  expect(strategies.readSnapshot(prepared.strategy_sha256 ?? '')).toBe(file?.yaml)
})

test('preparing effective params again gives the same', async () => {
  const { rooms } = await makeRooms()
  const first = await backtestingSpec.prepare({ ...defaults, strategy: 'sma_cross' }, rooms)
  expect(await backtestingSpec.prepare(first.params, rooms)).toEqual(first)
})

test('the steps are the bars of the range', async () => {
  const { rooms } = await makeRooms()
  const range = { start: '2014-01-01', end: '2015-01-01T00:00:00Z' }
  const prepared = await backtestingSpec.prepare({ ...defaults, ...range, strategy: 'sma_cross' }, rooms)
  expect(prepared.steps).toEqual({ total: 252, unit: 'bar' })
})

test.each([
  ['neither strategy nor text', {}, 'params-invalid', '/body/params/strategy'],
  ['both', { strategy: 'sma_cross', strategy_yaml: 'x' }, 'params-invalid', '/body/params/strategy'],
  ['an unknown strategy', { strategy: 'none' }, 'strategy-not-found', '/body/params/strategy'],
  [
    'a start after the end',
    { strategy: 'sma_cross', start: '2015-01-01', end: '2015-01-01' },
    'params-invalid',
    '/body/params/start',
  ],
  ['30 February', { strategy: 'sma_cross', start: '2015-02-30' }, 'params-invalid', '/body/params/start'],
  ['25 hours', { strategy: 'sma_cross', end: '2015-02-01T25:00:00Z' }, 'params-invalid', '/body/params/end'],
  [
    'a needless fraction',
    { strategy: 'sma_cross', sizing: { mode: 'all_in', fraction: 1 } },
    'params-invalid',
    '/body/params/sizing/fraction',
  ],
  [
    'a missing fraction',
    { strategy: 'sma_cross', sizing: { mode: 'fraction' } },
    'params-invalid',
    '/body/params/sizing/fraction',
  ],
])('a backtest with %s is refused, pointing at it', async (_name, params, code, pointer) => {
  const { rooms } = await makeRooms()
  const errors = expect.arrayContaining([expect.objectContaining({ pointer })])
  await expect(backtestingSpec.prepare({ ...defaults, ...params }, rooms)).rejects.toEqual(
    expect.objectContaining({ code, errors }),
  )
})

test('a strategy with faults is refused with all of them', async () => {
  const { rooms } = await makeRooms()
  await expect(
    backtestingSpec.prepare({ ...defaults, strategy_yaml: 'name: x\nfoo: 1\n' }, rooms),
  ).rejects.toEqual(expect.objectContaining({ code: 'strategy-invalid' }))
})

test('a backtest without stored bars says how to get them', async () => {
  const { rooms } = await makeRooms('MSFT')
  await expect(backtestingSpec.prepare({ ...defaults, strategy: 'sma_cross' }, rooms)).rejects.toEqual(
    expect.objectContaining({
      code: 'bars-missing',
      hint: expect.stringMatching(/data_download.*"AAPL".*PUT \/api\/v1\/datasets\/AAPL\/1d/),
    }),
  )
})

test('a range without bars says which bars there are', async () => {
  const { rooms } = await makeRooms()
  for (const range of [
    { end: '2013-05-13' },
    { start: '2018-05-12' },
    { start: '2014-01-04', end: '2014-01-06' },
  ]) {
    await expect(
      backtestingSpec.prepare({ ...defaults, ...range, strategy: 'sma_cross' }, rooms),
    ).rejects.toEqual(
      expect.objectContaining({ code: 'bars-missing', hint: expect.stringContaining('2013-05-13') }),
    )
  }
})

test('a download counts its datasets and needs a start before the end', async () => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'sample', symbols: ['AAPL', 'MSFT'], timeframes: ['1d', '1h', '1w'] }
  expect(await dataDownloadSpec.prepare(params, rooms)).toMatchObject({
    params,
    steps: { total: 6, unit: 'dataset' },
  })
  await expect(
    dataDownloadSpec.prepare({ ...params, start: '2016-01-01', end: '2015-01-01' }, rooms),
  ).rejects.toEqual(expect.objectContaining({ code: 'params-invalid' }))
})
