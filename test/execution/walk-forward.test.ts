import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { components } from '../../src/openapi.gen.ts'
import { type Program, stopPrograms } from '../support/program.ts'
import {
  backtestByHand,
  complete,
  readColumns,
  refusalOf,
  smaCross,
  startWithApple,
  storeWalks,
} from '../support/research.ts'

type Result = components['schemas']['WalkForwardResult']

let program: Program
beforeAll(async () => {
  program = await startWithApple()
})
afterAll(stopPrograms)

const space = [
  { path: 'indicators.fast.period', values: [5, 10] },
  { path: 'indicators.slow.period', values: [20, 40] },
]
/** 1,825 days of bars: four windows; of a fifth test less than half would be there. */
const small = {
  backtest: { strategy: 'sma_cross', spread_bps: 2 },
  ...{ space, train_days: 700, test_days: 250, purge_days: 5, embargo_days: 2, minimum_trades: 1 },
}
const points = [
  [5, 20],
  [5, 40],
  [10, 20],
  [10, 40],
] as const

describe('a walk', () => {
  let result: Result
  let columns: (name: string) => ReturnType<typeof readColumns>
  beforeAll(async () => {
    const done = await complete(program, 'walk_forward', small)
    result = done.result as Result
    columns = name => readColumns(program, done, name)
  })

  test('trains, leaves a gap, tests and steps on by the test', () => {
    const days = result.windows.map(({ train, test }) =>
      [train.start, train.end, test.start, test.end].map(moment => moment?.slice(0, 10)),
    )
    expect(days).toEqual([
      ['2013-05-13', '2015-04-13', '2015-04-20', '2015-12-26'],
      ['2014-01-18', '2015-12-19', '2015-12-26', '2016-09-01'],
      ['2014-09-25', '2016-08-25', '2016-09-01', '2017-05-09'],
      ['2015-06-02', '2017-05-02', '2017-05-09', '2018-01-14'],
    ])
  })

  test('finds in every window what backtests by hand find, and gets what they get outside of it', async () => {
    const { spread_bps } = small.backtest
    for (const { train, test, ...window } of result.windows) {
      const inside = await Promise.all(
        points.map(([fast, slow]) =>
          backtestByHand(program, { strategy_yaml: smaCross(fast, slow), spread_bps, ...train }),
        ),
      )
      const scores = inside.map(({ sharpe }) => sharpe ?? Number.NEGATIVE_INFINITY)
      const best = Math.max(...scores)
      const [fast, slow] = points[scores.indexOf(best)] ?? [0, 0]
      expect(window.in_sample).toBe(best)
      expect(window.values).toEqual({ 'indicators.fast.period': fast, 'indicators.slow.period': slow })
      const outside = await backtestByHand(program, {
        ...{ strategy_yaml: smaCross(fast, slow), spread_bps, ...test },
      })
      expect(window).toMatchObject({
        trials: 4,
        out_of_sample: outside.sharpe,
        efficiency: best > 0 && outside.sharpe !== null ? outside.sharpe / best : null,
        test_return_fraction: outside.total_return_fraction,
        test_trades: outside.trades,
      })
    }
  })

  test('joins the tests: every window goes on with what the one before left', async () => {
    const { time = [], equity = [] } = await columns('curves')
    let product = 1
    for (const { test, test_return_fraction } of result.windows) {
      product *= 1 + (test_return_fraction ?? Number.NaN)
      const end = Date.parse(test.end ?? '')
      const last = equity[time.findLastIndex(moment => (moment ?? 0) <= end)]
      expect((last ?? Number.NaN) / (100_000 * product)).toBeCloseTo(1, 12)
    }
    expect(result.out_of_sample.return_fraction).toBeCloseTo(product - 1, 12)
    let [peak, deepest] = [100_000, 0]
    for (const value of equity) {
      peak = Math.max(peak, value ?? Number.NaN)
      deepest = Math.max(deepest, 1 - (value ?? Number.NaN) / peak)
    }
    expect(result.out_of_sample.max_drawdown_fraction).toBeCloseTo(deepest, 12)
    const moments = time.map(moment => moment ?? Number.NaN)
    expect(moments).toEqual([...new Set(moments)].sort((a, b) => a - b))
    const inTest = (moment: number) =>
      result.windows.some(
        ({ test }) => moment > Date.parse(test.start ?? '') && moment <= Date.parse(test.end ?? ''),
      )
    expect(moments.filter(moment => !inTest(moment))).toEqual([])
  })

  test('counts over all windows, and warns of what the counts say', async () => {
    const { windows, out_of_sample, changed_winners, median_efficiency, warnings } = result
    const sum = (of: (window: Result['windows'][number]) => number) =>
      windows.reduce((total, window) => total + of(window), 0)
    expect(out_of_sample).toMatchObject({
      windows: 4,
      trades: sum(({ test_trades }) => test_trades ?? 0),
      winning_windows: sum(({ test_return_fraction }) => ((test_return_fraction ?? 0) > 0 ? 1 : 0)),
    })
    const texts = windows.map(({ values }) => JSON.stringify(values))
    expect(changed_winners).toBe(texts.filter((text, i) => i > 0 && text !== texts[i - 1]).length)
    const known = windows.flatMap(({ efficiency }) => efficiency ?? []).sort((a, b) => a - b)
    const middle = [
      known[Math.floor((known.length - 1) / 2)],
      known[Math.ceil((known.length - 1) / 2)],
    ] as number[]
    expect(median_efficiency).toBeCloseTo(((middle[0] ?? 0) + (middle[1] ?? 0)) / 2, 12)
    expect(warnings.join()).toContain(`only ${out_of_sample.trades} trades`)
    const trials = await columns('trials')
    expect(trials.window).toEqual([0, 1, 2, 3].flatMap(window => Array<number>(4).fill(window)))
    const table = await columns('windows')
    expect(table.test_return_fraction).toEqual(windows.map(window => window.test_return_fraction))
  })
})

test('anchored windows grow, and an objective of which less is better is made small', async () => {
  const params = { ...small, anchored: true, objective: 'max_drawdown_fraction' }
  const { windows, direction } = (await complete(program, 'walk_forward', params)).result as Result
  expect(direction).toBe('minimise')
  expect(new Set(windows.map(({ train }) => train.start)).size).toBe(1)
  const [first] = windows
  const drawdowns = await Promise.all(
    points.map(async ([fast, slow]) => {
      const backtest = { ...small.backtest, strategy: undefined, strategy_yaml: smaCross(fast, slow) }
      return (await backtestByHand(program, { ...backtest, ...first?.train })).max_drawdown_fraction
    }),
  )
  expect(first?.in_sample).toBe(Math.min(...drawdowns.map(value => value ?? Number.NaN)))
})

test('windows in which nothing trades enough are not traded, and that is said', async () => {
  const params = { ...small, minimum_trades: 10_000 }
  const { result } = await complete(program, 'walk_forward', params)
  expect(result).toMatchObject({
    out_of_sample: { windows: 0, return_fraction: 0, sharpe: null, max_drawdown_fraction: 0, trades: 0 },
    median_efficiency: null,
  })
  const { windows, warnings } = result as Result
  expect(windows.map(({ values, out_of_sample }) => [values, out_of_sample])).toEqual(
    windows.map(() => [null, null]),
  )
  expect(warnings.join()).toContain('4 of 4 windows had no trial with a score')
})

test('windows without bars are left out, and that is said when it is asked for', async () => {
  const backtest = { strategy: 'sma_cross', start: '2018-04-01', end: '2018-05-12' }
  const params = { ...small, backtest, train_days: 6, test_days: 1, purge_days: 0, embargo_days: 0 }
  const traded = { minimum_trades: 0, objective: 'total_return_fraction' }
  const done = await complete(program, 'walk_forward', { ...params, ...traded })
  // Of the 35 days from Saturday 7 April on, ten are of weekends.
  expect(done.warnings.join()).toContain(
    '10 of 35 windows, first window 0, have no bars to train or to test on',
  )
  const { windows, out_of_sample } = done.result as Result
  expect([windows.length, out_of_sample.windows]).toEqual([35, 25])
  expect(windows.map(({ test_trades }) => test_trades === null).slice(0, 8)).toEqual(
    [true, true, false, false, false, false, false, true], // Saturday to Saturday
  )
})

test('what is tested is the best of all batches that a window is searched in', async () => {
  const wide = [
    { path: 'indicators.fast.period', min: 2, max: 12, integer: true },
    { path: 'indicators.slow.period', min: 20, max: 29, integer: true },
  ]
  const done = await complete(program, 'walk_forward', { ...small, space: wide })
  // 110 points are two batches of each of four windows.
  expect(done.children?.total).toBe(10)
  const { windows } = done.result as Result
  const bests = await readColumns(program, done, 'trials')
  for (const { index, values, in_sample, test, out_of_sample, test_return_fraction } of windows) {
    const sharpes = (bests.sharpe ?? []).filter((_, row) => bests.window?.[row] === index)
    expect(in_sample).toBe(Math.max(...sharpes.map(value => value ?? Number.NEGATIVE_INFINITY)))
    const periods = [values?.['indicators.fast.period'], values?.['indicators.slow.period']].map(Number)
    const outside = await backtestByHand(program, {
      ...{ strategy_yaml: smaCross(periods[0] ?? 0, periods[1] ?? 0), spread_bps: 2, ...test },
    })
    expect([out_of_sample, test_return_fraction]).toEqual([outside.sharpe, outside.total_return_fraction])
  }
})

test('a hypercube that constraints make smaller keeps to its windows', async () => {
  const params = {
    ...{ ...small, method: 'latin_hypercube', trials: 110 },
    space: [
      { path: 'indicators.fast.period', min: 2, max: 12, integer: true },
      { path: 'indicators.slow.period', min: 3, max: 14, integer: true },
    ],
    constraints: ['indicators.fast.period < indicators.slow.period'],
  }
  const done = await complete(program, 'walk_forward', params)
  const { windows } = done.result as Result
  // 77 of 132 points are allowed: one batch of each window, where 110 trials would be two.
  expect(done.children?.total).toBe(6)
  const { window, index, sharpe } = await readColumns(program, done, 'trials')
  for (const { trials, in_sample, index: of } of windows) {
    expect(trials).toBeGreaterThan(10)
    const inWindow = (sharpe ?? []).filter((_, row) => window?.[row] === of)
    expect((index ?? []).filter((_, row) => window?.[row] === of)).toEqual(inWindow.map((_, i) => i))
    expect(in_sample).toBe(Math.max(...inWindow.map(value => value ?? Number.NEGATIVE_INFINITY)))
  }
})

describe('markets of all kinds', () => {
  let markets: Program
  beforeAll(async () => {
    markets = program
    await storeWalks(markets)
  })

  test.each<[string, object]>([
    ['a portfolio', { symbols: ['EURUSD', 'BTC-USD'], timeframe: '1d', max_positions: 1 }],
    [
      'finer bars inside',
      { symbol: 'EURUSD', timeframe: '1d', units: 'fractional', engine: { intrabar_timeframe: '1h' } },
    ],
    ['backtesting.py', { symbol: 'AAPL', slippage_bps: 0, engine: { compat: 'backtesting_py' } }],
  ])('%s: windows are what backtests by hand are', async (_name, market) => {
    const backtest = { strategy_yaml: smaCross(3, 9), ...market }
    const params = {
      ...{ backtest, space: [{ path: 'indicators.fast.period', values: [3, 4] }] },
      ...{ train_days: 80, test_days: 60, minimum_trades: 0, objective: 'total_return_fraction' },
    }
    const { result } = await complete(markets, 'walk_forward', params)
    const [first] = (result as Result).windows
    expect(first?.test_trades).toBeGreaterThan(0)
    const period = Number(first?.values?.['indicators.fast.period'])
    const inside = { ...backtest, strategy_yaml: smaCross(period, 9), ...first?.train }
    expect((await backtestByHand(markets, inside)).total_return_fraction).toBe(first?.in_sample)
    const outside = { ...backtest, strategy_yaml: smaCross(period, 9), ...first?.test }
    const { total_return_fraction, trades } = await backtestByHand(markets, outside)
    expect([first?.out_of_sample, first?.test_trades]).toEqual([total_return_fraction, trades])
  })
})

test('a dry run says how many children there would be, and starts nothing', async () => {
  const body = { type: 'walk_forward', params: small }
  const { status, body: plan } = await program.request('POST', '/api/v1/operations?dry_run=true', { body })
  expect(status).toBe(200)
  // Four windows of one batch each, the tests, the report.
  expect(plan).toMatchObject({ dry_run: true, steps: { total: 6, unit: 'child' }, params: { trials: 4 } })
})

describe('what cannot be walked is refused by its place', () => {
  const many = { path: 'indicators.slow.period', min: 20, max: 2019, integer: true }
  const short = { ...small.backtest, start: '2018-01-01' }
  test.each<[object, RegExp, string]>([
    [{ backtest: short }, /too short for one training window/, '/body/params/train_days'],
    [{ train_days: 30, test_days: 0.5 }, /more than 200 windows/, '/body/params/test_days'],
    [{ space: [space[0], many] }, /4 windows of 4000 trials are 16000/, '/body/params/trials'],
    [{ space: [{ path: 'indicators.fast.size', values: [1] }] }, /size/, '/body/params/space/0/path'],
    [{ space: [{ path: 'indicators.fast.period' }] }, /give either values/, '/body/params/space/0'],
    [{ backtest: { strategy: 'nosuch' } }, /nosuch/, '/body/params/backtest/strategy'],
    [{ backtest: { strategy_yaml: 'name: x' } }, /missing|required/, '/decisions'],
    [{ backtest: { strategy: 'sma_cross', start: '2031-01-01' } }, /no bars/, '/body/params/backtest/start'],
    [{ constraints: ['fast <'] }, /./, '/body/params/constraints/0'],
    [
      { backtest: { strategy: 'sma_cross', start: '2018-05-05', end: '2018-05-07' }, train_days: 0.5 },
      /./,
      '/body/params/backtest/start',
    ],
  ])('%j', async (part, message, pointer) => {
    const { status, detail, pointers } = await refusalOf(program, 'walk_forward', { ...small, ...part })
    expect([404, 422]).toContain(status)
    expect(detail).toMatch(message)
    expect(pointers).toContain(pointer)
  })
})
