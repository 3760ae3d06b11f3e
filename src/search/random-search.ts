import type { Random } from '../statistics/random.ts'
import { Candidate, type Looks } from './candidate.ts'
import type { FieldValues } from './field-path.ts'
import { type Drawn, keyOf, type Space, sizeOf } from './space.ts'

/** How many points are wanted, and what may be spent on them. */
export type Wanted = {
  readonly count: number
  /** It goes down by the points that are looked at. */
  readonly looks: Looks
  /** Points not to take, by `keyOf`. */
  readonly tried?: ReadonlySet<string>
}

/**
 * Points drawn one by one, none twice, each as likely as its share (`Axis.valueAt`), then, in a space of no more points
 * than may be looked at, those that drawing has not found: fewer than wanted only where the constraints leave no more, or
 * so few that they are not found within `looks`.
 */
export function drawPoints(space: Space, { count, looks, tried }: Wanted, random: Random): Drawn {
  const points: FieldValues[] = []
  let excluded = 0
  const candidate = new Candidate(space)
  const size = sizeOf(space)
  const isCountable = size <= looks.left
  const seen = isCountable ? new Uint8Array(size) : null
  let seenPoints = 0
  const taken = new Set<number | string>()
  const take = () => {
    if (seen !== null) {
      if (seen[candidate.ordinal] === 1) return
      seen[candidate.ordinal] = 1
      seenPoints++
    }
    if (!candidate.isAllowed()) {
      excluded++
      return
    }
    // In a space too large to remember all of it, a point that is allowed is told by its key.
    if (seen === null) {
      const key = candidate.key()
      if (taken.has(key)) return
      taken.add(key)
    }
    const values = candidate.copy()
    if (tried === undefined || !tried.has(keyOf(space, values))) points.push(values)
  }
  const places = new Float64Array(space.axes.length)
  const placeOf = (d: number) => places[d] ?? 0
  // What drawing leaves over is for counting through.
  const spared = isCountable ? Math.floor(looks.left / 2) : 0
  while (points.length < count && looks.left > spared && seenPoints < size) {
    looks.left--
    for (let d = 0; d < places.length; d++) places[d] = random.uniform()
    candidate.moveToPlaces(placeOf)
    take()
  }
  if (!isCountable || points.length >= count || seenPoints === size) return { points, excluded }
  const order = Int32Array.from({ length: size }, (_, ordinal) => ordinal)
  random.shuffle(order)
  for (const ordinal of order) {
    if (points.length >= count || looks.left <= 0) break
    if (seen?.[ordinal] === 1) continue
    looks.left--
    candidate.moveToOrdinal(ordinal)
    take()
  }
  return { points, excluded }
}
