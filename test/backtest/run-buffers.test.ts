import { expect, test } from '@jest/globals'
import { RunBuffers, runBacktest } from '../../src/backtest/engine.ts'
import { SignalColumns } from '../../src/strategy/signal-columns.ts'
import { freeConfig, marketOf, signalsAt } from '../fixtures/backtest.ts'
import { walkOf } from '../fixtures/walks.ts'

const bars = walkOf(5, 1_500)

/** In at one bar and out at the next, so that the list of trades has to grow. */
const barsOf = (remainder: number) => Array.from(bars.close, (_, i) => i).filter(i => i % 2 === remainder)

const input = {
  markets: [marketOf(bars, signalsAt(bars.length, barsOf(0), barsOf(1)))],
  config: freeConfig,
  keepOrders: false,
} as const

test('memory that is given back is empty at once, and a run in it afterwards is the same', () => {
  const fresh = runBacktest(input)
  const reuse = new RunBuffers()
  const { trades, equity } = runBacktest({ ...input, reuse })
  expect(trades.length).toBeGreaterThan(512)
  expect([trades.net_pnl, equity.equity]).toEqual([fresh.trades.net_pnl, fresh.equity.equity])
  reuse.release()
  expect([trades.net_pnl.length, trades.entry_time.length, equity.equity.length]).toEqual([0, 0, 0])
  const again = runBacktest({ ...input, reuse })
  expect([again.trades.net_pnl, again.equity.cash]).toEqual([fresh.trades.net_pnl, fresh.equity.cash])
})

test('columns of signals that are given back are empty, and the next ones are zero', () => {
  const columns = new SignalColumns()
  const [signal, distance] = [columns.signals('enter_long', 10).fill(1), columns.distances('stop', 10)]
  columns.release()
  expect([signal.length, distance.length]).toEqual([0, 0])
  expect([columns.signals('enter_long', 10), columns.distances('stop', 10).length]).toEqual([
    new Uint8Array(10),
    10,
  ])
})
