import { expect, test } from '@jest/globals'
import type { FieldValues } from '../../src/search/field-path.ts'
import { nextRound, planTrials } from '../../src/search/plan.ts'
import { createSpace, type Space } from '../../src/search/space.ts'
import type { Scored } from '../../src/search/tpe.ts'

const seeds = Array.from({ length: 7 }, (_, i) => i + 1)

/** A hill in three fields: one linear, one over orders of magnitude, one without order. */
const space = createSpace(
  [
    { path: 'x', min: -5, max: 5 },
    { path: 'rate', min: 0.0001, max: 1, scale: 'log' },
    { path: 'n', min: 1, max: 60, integer: true },
    { path: 'kind', values: ['a', 'b', 'c', 'd', 'e'] },
  ],
  [],
)
const height = ({ x, rate, n, kind }: FieldValues) =>
  -((Number(x) - 2) ** 2) -
  (Math.log10(Number(rate)) + 2) ** 2 -
  ((Number(n) - 40) / 15) ** 2 -
  (kind === 'c' ? 0 : 2)

function search(from: Space, seed: number, score: (values: FieldValues) => number | null): readonly Scored[] {
  const settings = { method: 'tpe', trials: 80, seed } as const
  const finished: Scored[] = []
  for (;;) {
    const { trials } = nextRound(from, settings, finished)
    if (trials.length === 0) return finished
    for (const { values } of trials) finished.push({ values, score: score(values) })
  }
}

const best = (trials: readonly Scored[]) =>
  Math.max(...trials.map(({ score }) => score ?? Number.NEGATIVE_INFINITY))
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

test('tpe climbs higher than random search with as many trials, in the median of seven seeds', () => {
  const byTpe = seeds.map(seed => best(search(space, seed, height)))
  const byChance = seeds.map(seed =>
    best(
      planTrials(space, { method: 'random', trials: 80, seed }).trials.map(({ values }) => ({
        values,
        score: height(values),
      })),
    ),
  )
  expect(median(byTpe)).toBeGreaterThan(median(byChance) / 2)
})

test('trials without a score lead away from where they lie', () => {
  const trials = search(space, 7, values => (Number(values.x) > 0 ? null : height(values)))
  const late = trials.slice(40)
  expect(late.filter(({ score }) => score === null).length).toBeLessThan(late.length / 3)
})

test('a search in which nothing has a score goes on', () => {
  expect(search(space, 1, () => null)).toHaveLength(80)
})

test('a round depends on what the trials are worth, not on when they ended', () => {
  const settings = { method: 'tpe', trials: 60, seed: 5 } as const
  const first = planTrials(space, settings).trials.map(({ values }) => ({ values, score: height(values) }))
  const round = nextRound(space, settings, first)
  expect(nextRound(space, settings, structuredClone(first))).toEqual(round)
  const other = first.map((trial, i) => ({ ...trial, score: i }))
  expect(nextRound(space, settings, other)).not.toEqual(round)
})
