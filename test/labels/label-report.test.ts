import { expect, test } from '@jest/globals'
import { cramersV } from '../../src/labels/association.ts'
import { makeLabels } from '../../src/labels/label.ts'
import { reportLabels } from '../../src/labels/label-report.ts'
import { barsOf } from './label-bars.ts'

test('classes are counted with their runs, returns and changes', () => {
  const spec = { source: 'context', horizon: 1, bullish_threshold: 0.1, bearish_threshold: -0.1 } as const
  // +50%, +100%, −50%, 0, −50%, +100%, 0: bullish twice, bearish, neutral, bearish, bullish, neutral.
  const report = reportLabels(makeLabels(spec, barsOf([100, 150, 300, 150, 150, 75, 150, 150])))
  expect(report).toEqual({
    bars: 8,
    labelled: 7,
    mean_label_bars: 1,
    mean_return_fraction: 1.5 / 7,
    classes: [
      { name: 'bullish', count: 3, share_fraction: 3 / 7, mean_run_bars: 1.5, mean_return_fraction: 2.5 / 3 },
      { name: 'bearish', count: 2, share_fraction: 2 / 7, mean_run_bars: 1, mean_return_fraction: -0.5 },
      { name: 'neutral', count: 2, share_fraction: 2 / 7, mean_run_bars: 1, mean_return_fraction: 0 },
    ],
    transitions: [
      [0, 0.5, 0.5],
      [0.5, 0, 0.5],
      [0, 1, 0],
    ],
  })
})

test('returns have no classes, and what does not occur has no mean', () => {
  const bars = barsOf([100, 110, 99])
  expect(reportLabels(makeLabels({ source: 'forward_return', horizon: 1 }, bars))).toMatchObject({
    labelled: 2,
    classes: [],
    transitions: [],
  })
  const none = reportLabels(
    makeLabels({ source: 'context', horizon: 5, bullish_threshold: 1, bearish_threshold: -1 }, bars),
  )
  expect(none).toMatchObject({
    labelled: 0,
    mean_label_bars: null,
    transitions: [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ],
  })
  expect(none.classes[0]).toMatchObject({ count: 0, share_fraction: 0, mean_run_bars: null })
})

test("Cramér's V is that of the table of both labels", () => {
  const column = (...counts: readonly (readonly [value: number, count: number])[]) =>
    Float64Array.from(counts.flatMap(([value, count]) => new Array<number>(count).fill(value)))
  // The table 10 20 / 30 40: χ² = 100 · (10 · 40 − 20 · 30)² / (30 · 70 · 40 · 60) = 50 / 63, V = √(χ² / 100).
  const rows = column([0, 30], [1, 70])
  const columns = column([0, 10], [1, 20], [0, 30], [1, 40])
  expect(cramersV(rows, columns)).toBeCloseTo(Math.sqrt(50 / 6300), 12)
  expect(cramersV(rows, rows)).toBeCloseTo(1, 12)
  expect(
    cramersV(
      rows,
      rows.map(x => 5 - 3 * x),
    ),
  ).toBeCloseTo(1, 12)
  expect(cramersV(column([0, 2], [1, 2]), Float64Array.of(0, 1, 0, 1))).toBe(0)
  expect(
    cramersV(
      rows,
      rows.map(() => 1),
    ),
  ).toBeNull()
})

test('bars that lack one of two labels do not count', () => {
  const a = Float64Array.of(0, 1, 0, 1, Number.NaN, 0)
  const b = Float64Array.of(2, 0, 2, 0, 1, Number.NaN)
  expect(cramersV(a, b)).toBeCloseTo(1, 12)
  expect(() => cramersV(a, b.subarray(1))).toThrow(RangeError)
})
