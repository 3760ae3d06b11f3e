import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BacktestRun, runBacktest } from '../../src/backtest/engine.ts'
import { truncateBars } from '../../src/market/bars.ts'
import { anyConfig, anyExits, anySignals } from '../fixtures/backtest.ts'
import { anyBars } from '../fixtures/bars.ts'

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
const last = (values: Float64Array) => values.at(-1) ?? Number.NaN

/** Any bars with signals and a configuration to trade them by. */
const anyInput = anyBars(1, 150).chain(bars =>
  fc.record({
    bars: fc.constant(bars),
    signals: anySignals(bars.length),
    config: anyConfig,
    exits: anyExits,
  }),
)

function relativeError(actual: number, expected: number, scale: number): number {
  return Math.abs(actual - expected) / Math.max(Math.abs(scale), Math.abs(expected), 1e-300)
}

test('the profits of the trades are the change of the equity', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { trades, equity, open_trade } = runBacktest(input)
      const capital = input.config.initial_capital
      const explained = capital + sum(trades.net_pnl) + (open_trade?.net_pnl ?? 0)
      expect(relativeError(explained, last(equity.equity), capital)).toBeLessThan(1e-9)
    }),
    { numRuns: 300 },
  )
})

test('every trade is its gross result less its own costs, and the costs add up', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { trades, open_trade, commission_total, slippage_total } = runBacktest(input)
      for (let i = 0; i < trades.length; i++) {
        const [gross, commission, slippage] = [
          trades.gross_pnl[i] ?? 0,
          trades.commission[i] ?? 0,
          trades.slippage[i] ?? 0,
        ]
        expect(trades.net_pnl[i]).toBe(gross - commission - slippage)
        expect(trades.max_favourable_excursion[i]).toBeGreaterThanOrEqual(Math.max(0, gross * (1 - 1e-12)))
        expect(trades.max_adverse_excursion[i]).toBeGreaterThanOrEqual(Math.max(0, -gross * (1 - 1e-12)))
        expect(trades.exit_time[i]).toBeGreaterThan(trades.entry_time[i] ?? Number.NaN)
      }
      const capital = input.config.initial_capital
      expect(
        relativeError(sum(trades.commission) + (open_trade?.commission ?? 0), commission_total, capital),
      ).toBeLessThan(1e-9)
      expect(
        relativeError(sum(trades.slippage) + (open_trade?.slippage ?? 0), slippage_total, capital),
      ).toBeLessThan(1e-9)
    }),
  )
})

test('no purchase leaves a debt, and whole units are whole', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { cash, position_units } = runBacktest(input).equity
      position_units.forEach((units, i) => {
        if (units > 0) expect(cash[i]).toBeGreaterThanOrEqual(0)
        if (input.config.units === 'whole') expect(Number.isInteger(units)).toBe(true)
      })
    }),
    { numRuns: 300 },
  )
})

test('deleting the bars after T changes neither the equity nor the trades up to T', () => {
  fc.assert(
    fc.property(anyInput, fc.nat(150), (input, cut) => {
      const config = { ...input.config, close_open_trades: false }
      const length = 1 + (cut % input.bars.length)
      const whole = runBacktest({ ...input, config })
      const known = runBacktest({ ...input, config, bars: truncateBars(input.bars, length) })
      expect(known.equity.equity).toEqual(whole.equity.equity.subarray(0, length))
      expect(known.trades.net_pnl).toEqual(whole.trades.net_pnl.subarray(0, known.trades.length))
    }),
  )
})

test('the same input gives the same run', () => {
  const strip = ({ trades, equity, ...rest }: BacktestRun) => ({ ...trades, ...equity, ...rest })
  fc.assert(
    fc.property(anyInput, input => expect(strip(runBacktest(input))).toEqual(strip(runBacktest(input)))),
  )
})
