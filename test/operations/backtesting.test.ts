import { expect, test } from '@jest/globals'
import { truncateBars } from '../../src/market/bars.ts'
import { datasetsOf } from '../../src/operations/backtesting.ts'
import { bars, faultsOf, makeRooms, run, type Stored } from '../support/backtesting-rooms.ts'
import { strategyText } from '../support/strategy-text.ts'

const aapl = { strategy: 'sma_cross' }

test('a backtest echoes everything that will run and pins its strategy and bars', async () => {
  const { rooms, sha256s } = await makeRooms()
  const prepared = await run(aapl, rooms)
  expect(prepared.params).toEqual({
    adjustment: 'none',
    strategy: 'sma_cross',
    symbols: ['AAPL'],
    timeframe: '1d',
    start: '2013-05-13T00:00:00.000Z',
    end: '2018-05-12T00:00:00.000Z',
    initial_capital: 100_000,
    commission_rate: 0.001,
    commission_fixed: 0,
    commission_per_unit: 0,
    commission_min: 0,
    commission_tiers: [],
    spread_bps: 0,
    slippage_bps: 5,
    volume_share: null,
    borrow_rate_annual: 0,
    funding_rate_annual: 0,
    sizing: { mode: 'all_in' },
    units: 'whole',
    lot_size: null,
    tick_size: null,
    leverage: 1,
    maintenance_margin_fraction: 0,
    max_positions: null,
    close_open_trades: true,
    engine: { compat: 'none', fill_on: 'next_open', intrabar: 'pessimistic' },
  })
  expect(prepared.steps).toEqual({ total: 1260, unit: 'bar' })
  expect(prepared.dataset_sha256).toEqual(sha256s)
  const file = await rooms.strategies.get('sma_cross')
  expect(rooms.strategies.readSnapshot(prepared.strategy_sha256 ?? '')).toBe(file?.yaml)
})

test('preparing effective params again gives the same', async () => {
  const { rooms } = await makeRooms()
  for (const given of [aapl, { ...aapl, symbol: 'AAPL', sizing: { mode: 'value', value: 5_000 } }]) {
    const first = await run(given, rooms)
    expect(await run(first.params, rooms)).toEqual(first)
  }
})

test('the steps are the bars of the range', async () => {
  const { rooms } = await makeRooms()
  const prepared = await run({ ...aapl, start: '2014-01-01', end: '2015-01-01T00:00:00Z' }, rooms)
  expect(prepared.steps).toEqual({ total: 252, unit: 'bar' })
})

test('several symbols pin their datasets in order, then those of the shorter bars', async () => {
  const datasets: Stored[] = [
    ['MSFT', '1d', truncateBars(bars, 900)],
    ['AAPL', '1d', bars],
    ['AAPL', '1h', truncateBars(bars, 10)],
    ['MSFT', '1h', truncateBars(bars, 20)],
  ]
  const { rooms, sha256s } = await makeRooms(datasets)
  const [msft, apple, appleHours, msftHours] = sha256s
  const engine = { intrabar_timeframe: '1h' }
  const prepared = await run({ ...aapl, symbols: ['AAPL', 'MSFT'], engine }, rooms)
  expect(prepared.dataset_sha256).toEqual([apple, msft, appleHours, msftHours])
  // The union of both: MSFT ends earlier.
  expect(prepared.params).toMatchObject({
    symbols: ['AAPL', 'MSFT'],
    start: '2013-05-13T00:00:00.000Z',
    end: '2018-05-12T00:00:00.000Z',
    engine: { compat: 'none', fill_on: 'next_open', intrabar: 'pessimistic', intrabar_timeframe: '1h' },
  })
  expect(prepared.steps).toBeNull()
  const params = prepared.params as Parameters<typeof datasetsOf>[0]
  expect(datasetsOf(params, prepared.dataset_sha256)).toEqual({
    base: [
      { symbol: 'AAPL', timeframe: '1d', sha256: apple },
      { symbol: 'MSFT', timeframe: '1d', sha256: msft },
    ],
    finer: [
      { symbol: 'AAPL', timeframe: '1h', sha256: appleHours },
      { symbol: 'MSFT', timeframe: '1h', sha256: msftHours },
    ],
  })
})

test('a strategy of several symbols runs on all of them, and on one where one is asked for', async () => {
  const { rooms } = await makeRooms([
    ['AAPL', '1d', bars],
    ['MSFT', '1d', bars],
  ])
  const portfolio = { strategy: 'pullback_portfolio' }
  expect((await run(portfolio, rooms)).params.symbols).toEqual(['AAPL', 'MSFT'])
  expect((await run({ ...portfolio, symbol: 'MSFT' }, rooms)).params.symbols).toEqual(['MSFT'])
})

test('of several symbols one without bars in the range is told of; of none it is a fault', async () => {
  const { rooms } = await makeRooms([
    ['AAPL', '1d', bars],
    ['MSFT', '1d', truncateBars(bars, 100)],
  ])
  const both = { ...aapl, symbols: ['AAPL', 'MSFT'] }
  expect((await run({ ...both, start: '2016-01-01' }, rooms)).warnings).toEqual([
    'MSFT 1d has no bars in the requested range: it is not traded.',
  ])
  await expect(run({ ...both, start: '2020-01-01' }, rooms)).rejects.toMatchObject({ code: 'bars-missing' })
})

const lists = { mode: 'multi_symbol', list: Array.from({ length: 51 }, (_, i) => `S${i}`) }
const many = strategyText('    enter_long: close > fast\n    exit_long: close < fast').replace(
  '{ mode: single, symbol: AAPL }',
  JSON.stringify(lists),
)

test.each<[string, object, string[]]>([
  ['neither strategy nor text', {}, ['strategy required', 'strategy_yaml required']],
  ['both', { ...aapl, strategy_yaml: 'x' }, ['strategy not_allowed', 'strategy_yaml not_allowed']],
  ['an unknown strategy', { strategy: 'none' }, ['strategy unknown']],
  ['a start after the end', { ...aapl, start: '2015-01-01', end: '2015-01-01' }, ['start range']],
  ['30 February', { ...aapl, start: '2015-02-30' }, ['start moment']],
  ['25 hours', { ...aapl, end: '2015-02-01T25:00:00Z' }, ['end moment']],
  [
    'symbol and symbols',
    { ...aapl, symbol: 'AAPL', symbols: ['AAPL'] },
    ['symbol not_allowed', 'symbols not_allowed'],
  ],
  ['a strategy of more symbols than are taken', { strategy_yaml: many }, ['symbols required']],
  [
    'a needless fraction',
    { ...aapl, sizing: { mode: 'all_in', fraction: 1 } },
    ['sizing/fraction not_allowed'],
  ],
  ['a missing fraction', { ...aapl, sizing: { mode: 'fraction' } }, ['sizing/fraction required']],
  [
    'the keys of two sizes',
    { ...aapl, sizing: { mode: 'kelly', cap: 0.5, value: 1 } },
    ['sizing/value not_allowed', 'sizing/min_trades required', 'sizing/fraction required'],
  ],
  [
    'a size by volatility of no bars',
    { ...aapl, sizing: { mode: 'volatility_target', annual_volatility: 0.1 } },
    ['sizing/lookback_bars required'],
  ],
  [
    'risk without a stop',
    { ...aapl, sizing: { mode: 'risk', risk_percent: 1 } },
    ['sizing/mode not_allowed'],
  ],
  [
    'commission tiers out of order',
    { ...aapl, commission_tiers: [1, 3, 3, 2].map(from_value => ({ from_value, rate: 0 })) },
    ['commission_tiers/2/from_value order', 'commission_tiers/3/from_value order'],
  ],
  ['half lots of whole units', { ...aapl, lot_size: 0.5 }, ['lot_size not_allowed']],
  [
    'a margin call at the entry',
    { ...aapl, leverage: 4, maintenance_margin_fraction: 0.25 },
    ['maintenance_margin_fraction range'],
  ],
  [
    'longer bars inside',
    { ...aapl, engine: { intrabar_timeframe: '1w' } },
    ['engine/intrabar_timeframe timeframe'],
  ],
  [
    'the same bars inside',
    { ...aapl, engine: { intrabar_timeframe: '1d' } },
    ['engine/intrabar_timeframe timeframe'],
  ],
  [
    'bars inside that do not fit',
    { ...aapl, timeframe: '6h', engine: { intrabar_timeframe: '4h' } },
    ['engine/intrabar_timeframe timeframe'],
  ],
  [
    'bars inside that are not stored',
    { ...aapl, engine: { intrabar_timeframe: '1h' } },
    ['engine/intrabar_timeframe unknown'],
  ],
])('a backtest with %s is refused, field by field', async (_name, params, faults) => {
  const { rooms } = await makeRooms()
  expect(await faultsOf(params, rooms)).toEqual(faults)
})

test('a strategy with faults is refused with all of them', async () => {
  const { rooms } = await makeRooms()
  await expect(run({ strategy_yaml: 'name: x\nfoo: 1\n' }, rooms)).rejects.toMatchObject({
    code: 'strategy-invalid',
  })
})

test('a backtest without stored bars says how to get them, for its own and for shorter ones', async () => {
  const { rooms } = await makeRooms([['AAPL', '1d', bars]])
  const hint = (symbol: string, timeframe: string) =>
    expect.stringMatching(
      new RegExp(`data_download.*"${symbol}".*PUT /api/v1/datasets/${symbol}/${timeframe}`),
    )
  await expect(run({ ...aapl, symbol: 'MSFT' }, rooms)).rejects.toMatchObject({
    code: 'bars-missing',
    hint: hint('MSFT', '1d'),
    errors: [{ pointer: '/body/params/symbol', code: 'unknown' }],
  })
  const engine = { intrabar_timeframe: '5m' }
  await expect(run({ ...aapl, engine }, rooms)).rejects.toMatchObject({
    code: 'bars-missing',
    hint: hint('AAPL', '5m'),
  })
})

test.each([
  [{ ...aapl, symbols: ['AAPL', 'MSFT'] }, '/body/params/symbols/1'],
  [
    {
      strategy_yaml: strategyText('    enter_long: close > fast\n    exit_long: close < fast').replaceAll(
        'AAPL',
        'MSFT',
      ),
    },
    '/body/params/strategy_yaml',
  ],
])('a symbol without stored bars is told by the field that names it: %#', async (given, pointer) => {
  const { rooms } = await makeRooms([['AAPL', '1d', bars]])
  await expect(run(given, rooms)).rejects.toMatchObject({ errors: [{ pointer }] })
})

test('a range without bars says which bars there are', async () => {
  const { rooms } = await makeRooms()
  for (const range of [
    { end: '2013-05-13' },
    { start: '2018-05-12' },
    { start: '2014-01-04', end: '2014-01-06' },
  ]) {
    await expect(run({ ...aapl, ...range }, rooms)).rejects.toMatchObject({
      code: 'bars-missing',
      hint: expect.stringContaining('2013-05-13'),
    })
  }
})
