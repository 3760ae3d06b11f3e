import { expect, test } from '@jest/globals'
import { runBacktest } from '../../src/backtest/engine.ts'
import { findWarnings } from '../../src/backtest/warnings.ts'
import { dayMs } from '../../src/market/timeframe.ts'
import { decisions, freeConfig, marketOf } from '../fixtures/backtest.ts'
import { barsOfCloses, mondayMs } from '../fixtures/bars.ts'
import { contextOf, curveOf, measuredMarket, runOf, tradesOf } from '../fixtures/measured-run.ts'

const enough = tradesOf(new Array(10).fill({ pnl: 1 }))
const month = curveOf(new Array<number>(30).fill(100))
const paid = { commission_rate: 0.001 }

test('a run with enough of everything has no warnings', () => {
  expect(findWarnings(runOf(month, { trades: enough }), contextOf(30, { config: paid }))).toEqual([])
})

test('the gravest come first: ruin, liquidation, training, few trades, few days, free trading', () => {
  const run = runOf(curveOf([100, 100]), { trades: tradesOf([{ pnl: 1 }]), ruined: true, liquidations: 1 })
  const training_range = { start: mondayMs - dayMs, end: mondayMs + dayMs }
  expect(findWarnings(run, contextOf(2, { training_range }))).toEqual([
    'The account was ruined: nothing was left of the equity, and nothing was traded after that.',
    'Positions were liquidated once: the equity fell below the maintenance margin.',
    'The model was trained on part of this range, 2024-01-01T00:00:00.000Z to 2024-01-02T00:00:00.000Z: its results there say nothing about the future.',
    'There are only 1 closed trades: fewer than 10 say little about a strategy.',
    'The range is 2 days long: fewer than 14 say little about a strategy.',
    'Trading was free: commission, spread and slippage are zero.',
  ])
})

test('training that ends where the range begins is no overlap: ranges are half-open', () => {
  const run = runOf(month, { trades: enough })
  const before = { start: mondayMs - dayMs, end: mondayMs }
  const after = { start: mondayMs + 30 * dayMs, end: mondayMs + 60 * dayMs }
  for (const training_range of [before, after])
    expect(findWarnings(run, contextOf(30, { config: paid, training_range }))).toEqual([])
})

test.each([
  [{ commission_rate: 0.001 }, true],
  [{ commission_rate: 0.001, commission_tiers: [{ from_value: 0, rate: 0 }] }, false],
  [{ commission_tiers: [{ from_value: 0, rate: 0.002 }] }, true],
  [{ commission_per_unit: 0.01 }, true],
  [{ spread_bps: 1 }, true],
  [{ volume_share: { limit_fraction: 0.1, impact: 0 } }, false],
  [{ volume_share: { limit_fraction: 0.1, impact: 0.1 } }, true],
])('whether trading with %j cost something', (config, isPaid) => {
  const warnings = findWarnings(runOf(month, { trades: enough }), contextOf(30, { config }))
  expect(warnings.some(warning => warning.startsWith('Trading was free'))).toBe(!isPaid)
})

test('shorts without a borrow rate and leverage without interest are pointed out', () => {
  const shorts = runOf(month, { trades: tradesOf(new Array(10).fill({ pnl: 1, side: 'short' })) })
  const config = { ...paid, leverage: 2 }
  expect(findWarnings(shorts, contextOf(30, { config }))).toEqual([
    'Borrowing was free: the shorts cost nothing but their fills. borrow_rate_annual is zero.',
    'Leverage was free: borrowed cash bears no interest. funding_rate_annual is zero.',
  ])
  const priced = { ...config, borrow_rate_annual: 0.02, funding_rate_annual: 0.05 }
  expect(findWarnings(shorts, contextOf(30, { config: priced }))).toEqual([])
})

test('gaps are told per symbol, with the largest; those of closed markets are not gaps', () => {
  const gap = (symbol: string, day: number, missing_bars: number) => ({
    ...{ symbol, missing_bars },
    ...{ start: mondayMs + day * dayMs, end: mondayMs + (day + missing_bars) * dayMs },
  })
  const gaps = [gap('AAA', 1, 1), gap('AAA', 5, 3), gap('BBB', 2, 1), gap('CCC', 2, 0)]
  expect(findWarnings(runOf(month, { trades: enough }), contextOf(30, { config: paid, gaps }))).toEqual([
    '4 bars of AAA missing in the range, in 2 gaps; the largest is 2024-01-06T00:00:00.000Z to 2024-01-09T00:00:00.000Z.',
    '1 bar of BBB missing in the range: 2024-01-03T00:00:00.000Z to 2024-01-04T00:00:00.000Z.',
  ])
})

test('orders that came to nothing and doubtful fills are counted', () => {
  const trades = tradesOf(new Array(10).fill({ pnl: 1, ambiguous: true }))
  const run = runOf(month, {
    trades,
    rejected_orders: 3,
    unplaced_entries: 1,
    expired_orders: 4,
    reduced_orders: 5,
  })
  expect(findWarnings(run, contextOf(30, { config: { ...paid, intrabar: 'adaptive' } }))).toEqual([
    '10 of 10 trades ended on a bar that reached stop and target: which was first is an assumption (adaptive).',
    '2 entries were rejected: the money did not buy the smallest amount, or no further position was allowed.',
    '1 entries were not taken: a price or distance they need was not known.',
    '4 limit or stop entries ended without a fill.',
    '5 entries are smaller than the sizing asks for: the equity did not pay for more.',
  ])
})

test('warm-up is told per symbol, by name where there are several', () => {
  const bars = barsOfCloses(new Array<number>(30).fill(10))
  const first = measuredMarket(bars, { firstUsableBar: 7, from: 5 })
  const second = measuredMarket(bars, { symbol: 'BBB', firstUsableBar: 40 })
  const run = runOf(month, { trades: enough })
  expect(findWarnings(run, contextOf(30, { config: paid, markets: [first] }))).toEqual([
    'The first 2 bars decided nothing: there is not enough history before them.',
  ])
  expect(findWarnings(run, contextOf(30, { config: paid, markets: [first, second] }))).toEqual([
    'The first 2 bars of AAA decided nothing: there is not enough history before them.',
    'The first 30 bars of BBB decided nothing: there is not enough history before them.',
  ])
})

test('bars whose shorter bars disagree with them are counted', () => {
  const run = runOf(month, { trades: enough, disagreeing_bars: 3 })
  expect(findWarnings(run, contextOf(30, { config: paid }))).toEqual([
    '3 bars were not followed inside: the shorter bars reach prices that they do not, so that the mode `intrabar` decided.',
  ])
})

test('with volume_share, a market without any volume is named', () => {
  const run = runOf(month, { trades: enough })
  const config = { ...paid, volume_share: { limit_fraction: 0.1, impact: 0 } }
  expect(findWarnings(run, contextOf(30, { config }))).toEqual([
    'AAA has no volume in the range: with volume_share none of its orders is filled.',
  ])
  const { bars } = measuredMarket(barsOfCloses(new Array<number>(30).fill(10)))
  const traded = measuredMarket({ ...bars, volume: bars.volume.with(29, 1) })
  expect(findWarnings(run, contextOf(30, { config, markets: [traded] }))).toEqual([])
})

test('a position of a market whose bars end before the run does is named', () => {
  const long = measuredMarket(barsOfCloses(new Array<number>(30).fill(10)))
  const short = measuredMarket(barsOfCloses(new Array<number>(20).fill(10)), { symbol: 'BBB' })
  const input = [long, short].map(({ symbol, bars }) =>
    marketOf(bars, decisions(bars.length, { enter_long: [0] }), { symbol }),
  )
  const [a, b] = input
  if (a === undefined || b === undefined) throw new Error('no market')
  const config = { ...freeConfig, ...paid, sizing: { mode: 'units', units: 1 } } as const
  const { open_trades } = runBacktest({ markets: [a, b], config })
  expect(open_trades).toHaveLength(2)
  const run = runOf(month, { trades: enough, open_trades })
  expect(findWarnings(run, contextOf(30, { config, markets: [long, short] }))).toEqual([
    'The bars of BBB end at 2024-01-21T00:00:00.000Z: its position is held to the end of the run at its last close.',
  ])
})
