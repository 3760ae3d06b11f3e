import { mkdtempSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { createLayout } from '../../src/archive/layout.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'
import { backtestingSpec } from '../../src/operations/backtesting.ts'
import { dataDownloadSpec } from '../../src/operations/data-download.ts'
import { dataRepairSpec } from '../../src/operations/data-repair.ts'
import { dataResampleSpec } from '../../src/operations/data-resample.ts'
import { makeRooms as makeTestRooms } from '../support/rooms.ts'

const defaults = {
  adjustment: 'none',
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
  const rooms = makeTestRooms(home)
  const path = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv')
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync(path))
  const origin = { source: 'sample', now: 0, calendar: 'XNYS' }
  const { manifest } = await rooms.bars.publish(symbol, '1d', reader.end(), origin)
  return { rooms, manifest, strategies: rooms.strategies }
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

test.each([
  ['a timeframe the vendor lacks', { timeframes: ['1d', '1h'] }, '/body/params/timeframes/1', /only 1d/],
  ['an exchange of a vendor without any', { exchange: 'kraken' }, '/body/params/exchange', /no exchanges/],
  ['an unknown calendar', { calendar: 'XXXX' }, '/body/params/calendar', /XNYS, 24-7, 24-5/],
  [
    'another calendar than the stored one',
    { calendar: '24-7' },
    '/body/params/calendar',
    /stored with .*XNYS/,
  ],
  [
    'prices of another kind than the stored ones',
    { vendor: 'yahoo' },
    '/body/params/vendor',
    /split-adjusted prices from sample, yahoo has prices as traded/,
  ],
  ['mode range without a start', { mode: 'range' }, '/body/params/start', /needs start/],
])('a download with %s is refused at once', async (_case, change, pointer, message) => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'], mode: 'full', ...change }
  const errors = [expect.objectContaining({ pointer, message: expect.stringMatching(message) })]
  await expect(dataDownloadSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ code: 'params-invalid', errors }),
  )
})

test('a dataset of one exchange is not continued from another, unless a range is stated', async () => {
  const { rooms } = await makeRooms()
  const bars = rooms.bars.read('AAPL', '1d', (await rooms.bars.manifest('AAPL', '1d'))?.sha256 ?? '')
  await rooms.bars.publish('BTC-USDT', '1d', bars, { source: 'ccxt:binance', now: 0, calendar: '24-7' })
  const params = {
    vendor: 'ccxt',
    exchange: 'kraken',
    symbols: ['BTC-USDT'],
    timeframes: ['1d'],
    mode: 'full',
  }
  await expect(dataDownloadSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining('came from ccxt:binance') }),
  )
  for (const change of [{ exchange: 'binance' }, { mode: 'range', start: '2024-01-01' }])
    expect(await dataDownloadSpec.prepare({ ...params, ...change }, rooms)).toBeDefined()
})

test('the vendor csv needs a calendar, as nothing tells when its symbols are traded', async () => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'csv', symbols: ['OWN'], timeframes: ['1d'], mode: 'full' }
  await expect(dataDownloadSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining('give calendar') }),
  )
  expect(await dataDownloadSpec.prepare({ ...params, calendar: 'XNYS' }, rooms)).toBeDefined()
})

test('a repair asks the vendor the bars came from, and needs one where they were imported', async () => {
  const { rooms } = await makeRooms()
  const params = { symbol: 'AAPL', timeframe: '1d', classes: ['unexpected'] }
  expect((await dataRepairSpec.prepare(params, rooms)).params).toEqual({ ...params, vendor: 'sample' })
  const bars = rooms.bars.read('AAPL', '1d', (await rooms.bars.manifest('AAPL', '1d'))?.sha256 ?? '')
  await rooms.bars.publish('OWN', '1d', bars, { source: 'import', now: 0, calendar: 'XNYS' })
  await expect(dataRepairSpec.prepare({ ...params, symbol: 'OWN' }, rooms)).rejects.toEqual(
    expect.objectContaining({ code: 'params-invalid', message: expect.stringContaining('name a vendor') }),
  )
})

test('resampling refuses shorter bars, and to throw fetched bars away in passing', async () => {
  const { rooms, manifest } = await makeRooms()
  const params = { symbol: 'AAPL', from: '1d', timeframes: ['1w'], replace: false }
  expect((await dataResampleSpec.prepare(params, rooms)).dataset_sha256).toEqual([manifest.sha256])
  await expect(dataResampleSpec.prepare({ ...params, timeframes: ['1h'] }, rooms)).rejects.toEqual(
    expect.objectContaining({ code: 'params-invalid' }),
  )
  const bars = rooms.bars.read('AAPL', '1d', manifest.sha256)
  await rooms.bars.publish('AAPL', '1w', bars, { source: 'yahoo', now: 0, calendar: 'XNYS' })
  await expect(dataResampleSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining("came from 'yahoo'") }),
  )
  expect(await dataResampleSpec.prepare({ ...params, replace: true }, rooms)).toBeDefined()
})

test('a download counts its datasets and needs a start before the end', async () => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'sample', symbols: ['AAPL', 'MSFT'], timeframes: ['1d'], mode: 'full' }
  expect(await dataDownloadSpec.prepare(params, rooms)).toMatchObject({
    params,
    steps: { total: 2, unit: 'dataset' },
  })
  await expect(
    dataDownloadSpec.prepare({ ...params, start: '2016-01-01', end: '2015-01-01' }, rooms),
  ).rejects.toEqual(expect.objectContaining({ code: 'params-invalid' }))
})
