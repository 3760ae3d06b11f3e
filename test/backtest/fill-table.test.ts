import { describe, expect, test } from '@jest/globals'
import { type FillCase, type Row, runCase, tradesIn } from '../fixtures/fill-case.ts'

const quiet: Row = [100, 101, 99, 100]
const long = { enter_long: [0], stop: 5, target: 10 }
const short = { enter_short: [0], stop: 5, target: 10 }

/** Entered at 100 at the open of bar 1, with what bar 2 then does. */
const then = (bar: Row, given: Partial<FillCase> = {}): FillCase => ({
  bars: [quiet, quiet, bar],
  signals: long,
  ...given,
})

describe('stops, targets and gaps', () => {
  test.each<[string, FillCase, string]>([
    ['a gap below the stop fills at the open', then([92, 99, 90, 97]), 'long 10: 100 → 92 stop'],
    ['a gap above the target fills at the open', then([115, 116, 109, 110]), 'long 10: 100 → 115 target'],
    ['a touch of the stop is enough', then([98, 99, 95, 97]), 'long 10: 100 → 95 stop'],
    ['a touch of the target is enough', then([98, 110, 97, 99]), 'long 10: 100 → 110 target'],
    [
      'a short is stopped by a gap above its stop',
      then([108, 109, 101, 103], { signals: short }),
      'short 10: 100 → 108 stop',
    ],
    [
      'a long stop between two ticks is rounded down: 95.03 to 95.0',
      then([98, 99, 95, 97], { signals: { enter_long: [0], stop: 4.97 }, config: { tick_size: 0.1 } }),
      'long 10: 100 → 95 stop',
    ],
    [
      'a short stop between two ticks is rounded up, a short target too',
      then([98, 104.1, 97, 99], { signals: { enter_short: [0], stop: 4.03 }, config: { tick_size: 0.1 } }),
      'short 10: 100 → 104.1 stop',
    ],
    [
      'a stop is tested from the entry bar on',
      { bars: [quiet, [100, 101, 94, 100]], signals: long },
      'long 10: 100 → 95 stop',
    ],
    [
      'a trailing stop moves with the bars before, not with the one it is tested on',
      then([101, 110, 97, 106], { signals: { enter_long: [0], stop: 5 }, plan: { trailing_stop: true } }),
      'long 10: 100 →',
    ],
    [
      'a trailing stop that has moved above the open is filled at the open',
      {
        bars: [quiet, quiet, [101, 120, 100, 102], [103, 104, 102, 103]],
        signals: { enter_long: [0], stop: 5 },
        plan: { trailing_stop: true },
      },
      'long 10: 100 → 103 trailing_stop',
    ],
  ])('%s', (_name, given, expected) => {
    expect(tradesIn(runCase(given))).toEqual([expected])
  })
})

describe('stop and target in one bar', () => {
  const modes = ['pessimistic', 'optimistic', 'ohlc', 'adaptive'] as const
  const outcomes = (given: FillCase) =>
    modes.map(intrabar => tradesIn(runCase({ ...given, config: { ...given.config, intrabar } }))[0])

  test('is decided by the mode, and said to be ambiguous; the open is nearer to the high', () => {
    // 104 is 7 below the high and 10 above the low.
    expect(outcomes(then([104, 111, 94, 100]))).toEqual([
      'long 10: 100 → 95 stop ?',
      'long 10: 100 → 110 target ?',
      'long 10: 100 → 110 target ?',
      'long 10: 100 → 110 target ?',
    ])
  })

  test('for the open nearer to the low', () => {
    expect(outcomes(then([101, 111, 94, 100]))).toEqual([
      'long 10: 100 → 95 stop ?',
      'long 10: 100 → 110 target ?',
      'long 10: 100 → 110 target ?',
      'long 10: 100 → 95 stop ?',
    ])
  })

  test('for an open in the middle the low is first, which is the target of a short', () => {
    const middle: Row = [100, 112, 88, 100]
    expect(outcomes(then(middle))[3]).toBe('long 10: 100 → 95 stop ?')
    expect(outcomes(then(middle, { signals: short }))[3]).toBe('short 10: 100 → 90 target ?')
  })

  test('for a short, whose stop is above', () => {
    expect(outcomes(then([101, 106, 89, 100], { signals: short }))).toEqual([
      'short 10: 100 → 105 stop ?',
      'short 10: 100 → 90 target ?',
      'short 10: 100 → 105 stop ?',
      'short 10: 100 → 105 stop ?',
    ])
  })

  test.each<[string, Row[], string]>([
    [
      'the target first',
      [
        [101, 111, 100, 105],
        [105, 106, 94, 100],
      ],
      'long 10: 100 → 110 target',
    ],
    [
      'the stop first',
      [
        [101, 102, 94, 100],
        [100, 111, 99, 100],
      ],
      'long 10: 100 → 95 stop',
    ],
    [
      'a jump over the stop',
      [
        [101, 102, 97, 98],
        [94.5, 111, 94, 100],
      ],
      'long 10: 100 → 94.5 stop',
    ],
    [
      'both in one finer bar',
      [
        [101, 104, 100, 103],
        [103, 111, 94, 100],
      ],
      'long 10: 100 → 95 stop ?',
    ],
    ['neither: the bar itself decides', [[101, 104, 100, 103]], 'long 10: 100 → 95 stop ?'],
  ])('is decided by finer bars that show %s, whatever the mode', (_name, rows, expected) => {
    const finer = { 2: rows }
    const seen = new Set(outcomes(then([101, 111, 94, 100], { finer })))
    expect(seen).toContain(expected)
    expect(seen.size).toBe(expected.endsWith('?') ? 2 : 1)
  })

  test('is decided by the mode where the finer bars reach prices the bar does not, which is counted', () => {
    const finer = { 2: [quiet, [80, 111, 79, 100]] as const }
    const run = runCase(then([101, 111, 94, 100], { finer }))
    expect([tradesIn(run), run.disagreeing_bars]).toEqual([['long 10: 100 → 95 stop ?'], 1])
    // Of the finer bars alone it would be the stop.
    const above = runCase(then([100, 111, 99, 104], { finer: { 2: [[100, 101, 90, 100], quiet] } }))
    expect([tradesIn(above), above.disagreeing_bars]).toEqual([['long 10: 100 → 110 target'], 1])
  })

  test('is decided by the mode where the finer bars have a gap', () => {
    const given = then([101, 111, 94, 100], { finer: { 1: [quiet, quiet] } })
    expect(new Set(outcomes(given)).size).toBe(2)
  })
})
