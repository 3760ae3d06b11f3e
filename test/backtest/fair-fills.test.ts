import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BacktestConfig, plainPlan } from '../../src/backtest/backtest-config.ts'
import {
  anyConfig,
  anyExits,
  anyPlan,
  anySignals,
  constants,
  freeConfig,
  runOne,
  type SingleInput,
} from '../fixtures/backtest.ts'
import { anyBars, barsOf } from '../fixtures/bars.ts'

const anyInput = anyBars(2, 120).chain(bars =>
  fc.record({
    bars: fc.constant(bars),
    signals: anySignals(bars.length),
    config: anyConfig,
    plan: anyExits,
  }),
)

/** So much money that nothing is bounded by it, and the same units whatever trading costs. */
const rich = {
  ...freeConfig,
  initial_capital: 1e9,
  sizing: { mode: 'units', units: 8 },
  units: 'whole',
  close_open_trades: true,
} as const satisfies BacktestConfig

test('no fill is outside the range of its bar, and entries are filled at opens', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { bars } = input
      const { trades } = runOne(input)
      for (let i = 0; i < trades.length; i++) {
        const entered = bars.time.indexOf(trades.entry_time[i] ?? 0)
        expect(trades.entry_price[i]).toBe(bars.open[entered])
        const left = entered + (trades.bars_held[i] ?? 0)
        expect(trades.exit_price[i]).toBeGreaterThanOrEqual(bars.low[left] ?? Number.NaN)
        expect(trades.exit_price[i]).toBeLessThanOrEqual(bars.high[left] ?? Number.NaN)
        const time = trades.exit_time[i]
        if (time === bars.time[left]) expect(trades.exit_price[i]).toBe(bars.open[left])
        else expect(time).toBe(bars.close_time[left])
      }
    }),
    { numRuns: 300 },
  )
})

test('a stop is never filled at a better price than the stop, and a target never at a worse one', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { trades } = runOne({ ...input, plan: plainPlan })
      trades.exit_reason.forEach((reason, i) => {
        const sign = trades.side[i] === 'long' ? 1 : -1
        const exit = trades.exit_price[i] ?? 0
        if (reason === 'stop')
          expect(sign * exit).toBeLessThanOrEqual(sign * (trades.stop_price[i] ?? Number.NaN))
        if (reason === 'target')
          expect(sign * exit).toBeGreaterThanOrEqual(sign * (trades.target_price[i] ?? Number.NaN))
      })
    }),
    { numRuns: 300 },
  )
})

test('costs never improve a trade nor the result', () => {
  const costs = fc.record({
    commission_rate: fc.double({ min: 0, max: 0.1, noNaN: true }),
    commission_fixed: fc.double({ min: 0, max: 50, noNaN: true }),
    slippage_bps: fc.double({ min: 0, max: 500, noNaN: true }),
  })
  fc.assert(
    fc.property(anyInput, costs, (input, paid) => {
      const free = runOne({ ...input, config: rich })
      const costly = runOne({ ...input, config: { ...rich, ...paid } })
      expect(costly.trades.gross_pnl).toEqual(free.trades.gross_pnl)
      costly.trades.net_pnl.forEach((net, i) => {
        expect(net).toBeLessThanOrEqual(free.trades.net_pnl[i] ?? Number.NaN)
      })
      costly.equity.equity.forEach((equity, i) => {
        expect(equity).toBeLessThanOrEqual(free.equity.equity[i] ?? Number.NaN)
      })
    }),
  )
})

/** Bars of whole prices from 100 to 900, so that sums and differences are exact. */
const wholeBars = fc
  .array(fc.tuple(fc.integer({ min: 100, max: 900 }), fc.nat(60), fc.nat(60), fc.nat(1000)), {
    minLength: 2,
    maxLength: 80,
  })
  .map(rows =>
    barsOf(
      rows.map(([low, body, reach, cut]) => {
        const [high, open] = [low + body + reach, low + (cut % (body + 1))]
        return { open, high, low, close: low + body }
      }),
    ),
  )

/** The same path with up and down exchanged. */
function mirror({ bars, signals, ...rest }: SingleInput): SingleInput {
  const turned = Array.from({ length: bars.length }, (_, i) => ({
    open: 2000 - (bars.open[i] ?? 0),
    high: 2000 - (bars.low[i] ?? 0),
    low: 2000 - (bars.high[i] ?? 0),
    close: 2000 - (bars.close[i] ?? 0),
  }))
  const { enter_long, exit_long, enter_short, exit_short, ...distances } = signals
  return {
    ...rest,
    bars: barsOf(turned),
    signals: {
      enter_long: enter_short,
      exit_long: exit_short,
      enter_short: enter_long,
      exit_short: exit_long,
      ...distances,
    },
  }
}

test('a short earns on a path what a long earns on its mirror image, fill by fill', () => {
  const anyMirrored = wholeBars.chain(bars =>
    fc.record({
      bars: fc.constant(bars),
      signals: anySignals(bars.length),
      // A fixed commission is the one cost that does not depend on the price.
      // The modes that name the high or the low have no mirror image.
      config: fc.record({
        ...constants(rich),
        commission_fixed: fc.nat(50),
        intrabar: fc.constantFrom('pessimistic', 'optimistic'),
        fill_on: fc.constantFrom('next_open', 'close'),
      }),
      plan: anyPlan,
    }),
  )
  fc.assert(
    fc.property(anyMirrored, input => {
      const here = runOne(input)
      const there = runOne(mirror(input))
      for (const column of [
        'units',
        'gross_pnl',
        'net_pnl',
        'commission',
        'entry_time',
        'exit_time',
      ] as const)
        expect(there.trades[column]).toEqual(here.trades[column])
      for (const column of ['max_favourable_excursion', 'max_adverse_excursion', 'bars_held'] as const)
        expect(there.trades[column]).toEqual(here.trades[column])
      expect(there.trades.exit_reason).toEqual(here.trades.exit_reason)
      expect(there.trades.ambiguous).toEqual(here.trades.ambiguous)
      expect(there.trades.side).toEqual(here.trades.side.map(side => (side === 'long' ? 'short' : 'long')))
      expect(there.equity.equity).toEqual(here.equity.equity)
    }),
    { numRuns: 300 },
  )
})

test('an account is never worth less than nothing by more than a gap, and trades no more once it is ruined', () => {
  const volatile = fc
    .array(
      fc.tuple(fc.double({ min: 0.7, max: 1.6, noNaN: true }), fc.double({ min: 1, max: 1.9, noNaN: true })),
      {
        minLength: 3,
        maxLength: 60,
      },
    )
    .map(steps => {
      let close = 100
      return barsOf(
        steps.map(([move, reach]) => {
          const open = close
          close *= move
          return { open, close, high: Math.max(open, close) * reach, low: Math.min(open, close) / reach }
        }),
      )
    })
  const anyShort = volatile.chain(bars =>
    fc.record({
      bars: fc.constant(bars),
      signals: anySignals(bars.length),
      config: anyConfig.map(config => ({ ...config, commission_fixed: 0 })),
      plan: anyExits,
    }),
  )
  let ruins = 0
  fc.assert(
    fc.property(anyShort, input => {
      // Each bar opens at the close before it: there are no gaps, so nothing is ever owed.
      const { trades, equity } = runOne(input)
      const capital = input.config.initial_capital
      for (const value of equity.equity) expect(value).toBeGreaterThanOrEqual(-1e-9 * capital)
      const ruin = trades.exit_reason.indexOf('ruin')
      if (ruin < 0) return
      ruins++
      expect(ruin).toBe(trades.length - 1)
    }),
    { numRuns: 400 },
  )
  expect(ruins).toBeGreaterThan(0)
})
