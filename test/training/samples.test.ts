import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { makeLabels } from '../../src/labels/label.ts'
import { Problem } from '../../src/problems.ts'
import type { StrategyLabels } from '../../src/strategy/labels.ts'
import { joinSamples, type Samples, type SymbolRows, weightsOf } from '../../src/training/samples.ts'
import { barrier, barsOf, regime, someBars, specs } from '../labels/label-bars.ts'
import { partOf } from './rows.ts'

/** What every row says, in words that hold wherever it stands. */
function rowsOf(samples: Samples) {
  return Array.from({ length: samples.rows }, (_, row) => ({
    symbol: samples.symbols[samples.symbol[row] ?? -1],
    bar: samples.bar[row],
    number: samples.features[2 * row],
    close: samples.features[2 * row + 1],
    time: samples.time[row],
    label: samples.label[row],
    labelEnd: samples.labelEnd[row],
    ret: samples.ret[row],
  }))
}

/** What the rows of these parts have to be, found the slow way. */
function expectedRows(parts: readonly SymbolRows[], spec: StrategyLabels) {
  return [...parts]
    .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
    .flatMap(({ symbol, features, bars }) => {
      const own = makeLabels(spec, bars as Parameters<typeof makeLabels>[1])
      return [...features.bar].flatMap((bar, row) => {
        const end = own.t1[bar] ?? -1
        if (end < 0) return []
        const [number, close] = features.values.subarray(2 * row, 2 * row + 2)
        const at = { symbol, bar, number, close, time: bars.close_time[bar] }
        return [{ ...at, label: own.value[bar], labelEnd: bars.close_time[end], ret: own.ret[bar] }]
      })
    })
}

test.each(specs)('rows of several symbols have the labels of %j of their own symbol and bar', spec => {
  let differing = 0
  fc.assert(
    fc.property(
      fc.array(someBars, { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 2, max: 5 }),
      (all, every) => {
        const chosen = (bar: number) => bar > 12 && bar % every !== 0
        const parts = all.map((bars, i) => partOf(`S${9 - i}`, bars, makeLabels(spec, bars), chosen))
        const expected = expectedRows(parts, spec)
        if (expected.length === 0) return
        expect(rowsOf(joinSamples(parts))).toEqual(expected)
        // The labels of one symbol are no labels for another: where they are as long, this is what pairing them would give.
        const [first, second] = parts
        if (first === undefined || second === undefined) return
        const wrong = [...second.features.bar].filter(
          bar => first.labels.value[bar] !== second.labels.value[bar],
        )
        differing += wrong.length
      },
    ),
    { numRuns: 20 },
  )
  expect(differing).toBeGreaterThan(20)
})

test('two symbols that move against each other learn the opposite', () => {
  const up = Array.from({ length: 20 }, (_, i) => 100 * 1.01 ** i)
  const down = up.map(price => 10_000 / price)
  const spec = { source: 'context', horizon: 2, bullish_threshold: 0.01, bearish_threshold: -0.01 } as const
  const parts = [
    ['UP', up],
    ['DOWN', down],
  ] as const
  const samples = joinSamples(
    parts.map(([symbol, close]) => partOf(symbol, barsOf(close), makeLabels(spec, barsOf(close)))),
  )
  expect(samples.symbols).toEqual(['DOWN', 'UP'])
  expect([...samples.label]).toEqual([...new Array(18).fill(1), ...new Array(18).fill(0)])
})

test.each([regime, { ...barrier, cusum_threshold: 0.02, compute_weights: true }])(
  'rows that a filter of $source drops leave the others at their time',
  spec => {
    let dropped = 0
    fc.assert(
      fc.property(someBars, bars => {
        const labels = makeLabels(spec, bars)
        if (labels.value.every(Number.isNaN)) return
        const samples = joinSamples([partOf('A', bars, labels)])
        dropped += samples.left_out.without_label
        expect(samples.rows + samples.left_out.without_label).toBe(bars.length)
        for (let row = 0; row < samples.rows; row++) {
          const bar = bars.close_time.indexOf(samples.time[row] ?? -1)
          expect(samples.features[2 * row]).toBe(bar)
          expect(samples.label[row]).toBe(labels.value[bar])
        }
      }),
      { numRuns: 40 },
    )
    expect(dropped).toBeGreaterThan(100)
  },
)

test('symbols stand in code-unit order, whatever order they come in', () => {
  const bars = barsOf([1, 2, 3, 4])
  const labels = makeLabels({ source: 'forward_return', horizon: 1 }, bars)
  const samples = joinSamples(['b', 'B', 'a', 'Ä'].map(symbol => partOf(symbol, bars, labels)))
  expect(samples.symbols).toEqual(['B', 'a', 'b', 'Ä'])
  expect([...samples.symbol]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
})

test('weights have mean 1 over all rows, and over the rows of a part', () => {
  fc.assert(
    fc.property(someBars, someBars, (first, second) => {
      const spec = { ...barrier, compute_weights: true }
      const parts = [first, second].map((bars, i) =>
        partOf(`S${i}`, bars, makeLabels(spec, bars), bar => bar % 3 > 0),
      )
      if (parts.every(part => part.labels.value.every(Number.isNaN))) return
      const meanOf = (weights: Float32Array | null) =>
        (weights ?? new Float32Array()).reduce((a, b) => a + b, 0) / (weights?.length ?? 0)
      try {
        const samples = joinSamples(parts)
        expect(meanOf(samples.weight)).toBeCloseTo(1, 4)
        const some = Int32Array.from({ length: Math.ceil(samples.rows / 2) }, (_, i) => 2 * i)
        expect(meanOf(weightsOf(samples, some))).toBeCloseTo(1, 4)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
      }
    }),
  )
})

test('what cannot be joined is refused', () => {
  const bars = barsOf([1, 2, 3, 4])
  const labels = makeLabels({ source: 'forward_return', horizon: 1 }, bars)
  const part = partOf('A', bars, labels)
  const late = makeLabels({ source: 'forward_return', horizon: 9 }, bars)
  const classes = makeLabels(
    { source: 'context', horizon: 1, bullish_threshold: 1, bearish_threshold: -1 },
    bars,
  )
  expect(() => joinSamples([])).toThrow(/no symbol/)
  expect(() => joinSamples([part, part])).toThrow(/A occurs twice/)
  expect(() => joinSamples([part, partOf('B', bars, classes)])).toThrow(/B and A differ/)
  expect(() => joinSamples([partOf('A', bars, late)])).toThrow(/A: 4 bars, 4 with features, 0 with labels/)
  const shifted = { ...bars, close_time: bars.close_time.map(time => time + 1) }
  expect(() => joinSamples([{ ...part, bars: shifted }])).toThrow(RangeError)
  expect(() => joinSamples([{ ...part, bars: { ...bars, length: 3 } }])).toThrow(RangeError)
})
