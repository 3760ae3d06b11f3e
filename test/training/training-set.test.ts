import { describe, expect, test } from '@jest/globals'
import { makeLabels } from '../../src/labels/label.ts'
import { type Bars, sliceBars } from '../../src/market/bars.ts'
import { buildTrainingSet, type TrainingSet } from '../../src/training/training-set.ts'
import { tableRows } from '../../src/training/windows.ts'
import { walkOf } from '../fixtures/walks.ts'
import { barriers, recurrent, setOf, smallStrategy, taskOf } from './small-strategies.ts'

const build = (bars: Readonly<Record<string, Bars>>, strategy = smallStrategy(), end: number | null = null) =>
  buildTrainingSet({
    strategy,
    symbols: Object.entries(bars).map(([symbol, own]) => ({ symbol, bars: { '1d': own } })),
    ...{ start: null, end },
  })

test('labels belong to their own symbol: every row has the label of its own bar', () => {
  const bars = { AAA: walkOf(1, 200), BBB: walkOf(2, 150), CCC: walkOf(3, 180) }
  const { samples } = build(bars)
  const spec = smallStrategy().training.labels
  const labels = Object.values(bars).map(own => makeLabels(spec, own))
  expect(samples.symbols).toEqual(['AAA', 'BBB', 'CCC'])
  for (let row = 0; row < samples.rows; row++) {
    const own = labels[samples.symbol[row] ?? 0]
    expect(samples.label[row]).toBe(own?.value[samples.bar[row] ?? 0])
    expect(samples.ret[row]).toBe(own?.ret[samples.bar[row] ?? 0])
  }
  // Pairing the rows of the last symbol with the labels of the first would go unnoticed if these were alike.
  expect([...(labels[0]?.value ?? [])]).not.toEqual([...(labels[2]?.value ?? [])])
})

test('the order in which symbols are given changes nothing', () => {
  const [a, b] = [walkOf(1, 200), walkOf(2, 200)]
  const [first, second] = [build({ AAA: a, BBB: b }), build({ BBB: b, AAA: a })]
  expect(second.samples).toEqual(first.samples)
  expect(second.normalisers).toEqual(first.normalisers)
})

describe('what is fitted knows the training part alone', () => {
  test('the normalised feature has mean 0 and deviation 1 over the training rows', () => {
    const { samples, split } = setOf(smallStrategy(), { AAA: 1, BBB: 2 })
    const column = samples.ids.indexOf('1d_change_raw')
    const values = [...split.train].map(
      row => samples.features[row * samples.ids.length + column] ?? Number.NaN,
    )
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(0, 6)
    expect(variance).toBeCloseTo(1, 5)
  })

  test('other prices after the training part leave normalisers and training rows as they are', () => {
    const bars = walkOf(1, 220)
    const set = build({ AAA: bars })
    const cut = set.split.ranges.validation?.from ?? 0
    const later = bars.close_time.findIndex(time => time >= cut)
    const scale = (column: Float64Array) => column.map((value, i) => (i < later ? value : value * 3))
    const { open, high, low, close } = bars
    const other = build({
      AAA: { ...bars, open: scale(open), high: scale(high), low: scale(low), close: scale(close) },
    })
    expect(other.normalisers).toEqual(set.normalisers)
    expect(trainedOn(other)).toEqual(trainedOn(set))
  })
})

/** Features and labels of the training rows. */
function trainedOn({ samples, split }: TrainingSet): unknown {
  const width = samples.ids.length
  return [...split.train].map(row => [
    samples.label[row],
    ...samples.features.subarray(row * width, (row + 1) * width),
  ])
}

test('nothing after the end is seen, not by labels either', () => {
  const bars = walkOf(1, 260)
  const end = bars.time[200] ?? 0
  const cut = build({ AAA: bars }, smallStrategy(), end)
  expect(cut.samples).toEqual(build({ AAA: sliceBars(bars, null, end) }).samples)
  expect(Math.max(...cut.samples.labelEnd)).toBeLessThanOrEqual(end)
})

test('bars before the start warm up and are no rows', () => {
  const bars = walkOf(1, 220)
  const start = bars.time[60] ?? 0
  const symbols = [{ symbol: 'AAA', bars: { '1d': bars } }]
  const { samples, symbols: facts } = buildTrainingSet({
    strategy: smallStrategy(),
    symbols,
    start,
    end: null,
  })
  expect(samples.bar[0]).toBe(60)
  expect(facts[0]).toMatchObject({ from: 60, dropped: { pre_roll: 60, warm_up: 0 }, labels: { bars: 160 } })
})

describe('a network that reads windows', () => {
  const events = { ...barriers, cusum_threshold: 0.03 }
  const strategy = smallStrategy({ model: recurrent('lstm'), training: { labels: events } })
  const set = setOf(strategy, { AAA: 1, BBB: 2 })

  test('sees bars without a label in them: its rows are found in the table of all bars with features', () => {
    const { samples, table } = set
    expect(table.rows).toBeGreaterThan(samples.rows)
    const rows = tableRows(samples, table)
    rows.forEach((at, row) => {
      expect([table.bar[at], table.close_time[at]]).toEqual([samples.bar[row], samples.time[row]])
    })
    const { plan } = taskOf(strategy, set)
    expect(plan.samples.features).toBe(table.values)
    for (const part of ['train', 'validation'] as const)
      plan[part].forEach((at, i) => {
        expect(plan.samples.targets[at]).toBe(samples.label[set.split[part][i] ?? 0])
      })
  })

  test('is given no window that reaches into another symbol or over a missing bar', () => {
    const { samples, table } = set
    const rows = tableRows(samples, table)
    rows.forEach((at, row) => {
      const span = table.symbols[samples.symbol[row] ?? 0]
      expect(at - 4).toBeGreaterThanOrEqual(span?.from ?? 0)
      expect(table.bar[at - 4]).toBe((samples.bar[row] ?? 0) - 4)
    })
    // The second symbol has windows too, and its first bars with features have none.
    expect(samples.symbol).toContain(1)
    expect(set.symbols.every(({ without_window }) => without_window >= 0)).toBe(true)
  })

  test('loses the rows before which a window is not complete, and says how many', () => {
    // Labels begin before features do.
    const training = { labels: { ...barriers, vol_span: 2 } }
    const windows = setOf(smallStrategy({ model: recurrent('lstm'), training }))
    const single = setOf(smallStrategy({ training }))
    expect(windows.symbols[0]?.without_window).toBe(4)
    expect(windows.samples.rows).toBe(single.samples.rows - 4)
    expect(windows.samples.bar[0]).toBe((single.samples.bar[0] ?? 0) + 4)
  })
})

test('rows count by their own weights, mean 1 in every part', () => {
  const strategy = smallStrategy({ training: { labels: { ...barriers, compute_weights: true } } })
  const set = setOf(strategy)
  const { plan, test: tested } = taskOf(strategy, set)
  for (const rows of [plan.train, plan.validation, tested]) {
    const own = [...rows].map(row => plan.samples.weights?.[row] ?? 0)
    expect(own.reduce((sum, weight) => sum + weight, 0) / own.length).toBeCloseTo(1, 5)
    expect(new Set(own).size).toBeGreaterThan(1)
  }
})
