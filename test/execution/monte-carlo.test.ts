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

type Result = components['schemas']['MonteCarloResult']
type Distribution = components['schemas']['Distribution']

let program: Program
beforeAll(async () => {
  program = await startWithApple()
})
afterAll(stopPrograms)

const backtest = { strategy: 'sma_cross', spread_bps: 4, volume_share: { limit_fraction: 0.1, impact: 0.1 } }
const small = { backtest, trade_simulations: 500, bar_simulations: 60, block_bars: 30 }

const quantiles = ({ p05, p25, p50, p75, p95 }: Distribution) => [p05, p25, p50, p75, p95]

/** Linear between neighbours. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN]
  return low + (place - Math.floor(place)) * (high - low)
}

describe('a simulation', () => {
  let result: Result
  let columns: Record<string, (number | null)[]>
  beforeAll(async () => {
    const done = await complete(program, 'monte_carlo', small)
    result = done.result as Result
    columns = await readColumns(program, done, 'simulations')
  })

  test('starts from what the backtest by itself comes to', async () => {
    expect(result.base).toEqual(await backtestByHand(program, backtest))
  })

  test('multiplies all costs by each factor, as backtests with such costs by hand', async () => {
    expect(result.costs.map(({ factor }) => factor)).toEqual([0, 1, 2, 3])
    for (const { factor, ...cost } of result.costs) {
      const metrics = await backtestByHand(program, {
        ...{ strategy: 'sma_cross', spread_bps: 4 * factor, commission_rate: 0.001 * factor },
        ...{ slippage_bps: 5 * factor, volume_share: { limit_fraction: 0.1, impact: 0.1 * factor } },
      })
      const { total_return_fraction, sharpe, max_drawdown_fraction, trades } = metrics
      expect(cost).toEqual({ total_return_fraction, sharpe, max_drawdown_fraction, trades })
    }
    const [free, once] = result.costs
    expect(once?.total_return_fraction).toBe(result.base.total_return_fraction)
    expect(free?.total_return_fraction).toBeGreaterThan(once?.total_return_fraction ?? Number.NaN)
    expect([columns.commission_total?.[1], columns.spread_total?.[1], columns.slippage_total?.[1]]).toEqual([
      0, 0, 0,
    ])
  })

  test('runs every other history, no two alike, and sums them up', () => {
    const histories = 5 // rows before them: the backtest and four factors
    expect(columns.index).toEqual(Array.from({ length: histories + 60 }, (_, i) => i))
    const returns = (columns.total_return_fraction ?? []).slice(histories).map(value => value ?? Number.NaN)
    expect(new Set(returns).size).toBe(60)
    const { bars, base } = result
    expect(bars?.runs).toBe(60)
    if (bars === null) return
    const expected = [0.05, 0.25, 0.5, 0.75, 0.95].map(share => quantile(returns, share))
    for (const [i, value] of quantiles(bars.total_return_fraction).entries())
      expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 12)
    const mean = returns.reduce((sum, value) => sum + value, 0) / 60
    expect(bars.total_return_fraction.mean).toBeCloseTo(mean, 12)
    expect(bars.loss_probability_fraction).toBe(returns.filter(value => value < 0).length / 60)
    const asGood = returns.filter(value => value >= (base.total_return_fraction ?? Number.NaN)).length
    expect(bars.as_good_probability_fraction).toBe(asGood / 60)
    // Buying and holding gains something else in every history too: it is the bars that differ.
    expect(new Set(columns.buy_and_hold_return_fraction?.slice(histories)).size).toBe(60)
    expect(new Set(columns.buy_and_hold_return_fraction?.slice(0, histories)).size).toBe(1)
  })

  test('draws and shuffles the trades of the backtest', () => {
    const { trades, base, bars } = result
    expect(trades?.runs).toBe(500)
    if (trades === null || bars === null) throw new Error('nothing was simulated')
    for (const one of [...Object.values(trades), ...Object.values(bars)]) {
      if (typeof one !== 'object' || one === null) continue
      expect(quantiles(one)).toEqual([...quantiles(one)].sort((a, b) => a - b))
      expect(one.p95).toBeGreaterThan(one.p05)
    }
    const { mean, p05, p95 } = trades.resampled_final_equity
    const final = base.final_equity ?? Number.NaN
    expect(final).toBeGreaterThan(p05)
    expect(final).toBeLessThan(p95)
    // As many draws of the same trades come on average to the same end: within four standard errors.
    expect(Math.abs(mean - final)).toBeLessThan((4 * (p95 - p05)) / 3.29 / Math.sqrt(500))
    expect(trades.loss_probability_fraction).toBeGreaterThan(0)
    expect(trades.loss_probability_fraction).toBeLessThan(0.5)
  })
})

test('where the return falls to 0 is said between two factors, and warned of when it is near', async () => {
  const params = {
    ...{ backtest: { strategy: 'sma_cross' }, trade_simulations: 0, bar_simulations: 0 },
    cost_factors: [20, 1, 12, 4],
  }
  const { costs, break_even_cost_factor, trades, bars } = (await complete(program, 'monte_carlo', params))
    .result as Result
  expect([trades, bars]).toEqual([null, null])
  const returns = new Map(costs.map(cost => [cost.factor, cost.total_return_fraction ?? Number.NaN]))
  const [before, behind] = [4, 12]
  const [gain, loss] = [returns.get(before) ?? 0, returns.get(behind) ?? 0]
  expect([gain > 0, loss < 0]).toEqual([true, true])
  expect(break_even_cost_factor).toBeCloseTo(before + ((behind - before) * gain) / (gain - loss), 12)

  const dear = {
    ...params,
    backtest: { strategy: 'sma_cross', commission_rate: 0.007 },
    cost_factors: [0, 2],
  }
  const { result } = await complete(program, 'monte_carlo', dear)
  expect((result as Result).break_even_cost_factor).toBeLessThan(2)
  expect((result as Result).warnings.join()).toMatch(/Nothing is earned any more at 1\.\d\d times the costs/)
})

test('another seed gives other histories and draws, and other blocks other histories', async () => {
  const run = async (more: object) =>
    (await complete(program, 'monte_carlo', { ...small, cost_factors: [], ...more })).result as Result
  const [one, seeded, longer] = [await run({}), await run({ seed: 2 }), await run({ block_bars: 200 })]
  expect(one.costs).toEqual([])
  expect(one.base).toEqual(seeded.base)
  expect(seeded.bars).not.toEqual(one.bars)
  expect(seeded.trades).not.toEqual(one.trades)
  expect(longer.bars).not.toEqual(one.bars)
  expect(longer.trades).toEqual(one.trades)
})

test('without trades there is nothing to shuffle, and that is said', async () => {
  const still = { strategy_yaml: smaCross(200, 201), start: '2018-01-01', end: '2018-01-20' }
  const { result } = await complete(program, 'monte_carlo', { ...small, backtest: still })
  expect(result).toMatchObject({ trades: null, break_even_cost_factor: null, base: { trades: 0 } })
  expect((result as Result).warnings.join()).toContain('no trades to shuffle')
})

describe('markets of all kinds', () => {
  beforeAll(() => storeWalks(program))

  test.each<[string, object, RegExp | null]>([
    [
      'a portfolio',
      { symbols: ['EURUSD', 'BTC-USD'], timeframe: '1d', max_positions: 1 },
      /symbols move together/,
    ],
    [
      'finer bars inside',
      { symbol: 'EURUSD', timeframe: '1d', units: 'fractional', engine: { intrabar_timeframe: '1h' } },
      /no bars of 1h: intrabar 'pessimistic' holds/,
    ],
    ['backtesting.py', { symbol: 'AAPL', slippage_bps: 0, engine: { compat: 'backtesting_py' } }, null],
  ])('%s: it is simulated, and what cannot be is said', async (_name, market, warning) => {
    const backtest = { strategy_yaml: smaCross(3, 9), ...market }
    const done = await complete(program, 'monte_carlo', { ...small, backtest, bar_simulations: 10 })
    if (warning === null) expect(done.warnings).toEqual([])
    else expect(done.warnings.join()).toMatch(warning)
    const { base, bars, costs } = done.result as Result
    expect(base).toEqual(await backtestByHand(program, backtest))
    expect(base.trades).toBeGreaterThan(3)
    expect(bars?.runs).toBe(10)
    const [free, once, twice] = costs.map(({ total_return_fraction: value }) => value ?? Number.NaN)
    expect(once).toBe(base.total_return_fraction)
    expect(free).toBeGreaterThan(once ?? Number.NaN)
    expect(once).toBeGreaterThan(twice ?? Number.NaN)
  })
})

test('a dry run says how many children there would be, and starts nothing', async () => {
  const body = { type: 'monte_carlo', params: small }
  const { status, body: plan } = await program.request('POST', '/api/v1/operations?dry_run=true', { body })
  expect(status).toBe(200)
  // The backtest with its costs, 60 histories in threes of 25 at most, the report.
  expect(plan).toMatchObject({ dry_run: true, steps: { total: 5, unit: 'child' } })
})

describe('what cannot be simulated is refused by its place', () => {
  const nothing = { trade_simulations: 0, bar_simulations: 0, cost_factors: [] }
  test.each<[object, RegExp, string]>([
    [nothing, /nothing is asked for/, '/body/params/trade_simulations'],
    [{ backtest: { strategy: 'nosuch' } }, /nosuch/, '/body/params/backtest/strategy'],
    [{ backtest: { strategy: 'sma_cross', start: '2031-01-01' } }, /no bars/, '/body/params/backtest/start'],
    [{ backtest: { strategy_yaml: 'name: x' } }, /missing|required/, '/decisions'],
    [{ bar_simulations: 2_001 }, /2000/, '/body/params/bar_simulations'],
    [{ cost_factors: [1, 1] }, /./, '/body/params/cost_factors'],
    [
      { backtest: { strategy: 'sma_cross', start: '2016-01-01', end: '2015-01-01' } },
      /must be before/,
      '/body/params/backtest/start',
    ],
  ])('%j', async (part, message, pointer) => {
    const { status, detail, pointers } = await refusalOf(program, 'monte_carlo', { ...small, ...part })
    expect([400, 404, 422]).toContain(status)
    expect(detail).toMatch(message)
    expect(pointers).toContain(pointer)
  })
})
