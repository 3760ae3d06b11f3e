import { describe, expect, test } from '@jest/globals'
import { type BacktestConfig, type OrderPlan, plainPlan } from '../../src/backtest/backtest-config.ts'
import { decisions, freeConfig, runOne } from '../fixtures/backtest.ts'
import { barsOf } from '../fixtures/bars.ts'

/** Open, high, low, close. */
type Row = readonly [number, number, number, number]
type Case = {
  readonly bars: readonly Row[]
  readonly signals: Parameters<typeof decisions>[1]
  readonly plan?: Partial<OrderPlan>
  readonly config?: Partial<BacktestConfig>
}

/** Ten units a trade and money for thousands, without costs: results are differences of prices times ten. */
const tenUnits = { ...freeConfig, initial_capital: 100_000, sizing: { mode: 'units', units: 10 } } as const

function run({ bars, signals, plan, config }: Case): ReturnType<typeof runOne> {
  return runOne({
    bars: barsOf(bars.map(([open, high, low, close]) => ({ open, high, low, close }))),
    signals: decisions(bars.length, signals),
    config: { ...tenUnits, ...config },
    plan: { ...plainPlan, ...plan },
  })
}

/** Closed trades as [side, entry price, exit price, reason, gross P&L, bars held] and, of those that are, 'ambiguous'. */
function tradesOf(given: Case) {
  const { trades } = run(given)
  return Array.from({ length: trades.length }, (_, i) => [
    trades.side[i],
    trades.entry_price[i],
    trades.exit_price[i],
    trades.exit_reason[i],
    trades.gross_pnl[i],
    trades.bars_held[i],
    ...(trades.ambiguous[i] ? ['ambiguous'] : []),
  ])
}

const quiet: Row = [100, 101, 99, 100]
/** Entered at the open of bar 1, at 100, with a stop of 5 and a target of 10. */
const long = { enter_long: [0], stop: 5, target: 10 }
const short = { enter_short: [0], stop: 5, target: 10 }

describe('a long', () => {
  test.each<[string, readonly Row[], unknown[]]>([
    ['is stopped at the stop a low touches', [quiet, quiet, [98, 99, 95, 97]], [95, 'stop', -50, 1]],
    ['is stopped at the stop a low goes through', [quiet, quiet, [98, 99, 90, 97]], [95, 'stop', -50, 1]],
    ['is not stopped by a low above the stop', [quiet, quiet, [98, 99, 95.01, 97]], []],
    ['is stopped at an open below the stop', [quiet, quiet, [92, 99, 90, 97]], [92, 'stop', -80, 1]],
    ['is stopped at an open at the stop', [quiet, quiet, [95, 99, 90, 97]], [95, 'stop', -50, 1]],
    ['is stopped inside its entry bar', [quiet, [100, 101, 94, 100]], [95, 'stop', -50, 0]],
    ['meets its target at the target', [quiet, quiet, [101, 112, 100, 111]], [110, 'target', 100, 1]],
    ['meets its target at an open above it', [quiet, quiet, [115, 116, 109, 110]], [115, 'target', 150, 1]],
    ['meets its target inside its entry bar', [quiet, [100, 110, 99, 105]], [110, 'target', 100, 0]],
    [
      'that reaches both in one bar is stopped, and that is said',
      [quiet, quiet, [101, 110, 95, 100]],
      [95, 'stop', -50, 1, 'ambiguous'],
    ],
    [
      'that opens beyond its stop is not ambiguous, whatever comes later in the bar',
      [quiet, quiet, [94, 111, 93, 100]],
      [94, 'stop', -60, 1],
    ],
    [
      'that opens beyond its target is not ambiguous, whatever comes later in the bar',
      [quiet, quiet, [111, 112, 90, 100]],
      [111, 'target', 110, 1],
    ],
  ])('%s', (_name, bars, expected) => {
    const trades = tradesOf({ bars: [...bars, quiet], signals: long })
    expect(trades).toEqual(expected.length === 0 ? [] : [['long', 100, ...expected]])
  })
})

describe('a short', () => {
  test.each<[string, readonly Row[], unknown[]]>([
    ['is stopped at the stop a high touches', [quiet, quiet, [102, 105, 101, 103]], [105, 'stop', -50, 1]],
    ['is stopped at an open above the stop', [quiet, quiet, [108, 109, 101, 103]], [108, 'stop', -80, 1]],
    ['is stopped inside its entry bar', [quiet, [100, 106, 99, 100]], [105, 'stop', -50, 0]],
    ['meets its target at the target', [quiet, quiet, [99, 100, 88, 89]], [90, 'target', 100, 1]],
    ['meets its target at an open below it', [quiet, quiet, [85, 91, 84, 90]], [85, 'target', 150, 1]],
    [
      'that reaches both in one bar is stopped, and that is said',
      [quiet, quiet, [99, 106, 89, 100]],
      [105, 'stop', -50, 1, 'ambiguous'],
    ],
  ])('%s', (_name, bars, expected) => {
    const trades = tradesOf({ bars: [...bars, quiet], signals: short })
    expect(trades).toEqual([['short', 100, ...expected]])
  })

  test('wins what a falling price loses, and its exit rule ends it at the next open', () => {
    const bars: Row[] = [quiet, quiet, [98, 99, 96, 97], [96, 97, 95, 96]]
    const { trades, equity } = run({ bars, signals: { enter_short: [0], exit_short: [2] } })
    expect([trades.exit_price[0], trades.gross_pnl[0], trades.units[0]]).toEqual([96, 40, 10])
    expect([trades.max_favourable_excursion[0], trades.max_adverse_excursion[0]]).toEqual([40, 10])
    // Sold 10 at 100: the proceeds are in the cash, the debt of 10 units is valued at each close.
    expect([...equity.cash]).toEqual([100_000, 101_000, 101_000, 100_040])
    expect([...equity.position_value]).toEqual([0, -1000, -970, 0])
    expect([...equity.equity]).toEqual([100_000, 100_000, 100_030, 100_040])
  })
})

describe('a trailing stop', () => {
  const trailing = { trailing_stop: true }

  test('follows the high of the bars before at its distance, and is told from one that has not moved', () => {
    // Bar 1 reaches 101: the stop stands at 96 on bar 2. Bar 2 reaches 108: 103 on bar 3, which touches it.
    const bars: Row[] = [quiet, quiet, [101, 108, 100, 107], [106, 107, 102, 103], quiet]
    expect(tradesOf({ bars, signals: { enter_long: [0], stop: 5 }, plan: trailing })).toEqual([
      ['long', 100, 103, 'trailing_stop', 30, 2],
    ])
  })

  test('is not moved by the bar it is tested against', () => {
    // The high of bar 2 would raise the stop to 105, above its own low of 97; 96 from bar 1 holds.
    const bars: Row[] = [quiet, quiet, [101, 110, 97, 106], [107, 108, 106, 107]]
    expect(tradesOf({ bars, signals: { enter_long: [0], stop: 5 }, plan: trailing })).toEqual([])
  })

  test('that has come to lie above the next open is filled at that open', () => {
    const bars: Row[] = [quiet, quiet, [101, 120, 100, 102], [103, 104, 102, 103]]
    expect(tradesOf({ bars, signals: { enter_long: [0], stop: 5 }, plan: trailing })).toEqual([
      ['long', 100, 103, 'trailing_stop', 30, 2],
    ])
  })

  test('never moves back, and of a short follows the low', () => {
    // Lows 99, 92, 95: stops 104, 97, 97.
    const bars: Row[] = [quiet, quiet, [98, 98, 92, 94], [95, 96, 95, 96], [96, 98, 95, 97], quiet]
    expect(tradesOf({ bars, signals: { enter_short: [0], stop: 5 }, plan: trailing })).toEqual([
      ['short', 100, 97, 'trailing_stop', 30, 3],
    ])
  })

  test('reports where the entry placed it', () => {
    const bars: Row[] = [quiet, quiet, [101, 108, 100, 107]]
    const { open_trade } = run({ bars, signals: { enter_long: [0], stop: 5, target: 20 }, plan: trailing })
    expect(open_trade).toMatchObject({ stop_price: 95, current_stop_price: 103, target_price: 120 })
  })
})

describe('a time stop', () => {
  test('closes at the open after so many bars', () => {
    const bars: Row[] = [quiet, quiet, quiet, quiet, [102, 103, 101, 102], quiet]
    expect(tradesOf({ bars, signals: { enter_long: [0] }, plan: { max_bars: 3 } })).toEqual([
      ['long', 100, 102, 'max_bars', 20, 3],
    ])
  })

  test('leaves the name of the exit to a signal for the same open', () => {
    const bars: Row[] = [quiet, quiet, quiet, quiet]
    const signals = { enter_long: [0], exit_long: [2] }
    expect(tradesOf({ bars, signals, plan: { max_bars: 2 } })).toEqual([['long', 100, 100, 'signal', 0, 2]])
  })

  test('lets the strategy enter again at the open after', () => {
    const signals = { enter_long: [0, 1, 2, 3, 4] }
    const bars: Row[] = [quiet, quiet, [101, 102, 100, 101], [102, 103, 101, 102], quiet]
    expect(tradesOf({ bars, signals, plan: { max_bars: 1 } })).toEqual([
      ['long', 100, 101, 'max_bars', 10, 1],
      ['long', 102, 100, 'max_bars', -20, 1],
    ])
  })
})

describe('the other side', () => {
  const falling: Row = [98, 99, 96, 97]

  test('reverses a position at one open, without its exit rule', () => {
    const { trades, open_trade } = run({
      bars: [quiet, quiet, falling],
      signals: { enter_long: [0], enter_short: [1] },
    })
    expect([trades.exit_price[0], trades.exit_reason[0]]).toEqual([98, 'reversal'])
    expect(open_trade).toMatchObject({ side: 'short', entry_price: 98, units: 10 })
    expect(open_trade?.entry_time).toBe(trades.exit_time[0])
  })

  test('is entered at the open at which the exit rule closes', () => {
    const signals = { enter_short: [0], exit_short: [1], enter_long: [1] }
    const { trades, open_trade } = run({ bars: [quiet, quiet, falling], signals })
    expect([trades.side[0], trades.exit_reason[0], open_trade?.side]).toEqual(['short', 'signal', 'long'])
  })

  test('is not entered while its own exit rule is true', () => {
    const signals = { enter_long: [0], enter_short: [1], exit_short: [1] }
    expect(run({ bars: [quiet, quiet, falling], signals }).open_trade?.side).toBe('long')
  })

  test('and this side at once are a contradiction: nothing is entered, nothing reversed', () => {
    const flat = run({ bars: [quiet, quiet], signals: { enter_long: [0], enter_short: [0] } })
    expect([flat.open_trade, flat.exposed_bars]).toEqual([null, 0])
    const held = run({
      bars: [quiet, quiet, falling],
      signals: { enter_long: [0, 1], enter_short: [1] },
    })
    expect(held.open_trade?.side).toBe('long')
  })

  test('is entered at the open that stops the position', () => {
    const { trades, open_trade } = run({
      bars: [quiet, quiet, [90, 91, 89, 90]],
      signals: { enter_long: [0], enter_short: [1], stop: 5 },
    })
    expect([trades.exit_reason[0], open_trade?.side, open_trade?.entry_price]).toEqual(['stop', 'short', 90])
  })

  test('is left alone while a stop leaves the position inside the bar that decides', () => {
    // Stopped inside bar 1, flat at its close: what is decided there is an entry, not a reversal.
    const { trades, open_trade } = run({
      bars: [quiet, [100, 101, 94, 95], [95, 96, 94, 95]],
      signals: { enter_long: [0], enter_short: [1], stop: 5 },
    })
    expect([trades.length, trades.exit_reason[0], open_trade?.side]).toEqual([1, 'stop', 'short'])
  })
})

describe('a ruined short', () => {
  const allIn = { initial_capital: 1000, sizing: { mode: 'all_in' } } as const

  test('is closed at the price that leaves nothing, and nothing is traded after it', () => {
    // 10 units sold at 100: 2 000 in cash pay for 10 units at 200 and no more.
    const bars: Row[] = [quiet, quiet, [150, 210, 140, 150], quiet, quiet]
    const { trades, equity, open_trade } = run({
      bars,
      signals: { enter_short: [0], enter_long: [2, 3] },
      config: allIn,
    })
    expect([trades.exit_price[0], trades.exit_reason[0]]).toEqual([200, 'ruin'])
    expect([...equity.equity]).toEqual([1000, 1000, 0, 0, 0])
    expect([trades.length, open_trade]).toEqual([1, null])
  })

  test('owes no more than the gap', () => {
    const bars: Row[] = [quiet, quiet, [230, 240, 220, 230]]
    const { trades, equity } = run({ bars, signals: { enter_short: [0] }, config: allIn })
    expect([trades.exit_price[0], trades.exit_reason[0], equity.equity[2]]).toEqual([230, 'ruin', -300])
  })

  test('is closed early enough to pay the costs', () => {
    const costs = { commission_rate: 0.01, commission_fixed: 2, slippage_bps: 100 }
    const bars: Row[] = [quiet, quiet, [150, 260, 140, 150]]
    const { trades, equity } = run({ bars, signals: { enter_short: [0] }, config: { ...allIn, ...costs } })
    expect(trades.exit_reason[0]).toBe('ruin')
    expect(equity.equity[2]).toBeCloseTo(0, 9)
  })

  test('is stopped instead where its stop comes first', () => {
    const bars: Row[] = [quiet, quiet, [150, 250, 140, 150]]
    const signals = { enter_short: [0], stop: 60 }
    expect(tradesOf({ bars, signals, config: allIn })).toEqual([['short', 100, 160, 'stop', -600, 1]])
  })

  test('is ruined before a stop that lies beyond', () => {
    const bars: Row[] = [quiet, quiet, [150, 250, 140, 150]]
    const signals = { enter_short: [0], stop: 120 }
    expect(tradesOf({ bars, signals, config: allIn })).toEqual([['short', 100, 200, 'ruin', -1000, 1]])
  })
})

describe('costs', () => {
  const costs = { slippage_bps: 100, commission_rate: 0.01, commission_fixed: 1 }

  test('of a stop have slippage and commission', () => {
    const bars: Row[] = [quiet, [100, 101, 94, 100]]
    const { trades } = run({ bars, signals: long, config: costs })
    // In: 1 000, slippage 10, commission 10.1 + 1. Out: 950, slippage 9.5, commission 9.405 + 1.
    expect(trades.slippage[0]).toBeCloseTo(19.5, 9)
    expect(trades.commission[0]).toBeCloseTo(21.505, 9)
  })

  test('of a target have no slippage', () => {
    const bars: Row[] = [quiet, [100, 111, 99, 100]]
    const { trades } = run({ bars, signals: long, config: costs })
    // Out: 1 100, commission 11 + 1.
    expect(trades.slippage[0]).toBeCloseTo(10, 9)
    expect(trades.commission[0]).toBeCloseTo(23.1, 9)
  })

  test('of a short are paid on what is sold less the slippage, and on what is bought with it', () => {
    const { trades, equity } = run({
      bars: [quiet, quiet, [90, 91, 89, 90]],
      signals: { enter_short: [0], exit_short: [1] },
      config: costs,
    })
    // In: 1 000, slippage 10, commission 9.9 + 1. Out: 900, slippage 9, commission 9.09 + 1.
    expect(trades.net_pnl[0]).toBeCloseTo(100 - 19 - 20.99, 9)
    expect(equity.equity[2]).toBeCloseTo(100_000 + 100 - 19 - 20.99, 9)
  })
})

test('stop and target stand at the distances of the bar that decided, from the price of the fill', () => {
  const bars = barsOf([
    { open: 100, high: 101, low: 99, close: 100 },
    { open: 103, high: 104, low: 102, close: 103 },
  ])
  for (const [side, sign] of [
    ['enter_long', 1],
    ['enter_short', -1],
  ] as const) {
    const { open_trade } = runOne({
      bars,
      signals: {
        ...decisions(2, { [side]: [0] }),
        stop_distance: Float64Array.of(5, 6),
        target_distance: Float64Array.of(10, 11),
      },
      config: tenUnits,
    })
    expect([open_trade?.stop_price, open_trade?.target_price]).toEqual([103 - sign * 5, 103 + sign * 10])
  }
})

describe('the last bar', () => {
  test('closes a short at its close, and stops one it stops', () => {
    const closing = { close_open_trades: true }
    const bars: Row[] = [quiet, [100, 104, 97, 98]]
    expect(tradesOf({ bars, signals: { enter_short: [0] }, config: closing })).toEqual([
      ['short', 100, 98, 'end_of_data', 20, 0],
    ])
    expect(tradesOf({ bars, signals: { enter_short: [0], stop: 3 }, config: closing })).toEqual([
      ['short', 100, 103, 'stop', -30, 0],
    ])
  })

  test('reports a reversal it cannot fill once', () => {
    const signals = { enter_long: [0], exit_long: [1], enter_short: [1] }
    expect(run({ bars: [quiet, quiet], signals }).unfilled_signals).toBe(1)
  })
})
