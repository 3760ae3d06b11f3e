import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import {
  type BacktestInput,
  type MarketInput,
  RunBuffers,
  runBacktest,
  traceBacktest,
} from '../../src/backtest/engine.ts'
import type { EquityCurve } from '../../src/backtest/equity.ts'
import { truncateBars } from '../../src/market/bars.ts'
import { decisions, freeConfig, marketOf } from '../fixtures/backtest.ts'
import { anyPortfolio, anyRough, anyRun, anySingle } from '../fixtures/backtest-inputs.ts'
import { anyBars } from '../fixtures/bars.ts'
import { firstDifference } from '../fixtures/run-difference.ts'

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
const last = (curve: EquityCurve) => curve.equity[curve.length - 1] ?? Number.NaN

test('memory of a run before changes nothing', () => {
  const reuse = new RunBuffers()
  fc.assert(
    fc.property(anyRun, input => {
      expect(firstDifference(runBacktest({ ...input, reuse }), runBacktest(input))).toBeNull()
      const { orders } = runBacktest({ ...input, reuse, keepOrders: false })
      expect(orders.length).toBe(0)
    }),
  )
})

describe('the money', () => {
  test('is cash and positions at every close, and the exposure is what is held of it', () => {
    fc.assert(
      fc.property(anyRun, input => {
        const { equity: curve } = runBacktest(input)
        const scale = Math.max(input.config.initial_capital, ...curve.cash.map(Math.abs))
        const wrong = curve.equity.findIndex((equity, p) => {
          const [cash, value, exposure] = [
            curve.cash[p] ?? 0,
            curve.position_value[p] ?? 0,
            curve.exposure_fraction[p] ?? 0,
          ]
          const isExposed = equity <= 0 || exposure >= (Math.abs(value) / equity) * (1 - 1e-9)
          return Math.abs(cash + value - equity) > 1e-9 * scale || !isExposed
        })
        expect(wrong).toBe(-1)
      }),
    )
  })

  test('that trades made is the change of the equity, and every cost belongs to a trade and to an order', () => {
    fc.assert(
      fc.property(anyRun, input => {
        const run = runBacktest(input)
        const { trades, orders, open_trades, equity } = run
        const open = (name: 'net_pnl' | 'commission' | 'spread' | 'slippage' | 'borrow' | 'funding') =>
          open_trades.reduce((total, trade) => total + trade[name], 0)
        const scale = Math.max(
          input.config.initial_capital,
          ...equity.equity.map(Math.abs),
          run.commission_total,
        )
        const near = (actual: number, expected: number) =>
          expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * scale)
        near(input.config.initial_capital + sum(trades.net_pnl) + open('net_pnl'), last(equity))
        for (const name of ['commission', 'spread', 'slippage', 'borrow', 'funding'] as const)
          near(sum(trades[name]) + open(name), run[`${name}_total`])
        for (const name of ['commission', 'spread', 'slippage'] as const)
          near(sum(orders[name]), run[`${name}_total`])
      }),
      { numRuns: 300 },
    )
  })

  test('of a portfolio that buys without leverage is never borrowed', () => {
    const longOnly = ({ signals, ...market }: MarketInput): MarketInput => ({
      ...market,
      signals: { ...signals, enter_short: new Uint8Array(market.bars.length) },
    })
    fc.assert(
      fc.property(anyPortfolio, ({ markets: [a, b, c], config, plan }) => {
        const { equity } = runBacktest({
          markets: [longOnly(a), longOnly(b), longOnly(c)],
          config: { ...config, leverage: 1, commission_min: 0, commission_fixed: 0, commission_per_unit: 0 },
          plan,
        })
        expect(Math.min(...equity.cash)).toBeGreaterThanOrEqual(-1e-9 * config.initial_capital)
      }),
    )
  })
})

test.each([
  ['as any', anyRun],
  ['with rough ticks, thin bars and finer bars that disagree', anyRough],
])('no fill is outside the range of its bar, %s', (_name, any: fc.Arbitrary<BacktestInput>) => {
  fc.assert(
    fc.property(any, input => {
      // Filled in parts, a price is an average over bars.
      const config = { ...input.config, volume_share: null }
      const run = runBacktest({ ...input, config })
      const bars = new Map(input.markets.map(market => [market.symbol, market.bars]))
      const isOutside = (symbol: string, time: number, price: number) => {
        const of = bars.get(symbol)
        if (of === undefined) return true
        const opened = of.time.indexOf(time)
        if (opened >= 0) return price !== of.open[opened]
        const i = of.close_time.indexOf(time)
        return !(price >= (of.low[i] ?? Number.NaN) && price <= (of.high[i] ?? Number.NaN))
      }
      const { symbol, entry_time, entry_price, exit_time, exit_price, exit_reason } = run.trades
      const outside = symbol.filter((name, i) => {
        if (isOutside(name, entry_time[i] ?? 0, entry_price[i] ?? 0)) return true
        // What ruins an account closes markets that have no bar at that moment at their last close.
        const isForced = ['ruin', 'liquidation', 'end_of_data'].includes(exit_reason[i] ?? '')
        return !isForced && isOutside(name, exit_time[i] ?? 0, exit_price[i] ?? 0)
      })
      expect(outside).toEqual([])
    }),
    { numRuns: 300 },
  )
})

describe('stop, margin and volume together', () => {
  test('a target is a profit before costs, and every trade has its stop and target on their sides', () => {
    let targets = 0
    fc.assert(
      fc.property(anyRough, input => {
        const { trades } = runBacktest({ ...input, config: { ...input.config, volume_share: null } })
        const wrong = trades.exit_reason.filter((reason, i) => {
          const sign = trades.side[i] === 'long' ? 1 : -1
          const entry = trades.entry_price[i] ?? 0
          if (reason === 'target') targets++
          return (
            (reason === 'target' && !((trades.gross_pnl[i] ?? 0) > 0)) ||
            sign * ((trades.target_price[i] ?? 0) - entry) <= 0 ||
            sign * ((trades.stop_price[i] ?? 0) - entry) >= 0
          )
        })
        expect(wrong).toEqual([])
      }),
      { numRuns: 300 },
    )
    expect(targets).toBeGreaterThan(0)
  })

  test('nothing is held below the margin after a bar, whatever stop waits for volume', () => {
    fc.assert(
      fc.property(anyRough, input => {
        const { equity: curve } = runBacktest({ ...input, config: { ...input.config, fill_on: 'next_open' } })
        const margin = input.config.maintenance_margin_fraction
        const below = Array.from(curve.exposure_fraction).findIndex(
          exposure => Number.isNaN(exposure) || (exposure > 0 && 1 / exposure < margin * (1 - 1e-9)),
        )
        expect(below).toBe(-1)
      }),
      { numRuns: 300 },
    )
  })

  test('passing quiet bars changes nothing, and the money adds up', () => {
    fc.assert(
      fc.property(anyRough, input => {
        const run = runBacktest(input)
        expect(firstDifference(run, traceBacktest(input, false))).toBeNull()
        const open = run.open_trades.reduce((total, trade) => total + trade.net_pnl, 0)
        const scale = Math.max(input.config.initial_capital, ...run.equity.equity.map(Math.abs))
        const made = input.config.initial_capital + sum(run.trades.net_pnl) + open
        expect(Math.abs(made - last(run.equity))).toBeLessThanOrEqual(1e-9 * scale)
      }),
      { numRuns: 200 },
    )
  })
})

test('a market trades as it does alone beside another that does nothing', () => {
  fc.assert(
    fc.property(anySingle, ({ markets: [market], config, plan }) => {
      const idle = { ...market, symbol: 'B', signals: decisions(market.bars.length, {}) }
      const alone = runBacktest({ markets: [market], config, plan })
      expect(firstDifference(runBacktest({ markets: [market, idle], config, plan }), alone)).toBeNull()
    }),
  )
})

test('deleting the bars after T changes nothing up to T', () => {
  fc.assert(
    fc.property(anyPortfolio, fc.nat(90), ({ markets, config: given, plan }, cut) => {
      const config = { ...given, close_open_trades: false }
      const length = 6 + (cut % 40)
      const known = ([a, b, c]: typeof markets): BacktestInput['markets'] => {
        const part = (market: MarketInput) => ({ ...market, bars: truncateBars(market.bars, length) })
        return [part(a), part(b), part(c)]
      }
      const whole = runBacktest({ markets, config, plan })
      const before = runBacktest({ markets: known(markets), config, plan })
      const endMs = before.equity.time[before.equity.length - 1] ?? 0
      expect(before.equity.equity).toEqual(whole.equity.equity.subarray(0, before.equity.length))
      expect(before.trades.length).toBe(whole.trades.exit_time.filter(time => time <= endMs).length)
      for (const name of ['net_pnl', 'entry_price', 'exit_price', 'units', 'bars_held'] as const)
        expect(before.trades[name]).toEqual(whole.trades[name].subarray(0, before.trades.length))
    }),
    { numRuns: 200 },
  )
})

/** Ten units a trade and so much money that nothing is bounded by it: the same fills whatever they cost. */
const rich: Partial<BacktestConfig> = {
  initial_capital: 1e9,
  sizing: { mode: 'units', units: 10 },
  lot_size: null,
  leverage: 1,
  max_positions: null,
  maintenance_margin_fraction: 0,
}
const costNames = [
  'commission_rate',
  'commission_fixed',
  'commission_per_unit',
  'commission_min',
  'spread_bps',
  'slippage_bps',
  'borrow_rate_annual',
] as const

test('the same fills at a higher cost of any kind never leave more money, at any close', () => {
  fc.assert(
    fc.property(
      anyRun,
      fc.constantFrom(...costNames),
      fc.double({ min: 0, max: 0.05, noNaN: true }),
      (input, name, more) => {
        const config = { ...input.config, ...rich, commission_tiers: [] }
        const cheap = runBacktest({ ...input, config })
        const dear = runBacktest({ ...input, config: { ...config, [name]: config[name] + more } })
        expect(dear.trades.gross_pnl).toEqual(cheap.trades.gross_pnl)
        const better = dear.equity.equity.findIndex(
          (equity, p) => equity > (cheap.equity.equity[p] ?? 0) + 1e-6,
        )
        expect(better).toBe(-1)
      },
    ),
    { numRuns: 200 },
  )
})

test('one trade entered at the market ends worst by the pessimistic mode and best by the optimistic one', () => {
  const once = anyBars(3, 60).chain(bars =>
    fc
      .tuple(fc.boolean(), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
      .map(([isLong, stop, target]) =>
        marketOf(
          bars,
          decisions(bars.length, { [isLong ? 'enter_long' : 'enter_short']: [0], stop, target }),
        ),
      ),
  )
  fc.assert(
    fc.property(once, fc.boolean(), (market, trailing_stop) => {
      const plan = { entry: 'market', good_till: 'cancel', trailing_stop, max_bars: null } as const
      const end = (intrabar: BacktestConfig['intrabar']) =>
        last(
          runBacktest({
            markets: [market],
            config: { ...freeConfig, intrabar, close_open_trades: true },
            plan,
          }).equity,
        )
      const [worst, best] = [end('pessimistic'), end('optimistic')]
      for (const mode of ['ohlc', 'adaptive'] as const) {
        expect(end(mode)).toBeGreaterThanOrEqual(worst)
        expect(end(mode)).toBeLessThanOrEqual(best)
      }
    }),
    { numRuns: 300 },
  )
})
