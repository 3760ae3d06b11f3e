import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { findEvents } from '../../src/labels/cusum.ts'
import { makeLabels } from '../../src/labels/label.ts'
import { weighUniqueness } from '../../src/labels/uniqueness.ts'
import { measureVolatility } from '../../src/labels/volatility.ts'
import { type Bars, truncateBars } from '../../src/market/bars.ts'
import { barrier, barsOf, someBars } from './label-bars.ts'

const [buy, hold, sell] = [0, 1, 2]

/** Three bars whose range is 1% of a close of 100: volatility 0.01 at bar 2. Then bars of these highs and lows. */
function barsThen(...ranges: readonly (readonly [high: number, low: number])[]): Bars {
  const all = [[100.5, 99.5], [100.5, 99.5], [100.5, 99.5], ...ranges] as const
  return barsOf(
    all.map(([high, low], i) => (i < 3 ? 100 : (high + low) / 2)),
    { high: all.map(([high]) => high), low: all.map(([, low]) => low) },
  )
}

/** The label of bar 2: profit at 102 and loss at 99 for a long position, profit at 98 and loss at 101 for a short one. */
function labelOf(bars: Bars, spec = {}) {
  const { value, t1 } = makeLabels({ ...barrier, ...spec }, bars)
  return [value[2], t1[2]]
}

describe('with profit at two volatilities and loss at one', () => {
  test('a long position that reaches its profit is a buy, a short one a sell', () => {
    expect(labelOf(barsThen([100.9, 99.1], [102, 100]))).toEqual([buy, 4])
    expect(labelOf(barsThen([100.9, 99.1], [100, 98]))).toEqual([sell, 4])
  })

  test('barriers are touched exactly at their price', () => {
    expect(labelOf(barsThen([101.999, 99.001], [101, 99.5], [101, 99.5], [101, 99.5]))).toEqual([hold, 6])
  })

  test('what loses first does not win later, but the other side still can', () => {
    // 99 ends the long position; then 102 is no buy, and 98 would have been a sell had 101 not come before it.
    expect(labelOf(barsThen([100, 99], [102, 100]))).toEqual([hold, 4])
    expect(labelOf(barsThen([100, 99], [100.9, 98]))).toEqual([sell, 4])
    expect(labelOf(barsThen([101, 100], [100, 99]))).toEqual([hold, 4])
  })

  test('profit and loss of a position in one bar are a loss', () => {
    expect(labelOf(barsThen([102, 99], [103, 102]))).toEqual([hold, 3])
    expect(labelOf(barsThen([101, 98], [97, 96]))).toEqual([hold, 3])
  })

  test('when time is up it is a hold, and before that unknown', () => {
    const quiet = [100.5, 99.5] as const
    expect(labelOf(barsThen(quiet, quiet, quiet, quiet, [150, 100]))).toEqual([hold, 6])
    expect(labelOf(barsThen(quiet, quiet, quiet))).toEqual([Number.NaN, -1])
  })
})

test('where profit is nearer than loss, the side that comes first wins, and both in one bar are a hold', () => {
  const near = { pt_multiplier: 1, sl_multiplier: 2 }
  expect(labelOf(barsThen([101, 99.5], [100, 99]), near)).toEqual([buy, 3])
  expect(labelOf(barsThen([100, 99], [101, 100]), near)).toEqual([sell, 3])
  expect(labelOf(barsThen([101, 99], [101, 100]), near)).toEqual([hold, 3])
})

test('both sides are judged alike: prices mirrored about the entry have mirrored labels', () => {
  const ranges = fc.array(fc.tuple(fc.integer({ min: -6, max: 6 }), fc.nat(4)), {
    minLength: 6,
    maxLength: 6,
  })
  const multiples = fc.constantFrom(0.75, 1, 1.5, 2, 3)
  const seen = new Set<number>()
  fc.assert(
    fc.property(ranges, multiples, multiples, (drawn, pt_multiplier, sl_multiplier) => {
      const path = drawn.map(([low, range]) => [100 + (low + range) / 2, 100 + low / 2] as const)
      const mirrored = path.map(([high, low]) => [200 - low, 200 - high] as const)
      const spec = { pt_multiplier, sl_multiplier, max_holding_period: 6 }
      const [value = Number.NaN, t1] = labelOf(barsThen(...path), spec)
      const swapped = value === buy ? sell : value === sell ? buy : value
      seen.add(value)
      expect(labelOf(barsThen(...mirrored), spec)).toEqual([swapped, t1])
    }),
    { numRuns: 500 },
  )
  expect([...seen].sort()).toEqual([buy, hold, sell])
})

describe('volatility', () => {
  test('atr is the weighted mean of the true range over the close', () => {
    // Span 2: weights 1/3 of the one before, so (0.01 / 3 + 0.04) / (1 / 3 + 1) = 0.0325.
    const bars = barsOf([100, 100, 100], { high: [101, 100.5, 102], low: [99, 99.5, 98] })
    const at = measureVolatility(bars, { method: 'atr', span: 2 }, () => {})
    expect([...at.subarray(0, 2)]).toEqual([Number.NaN, Number.NaN])
    expect(at[2]).toBeCloseTo(0.0325, 15)
  })

  test('returns is the weighted deviation, without bias', () => {
    // Weights 1/9, 1/3, 1 of the returns 1, 2 and 4 percent: mean 43/13, squares 10.1026, divided by 13/9 − (91/81)/(13/9).
    const close = [100, 100 * Math.exp(0.01), 100 * Math.exp(0.03), 100 * Math.exp(0.07)]
    const at = measureVolatility(barsOf(close), { method: 'returns', span: 2 }, () => {})
    const mean = 43 / 13
    const squares = (1 - mean) ** 2 / 9 + (2 - mean) ** 2 / 3 + (4 - mean) ** 2
    expect(at[3]).toBeCloseTo(Math.sqrt(squares / (13 / 9 - 91 / 81 / (13 / 9))) / 100, 12)
  })

  test.each(['atr', 'returns'] as const)('%s at a bar does not change with the bars after it', method => {
    fc.assert(
      fc.property(someBars, fc.nat(140), (bars, length) => {
        const cut = truncateBars(bars, length)
        const all = measureVolatility(bars, { method, span: 4 }, () => {})
        expect([...measureVolatility(cut, { method, span: 4 }, () => {})]).toEqual([
          ...all.subarray(0, cut.length),
        ])
      }),
    )
  })

  test('where nothing moves there are no barriers and no labels', () => {
    const { value } = makeLabels(barrier, barsOf(new Array(20).fill(100)))
    expect(value.every(Number.isNaN)).toBe(true)
  })
})

describe('events', () => {
  test('a bar is one when the return summed since the last one passes the limit', () => {
    // Sums in percent: 2, 4 (event), 3 down, 6 down (event), 3 up, 2 up, 6 up (event), 1 up.
    const moves = [0, 0.02, 0.02, -0.03, -0.03, 0.03, -0.01, 0.04, 0.01]
    let sum = 0
    const close = Float64Array.from(moves, move => {
      sum += move
      return Math.exp(sum)
    })
    const limits = close.map(() => 0.035)
    expect([...findEvents(close, limits, () => {})]).toEqual([0, 0, 1, 0, 1, 0, 0, 1, 0])
    expect([...findEvents(close, limits.fill(Number.NaN, 0, 2), () => {})]).toEqual([
      0, 0, 0, 0, 1, 0, 0, 1, 0,
    ])
  })

  test.each([0.03, 0])(
    'with threshold %d only events have labels, those they have without it',
    cusum_threshold => {
      let left = 0
      let kept = 0
      fc.assert(
        fc.property(someBars, bars => {
          const all = makeLabels(barrier, bars)
          const some = makeLabels({ ...barrier, cusum_threshold, cusum_multiplier: 1.5 }, bars)
          for (let t = 0; t < bars.length; t++) {
            if (Number.isNaN(some.value[t])) {
              if (!Number.isNaN(all.value[t])) left++
              continue
            }
            kept++
            expect([some.value[t], some.t1[t], some.ret[t]]).toEqual([all.value[t], all.t1[t], all.ret[t]])
          }
        }),
        { numRuns: 30 },
      )
      expect(Math.min(left, kept)).toBeGreaterThan(20)
    },
  )

  test('a limit in volatilities grows with its multiplier', () => {
    fc.assert(
      fc.property(someBars, bars => {
        const count = (cusum_multiplier: number) =>
          makeLabels({ ...barrier, cusum_threshold: 0, cusum_multiplier }, bars).value.filter(
            x => !Number.isNaN(x),
          ).length
        expect(count(50)).toBeLessThanOrEqual(count(0.001))
        expect(count(1e9)).toBe(0)
      }),
      { numRuns: 20 },
    )
  })
})

describe('weights', () => {
  test('are the mean of one over the labels alive, scaled to mean 1', () => {
    // Lives: bar 0 through bars 1–3, bar 1 through 2–3, bar 4 through 5. Alive at bars 1, 2, 3, 5: 1, 2, 2, 1.
    const weight = weighUniqueness(Int32Array.of(3, 3, -1, -1, 5, -1))
    const [first, second, third] = [(1 + 0.5 + 0.5) / 3, 0.5, 1]
    const mean = (first + second + third) / 3
    expect(weight).toHaveLength(6)
    for (const [t, expected] of [first, second, Number.NaN, Number.NaN, third, Number.NaN].entries()) {
      if (Number.isNaN(expected)) expect(weight[t]).toBeNaN()
      else expect(weight[t]).toBeCloseTo(expected / mean, 14)
    }
  })

  test('have mean 1, are above 0, and exist where a label does', () => {
    fc.assert(
      fc.property(someBars, fc.boolean(), (bars, eventsOnly) => {
        const spec = { ...barrier, compute_weights: true, cusum_threshold: eventsOnly ? 0.02 : null }
        const { value, weight } = makeLabels(spec, bars)
        const weights = [...(weight ?? [])].filter((_, t) => !Number.isNaN(value[t]))
        expect(weight?.filter(x => !Number.isNaN(x))).toHaveLength(weights.length)
        if (weights.length === 0) return
        expect(weights.reduce((a, b) => a + b) / weights.length).toBeCloseTo(1, 9)
        expect(Math.min(...weights)).toBeGreaterThan(0)
      }),
    )
    expect(makeLabels(barrier, barsOf([1, 2])).weight).toBeNull()
  })
})
