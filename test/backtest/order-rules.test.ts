import { expect, test } from '@jest/globals'
import { freeConfig, runOne, signalsAt } from '../fixtures/backtest.ts'
import { barsOfCloses } from '../fixtures/bars.ts'

const bars = barsOfCloses([10, 10, 10, 20, 20, 20])

test('a decision at a close is filled at the next open, never at the price that caused it', () => {
  const { trades } = runOne({ bars, signals: signalsAt(6, [2], [3]), config: freeConfig })
  expect([...trades.entry_price]).toEqual([20])
  expect([...trades.net_pnl]).toEqual([0])
})

test('entering and leaving on the same bar while flat does nothing', () => {
  const run = runOne({ bars, signals: signalsAt(6, [1, 2], [1]), config: freeConfig })
  expect(run.open_trade?.entry_price).toBe(20)
})

test('entering and leaving on the same bar while long leaves', () => {
  const { trades, open_trade } = runOne({ bars, signals: signalsAt(6, [0, 2], [2]), config: freeConfig })
  expect([...trades.bars_held]).toEqual([2])
  expect(open_trade).toBeNull()
})

test('a position sold at an open is bought back at the next open at the earliest', () => {
  const all = [0, 1, 2, 3, 4, 5]
  const { trades } = runOne({ bars, signals: signalsAt(6, all, [1, 3]), config: freeConfig })
  const days = [...trades.exit_time].map(time => bars.time.indexOf(time))
  expect(days).toEqual([2, 4])
  expect([...trades.entry_time].map(time => bars.time.indexOf(time))).toEqual([1, 3])
})

test('an order decided at the last close is not filled, and that is reported', () => {
  const entry = runOne({ bars, signals: signalsAt(6, [5], []), config: freeConfig })
  expect([entry.unfilled_signals, entry.trades.length, entry.open_trade]).toEqual([1, 0, null])
  const exit = runOne({
    bars,
    signals: signalsAt(6, [0], [5]),
    config: { ...freeConfig, close_open_trades: true },
  })
  expect([exit.unfilled_signals, exit.trades.exit_reason]).toEqual([1, ['end_of_data']])
})

test('an entry that cannot pay for one whole unit is rejected, and the strategy may try again', () => {
  const config = { ...freeConfig, initial_capital: 19, units: 'whole' } as const
  const run = runOne({ bars, signals: signalsAt(6, [2, 3], []), config })
  expect([run.rejected_orders, run.open_trade]).toEqual([2, null])
})

test('an entry is rejected when the fixed commission takes everything', () => {
  const run = runOne({
    bars,
    signals: signalsAt(6, [0], []),
    config: { ...freeConfig, commission_fixed: 100 },
  })
  expect(run.rejected_orders).toBe(1)
})

test('bars before the requested range decide nothing and are not in the curve', () => {
  const run = runOne({ bars, signals: signalsAt(6, [0, 1, 4], []), config: freeConfig, from: 2 })
  expect(run.equity.length).toBe(4)
  expect(run.equity.time[0]).toBe(bars.close_time[2])
  expect(run.open_trade?.entry_time).toBe(bars.time[5])
})

test('a range without bars is refused', () => {
  expect(() => runOne({ bars, signals: signalsAt(6, [], []), config: freeConfig, from: 6 })).toThrow(
    /no bars/,
  )
})

test('the checkpoint is called every 1 024 bars and at the end, and may stop the run', () => {
  const many = barsOfCloses(Array.from({ length: 2500 }, () => 1))
  const seen: string[] = []
  const input = { bars: many, signals: signalsAt(2500, [], []), config: freeConfig }
  runOne({ ...input, checkpoint: (done, total) => seen.push(`${done}/${total}`) })
  expect(seen).toEqual(['1024/2500', '2048/2500', '2500/2500'])
  const stop = () => {
    throw new Error('stopped')
  }
  expect(() => runOne({ ...input, checkpoint: stop })).toThrow('stopped')
})
