import type { RankedTrial } from './objective.ts'
import { type Space, valueOn } from './space.ts'

/** What lies round a trial: a good trial among bad ones is luck. */
export type Neighbourhood = {
  /** Trials looked at, the one itself not among them. */
  readonly trials: number
  /** Of these, those without a score. */
  readonly without_score: number
  /** Of the scores, the middle one or the mean of both; null where there is none. */
  readonly median: number | null
}

/** Neighbours looked at where the points of the space do not lie on a grid. */
export const nearestCount = 10

/**
 * The trials beside one. On a grid: those that differ by at most one step of each number and in no other field.
 * Elsewhere the ten nearest, by the distance of their places, 1 where fields without order differ; of equally near ones
 * those planned first.
 */
export function findNeighbourhood(
  space: Space,
  {
    trials,
    centre,
    onGrid,
  }: { readonly trials: readonly RankedTrial[]; readonly centre: RankedTrial; readonly onGrid: boolean },
): Neighbourhood {
  const others = trials.filter(({ index }) => index !== centre.index)
  const near = onGrid
    ? others.filter(trial => isBeside(space, trial, centre))
    : others
        .map(trial => ({ ...trial, distance: distanceOf(space, trial, centre) }))
        .sort((a, b) => a.distance - b.distance || a.index - b.index)
        .slice(0, nearestCount)
  const scores = near.map(({ score }) => score).filter(score => score !== null)
  return { trials: near.length, without_score: near.length - scores.length, median: medianOf(scores) }
}

/** The middle value, or the mean of both; null of none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [below, above] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return below === undefined || above === undefined ? null : below + (above - below) / 2
}

type Point = Pick<RankedTrial, 'values'>

function isBeside({ axes }: Space, one: Point, other: Point): boolean {
  return axes.every(axis => {
    const [a, b] = [valueOn(axis, one.values), valueOn(axis, other.values)]
    return axis.numeric ? axis.stepsBetween(a, b) <= 1 : a === b
  })
}

function distanceOf({ axes }: Space, one: Point, other: Point): number {
  const parts = axes.map(axis => {
    const [a, b] = [valueOn(axis, one.values), valueOn(axis, other.values)]
    if (!axis.numeric) return a === b ? 0 : 1
    return axis.placeOf(a) - axis.placeOf(b)
  })
  return Math.hypot(...parts)
}
