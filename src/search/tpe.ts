import type { Random } from '../statistics/random.ts'
import { allowLooks, type Looks } from './candidate.ts'
import type { FieldValues } from './field-path.ts'
import { createParzen, createShares, type Density } from './parzen.ts'
import { drawPoints } from './random-search.ts'
import { type Drawn, isAllowed, keyOf, pointAtPlaces, type Space, valueOn } from './space.ts'

/** A trial that has been run. */
export type Scored = {
  readonly values: FieldValues
  /** Larger is better; null where there is no number: worse than all others. */
  readonly score: number | null
}

/** Trials of a round: they are chosen from the rounds before, whatever order they end in. */
export const roundSize = 20

/** Part of the trials that is called good. */
const goodFraction = 0.15

/** Points drawn for each that is chosen. */
const candidates = 24

/**
 * The next points of a search by a tree-structured Parzen estimator: of 24 points drawn where good trials lie, the one
 * where good trials are densest beside the bad. Points chosen in the same round count as bad, so that they keep apart.
 * The first round is drawn evenly.
 * Source: Bergstra, Bardenet, Bengio and Kégl 2011, Algorithms for Hyper-Parameter Optimization, sections 4 and 6: a
 * good fraction of 0.15, 20 even draws first.
 * @param finished every trial so far
 * @param random a sequence of this round's own
 */
export function suggestPoints(
  space: Space,
  { finished, count }: { readonly finished: readonly Scored[]; readonly count: number },
  random: Random,
): Drawn {
  const looks = allowLooks(space)
  if (finished.length === 0) return drawPoints(space, { count, looks }, random)
  const tried = new Set(finished.map(({ values }) => keyOf(space, values)))
  const points: FieldValues[] = []
  const { good, bad } = split(space, finished)
  const goodDensities = space.axes.map((_, d) => densityOf(space, good, d))
  let excluded = 0
  while (points.length < count) {
    const badDensities = space.axes.map((_, d) => densityOf(space, bad, d))
    const chosen = chooseBest(space, { goodDensities, badDensities, tried }, random)
    excluded += chosen.excluded
    // Nothing new where good trials lie: anything new will do.
    const values = chosen.values ?? drawNew(space, { tried, looks }, random)
    if (values === null) break
    tried.add(keyOf(space, values))
    points.push(values)
    bad.push(placesOf(space, values))
  }
  return { points, excluded }
}

type Places = readonly number[]

function split(space: Space, finished: readonly Scored[]): { good: Places[]; bad: Places[] } {
  const ranked = finished
    .map(({ values, score }, i) => ({ places: placesOf(space, values), score, i }))
    .sort((a, b) => compareScores(b.score, a.score) || a.i - b.i)
  const defined = ranked.filter(({ score }) => score !== null).length
  const count = Math.min(defined, Math.ceil(goodFraction * ranked.length))
  const places = ranked.map(trial => trial.places)
  return { good: places.slice(0, count), bad: places.slice(count) }
}

/** Below 0 where `a` is worse; null is worst. */
export function compareScores(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null)
  return a - b
}

function placesOf({ axes }: Space, values: FieldValues): Places {
  return axes.map(axis => axis.placeOf(valueOn(axis, values)))
}

function densityOf({ axes }: Space, trials: readonly Places[], d: number): Density {
  const axis = axes[d]
  const places = trials.map(ofTrial => ofTrial[d] ?? 0)
  if (axis === undefined || axis.numeric || axis.count === null) return createParzen(places)
  return createShares(places, axis.count)
}

function chooseBest(
  space: Space,
  search: {
    readonly goodDensities: readonly Density[]
    readonly badDensities: readonly Density[]
    readonly tried: ReadonlySet<string>
  },
  random: Random,
): { readonly values: FieldValues | null; readonly excluded: number } {
  const { goodDensities, badDensities, tried } = search
  let best: FieldValues | null = null
  let most = Number.NEGATIVE_INFINITY
  let excluded = 0
  for (let i = 0; i < candidates; i++) {
    const values = pointAtPlaces(
      space,
      goodDensities.map(density => density.draw(random)),
    )
    if (!isAllowed(space, values)) excluded++
    else if (!tried.has(keyOf(space, values))) {
      let gain = 0
      for (const [d, place] of placesOf(space, values).entries())
        gain += Math.log(goodDensities[d]?.at(place) ?? 1) - Math.log(badDensities[d]?.at(place) ?? 1)
      if (gain > most) {
        most = gain
        best = values
      }
    }
  }
  return { values: best, excluded }
}

/** A point that has not been tried, or null where there is none left, or hardly any. */
function drawNew(
  space: Space,
  given: { readonly tried: ReadonlySet<string>; readonly looks: Looks },
  random: Random,
): FieldValues | null {
  return drawPoints(space, { ...given, count: 1 }, random).points[0] ?? null
}
