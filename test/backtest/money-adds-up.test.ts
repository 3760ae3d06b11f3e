import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import type { BacktestRun } from '../../src/backtest/engine.ts'
import { truncateBars } from '../../src/market/bars.ts'
import { anyConfig, anyExits, anySignals, runOne } from '../fixtures/backtest.ts'
import { anyBars } from '../fixtures/bars.ts'

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
const last = (values: Float64Array) => values.at(-1) ?? Number.NaN

/** Any bars with signals and a configuration to trade them by. */
const anyInput = anyBars(1, 150).chain(bars =>
  fc.record({
    bars: fc.constant(bars),
    signals: anySignals(bars.length),
    config: anyConfig,
    plan: anyExits,
  }),
)

function relativeError(actual: number, expected: number, scale: number): number {
  return Math.abs(actual - expected) / Math.max(Math.abs(scale), Math.abs(expected), 1e-300)
}

test('the profits of the trades are the change of the equity', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { trades, equity, open_trade } = runOne(input)
      const capital = input.config.initial_capital
      const explained = capital + sum(trades.net_pnl) + (open_trade?.net_pnl ?? 0)
      expect(relativeError(explained, last(equity.equity), capital)).toBeLessThan(1e-9)
    }),
    { numRuns: 300 },
  )
})

test('at every close the cash and the position are what the trades so far make of the capital', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { bars, config } = input
      const { trades, equity, open_trade } = runOne({
        ...input,
        config: { ...config, close_open_trades: false },
      })
      const held = Array.from({ length: trades.length }, (_, i) => ({
        entry: bars.time.indexOf(trades.entry_time[i] ?? 0),
        exit: bars.time.indexOf(trades.entry_time[i] ?? 0) + (trades.bars_held[i] ?? 0),
        units: (trades.units[i] ?? 0) * (trades.side[i] === 'long' ? 1 : -1),
        price: trades.entry_price[i] ?? 0,
        net: trades.net_pnl[i] ?? 0,
      }))
      if (open_trade !== null) {
        const { side, units, entry_price: price, net_pnl: net } = open_trade
        const entry = bars.time.indexOf(open_trade.entry_time)
        held.push({
          entry,
          exit: Number.POSITIVE_INFINITY,
          units: side === 'long' ? units : -units,
          price,
          net,
        })
      }
      for (let i = 0; i < bars.length; i++) {
        const close = bars.close[i] ?? 0
        const closed = held.filter(({ exit }) => exit <= i)
        const [open] = held.filter(({ entry, exit }) => entry <= i && exit > i)
        const [cash, value] = [equity.cash[i] ?? 0, equity.position_value[i] ?? 0]
        expect(value).toBe((open?.units ?? 0) * close)
        const entryCosts = open === undefined ? 0 : costOfEntry(open, config)
        const expected =
          config.initial_capital +
          closed.reduce((total, { net }) => total + net, 0) +
          (open === undefined ? 0 : open.units * (close - open.price) - entryCosts)
        expect(relativeError(cash + value, expected, config.initial_capital)).toBeLessThan(1e-9)
      }
    }),
  )
})

/** Slippage and commission of entering, told apart from the engine. */
function costOfEntry({ units, price }: { units: number; price: number }, config: BacktestConfig): number {
  const value = Math.abs(units) * price
  const slippage = (value * config.slippage_bps) / 10_000
  const traded = units > 0 ? value + slippage : value - slippage
  return slippage + traded * config.commission_rate + config.commission_fixed
}

test('every trade is its gross result less its own costs, and the costs add up', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { trades, open_trade, commission_total, slippage_total } = runOne(input)
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

test('no entry is worth more than the equity pays, and whole units are whole', () => {
  fc.assert(
    fc.property(anyInput, input => {
      const { trades, equity } = runOne(input)
      for (let i = 0; i < trades.length; i++) {
        const before = Math.max(
          0,
          trades.net_pnl.subarray(0, i).reduce((sum, net) => sum + net, input.config.initial_capital),
        )
        const value = (trades.units[i] ?? 0) * (trades.entry_price[i] ?? 0)
        expect(value).toBeLessThanOrEqual(before * (1 + 1e-9))
      }
      equity.position_value.forEach((value, i) => {
        if (value > 0) expect(equity.cash[i]).toBeGreaterThanOrEqual(0)
      })
      if (input.config.units === 'whole')
        for (const units of trades.units) expect(Number.isInteger(units)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('deleting the bars after T changes neither the equity nor the trades up to T', () => {
  fc.assert(
    fc.property(anyInput, fc.nat(150), (input, cut) => {
      const config = { ...input.config, close_open_trades: false }
      const length = 1 + (cut % input.bars.length)
      const whole = runOne({ ...input, config })
      const known = runOne({ ...input, config, bars: truncateBars(input.bars, length) })
      expect(known.equity.equity).toEqual(whole.equity.equity.subarray(0, length))
      for (const column of ['net_pnl', 'entry_price', 'exit_price', 'stop_price', 'bars_held'] as const)
        expect(known.trades[column]).toEqual(whole.trades[column].subarray(0, known.trades.length))
      expect(known.trades.exit_reason).toEqual(whole.trades.exit_reason.slice(0, known.trades.length))
      const exitBars = whole.trades.entry_time.map(
        (time, i) => input.bars.time.indexOf(time) + (whole.trades.bars_held[i] ?? 0),
      )
      expect(known.trades.length).toBe(exitBars.filter(bar => bar < length).length)
    }),
  )
})

test('the same input gives the same run', () => {
  const strip = ({ trades, equity, ...rest }: BacktestRun) => ({ ...trades, ...equity, ...rest })
  fc.assert(fc.property(anyInput, input => expect(strip(runOne(input))).toEqual(strip(runOne(input)))))
})
