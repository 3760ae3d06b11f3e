import { describe, expect, test } from '@jest/globals'
import { metricNames } from '../../src/backtest/metric-definitions.ts'
import { buildHeatmaps } from '../../src/search/heatmap.ts'
import { findNeighbourhood } from '../../src/search/neighbourhood.ts'
import { directionOf, metricOf, type RankedTrial, rankTrials, scoreOf } from '../../src/search/objective.ts'
import { compareSamples } from '../../src/search/out-of-sample.ts'
import { planTrials } from '../../src/search/plan.ts'
import { createSpace } from '../../src/search/space.ts'

const grid = createSpace(
  [
    { path: 'a', values: [1, 2, 5, 10] },
    { path: 'b', min: 0, max: 3, step: 1 },
    { path: 'kind', values: ['x', 'y'] },
  ],
  [],
)
const trials = planTrials(grid, { method: 'grid', trials: 0, seed: 0 }).trials.map((trial): RankedTrial => {
  const { a, b, kind } = trial.values
  return { ...trial, score: b === 3 ? null : Number(a) * 10 + Number(b) + (kind === 'y' ? 1000 : 0) }
})
const find = (a: number, b: number, kind: string): RankedTrial => {
  const found = trials.find(({ values }) => values.a === a && values.b === b && values.kind === kind)
  if (found === undefined) throw new Error('no such trial')
  return found
}

describe('what a trial is worth', () => {
  test('is the metric, with its sign turned where less is better', () => {
    expect(scoreOf({ sharpe: 1.5, trades: 40 }, { metric: 'sharpe', minimum_trades: 30 })).toBe(1.5)
    const drawdown = { metric: 'max_drawdown_fraction', minimum_trades: 0 } as const
    expect(scoreOf({ max_drawdown_fraction: 0.2, trades: 1 }, drawdown)).toBe(-0.2)
    expect(metricOf(-0.2, 'max_drawdown_fraction')).toBe(0.2)
    expect(Object.is(scoreOf({ max_drawdown_fraction: 0, trades: 1 }, drawdown), 0)).toBe(true)
  })

  test('is nothing with too few trades, an undefined metric or an endless one', () => {
    const objective = { metric: 'profit_factor', minimum_trades: 30 } as const
    expect(scoreOf({ profit_factor: 2, trades: 29 }, objective)).toBeNull()
    expect(scoreOf({ profit_factor: null, trades: 30 }, objective)).toBeNull()
    expect(scoreOf({ trades: 30 }, objective)).toBeNull()
    expect(scoreOf({ profit_factor: Number.POSITIVE_INFINITY, trades: 30 }, objective)).toBeNull()
    expect(scoreOf({ profit_factor: 2, trades: 30 }, objective)).toBe(2)
  })

  test('grows with profit and shrinks with risk and costs, for every metric there is', () => {
    const less = metricNames.filter(name => directionOf(name) === 'minimise')
    expect(less).toContain('max_drawdown_fraction')
    for (const name of metricNames) {
      const isCost = /drawdown|volatility|_total$|losing|losses|ulcer|risk|shortfall|ambiguous/.test(name)
      if (isCost) expect([name, directionOf(name)]).toEqual([name, 'minimise'])
    }
    for (const name of ['sharpe', 'total_return_fraction', 'avg_loss', 'worst_trade', 'trades'] as const)
      expect(directionOf(name)).toBe('maximise')
  })
})

test('the best trial is first, of equal ones the one planned first, those without a score last', () => {
  const ranked = rankTrials([null, 1, 3, null, 3, -2].map((score, index) => ({ index, score })).reverse())
  expect(ranked.map(({ index }) => index)).toEqual([2, 4, 1, 5, 0, 3])
})

describe('the neighbourhood', () => {
  test('on a grid is one step in each number and nothing else', () => {
    // Round (2, 1, x) lie a of 1, 2, 5 and b of 0, 1, 2: 10 20 50 + 0 1 2 without 21.
    expect(findNeighbourhood(grid, { trials, centre: find(2, 1, 'x'), onGrid: true })).toEqual({
      trials: 8,
      without_score: 0,
      median: (20 + 22) / 2,
    })
    // In the corner (10, 3, y) lie (5, 2), (5, 3), (10, 2), of which b = 3 has no score.
    expect(findNeighbourhood(grid, { trials, centre: find(10, 3, 'y'), onGrid: true })).toEqual({
      trials: 3,
      without_score: 1,
      median: (1052 + 1102) / 2,
    })
  })

  test('elsewhere is the ten nearest, the first of equally near ones', () => {
    const line = createSpace([{ path: 'x', min: 0, max: 100 }], [])
    const points = Array.from({ length: 31 }, (_, index) => ({
      index,
      values: { x: index * 2 },
      score: index,
    }))
    const centre = points[20]
    if (centre === undefined) throw new Error('no centre')
    expect(findNeighbourhood(line, { trials: points, centre, onGrid: false })).toEqual({
      trials: 10,
      without_score: 0,
      median: 20,
    })
  })

  test('of a trial alone is empty', () => {
    const centre = find(1, 0, 'x')
    expect(findNeighbourhood(grid, { trials: [centre], centre, onGrid: true })).toEqual({
      trials: 0,
      without_score: 0,
      median: null,
    })
  })
})

describe('heatmaps', () => {
  test('show best and median of all trials that share two values', () => {
    const maps = buildHeatmaps(grid, trials)
    expect(maps.map(({ x, y }) => [x.path, y.path])).toEqual([
      ['a', 'b'],
      ['a', 'kind'],
      ['b', 'kind'],
    ])
    expect(maps[0]?.x.values).toEqual([1, 2, 5, 10])
    expect(maps[0]?.cells).toHaveLength(16)
    expect(maps[0]?.cells[1]).toEqual({ x: 1, y: 0, trials: 2, best: 1020, median: 520 })
    expect(maps[0]?.cells.at(-1)).toEqual({ x: 3, y: 3, trials: 2, best: null, median: null })
    expect(maps[1]?.cells[0]).toEqual({ x: 0, y: 0, trials: 4, best: 12, median: 11 })
  })

  test('of endless ranges and many fields stay small, and no trial is lost', () => {
    const wide = createSpace(
      Array.from({ length: 8 }, (_, d) => ({ path: `f${d}`, min: 0, max: 1 })),
      [],
    )
    const { trials: drawn } = planTrials(wide, { method: 'random', trials: 3_000, seed: 4 })
    const maps = buildHeatmaps(
      wide,
      drawn.map(trial => ({ ...trial, score: 1 })),
    )
    expect(maps).toHaveLength(10)
    for (const { cells } of maps) {
      expect(cells.length).toBeLessThanOrEqual(400)
      expect(cells.reduce((sum, cell) => sum + cell.trials, 0)).toBe(3_000)
    }
  })
})

describe('in sample and out of sample', () => {
  const pairs = (...scores: [number | null, number | null][]) =>
    scores.map(([in_sample, out_of_sample], index) => ({ index, in_sample, out_of_sample }))

  test('ranks that stay are 1, ranks that turn round −1', () => {
    expect(compareSamples(pairs([1, 10], [2, 11], [3, 50]))).toMatchObject({
      rank_correlation: 1,
      median_in_sample: 2,
      median_out_of_sample: 11,
    })
    expect(compareSamples(pairs([1, 3], [2, 2], [30, 1])).rank_correlation).toBe(-1)
  })

  test('equal values share their ranks', () => {
    // Ranks 1 2.5 2.5 4 and 1 2 3 4: Σdx·dy = 4.5, Σdx² = 4.5, Σdy² = 5; Spearman 1904.
    expect(compareSamples(pairs([1, 1], [2, 2], [2, 3], [9, 4])).rank_correlation).toBeCloseTo(
      4.5 / Math.sqrt(4.5 * 5),
      12,
    )
  })

  test('too few or unvarying pairs have no correlation', () => {
    expect(compareSamples(pairs([1, 1], [2, 2], [3, null])).rank_correlation).toBeNull()
    expect(compareSamples(pairs([1, 1], [1, 2], [1, 3])).rank_correlation).toBeNull()
    expect(compareSamples([])).toMatchObject({ median_in_sample: null, median_out_of_sample: null })
  })
})
