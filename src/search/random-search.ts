import type { Random } from '../statistics/random.ts'
import type { FieldValues } from './field-path.ts'
import { type Drawn, isAllowed, keyOf, pointAt, pointAtPlaces, type Space, sizeOf } from './space.ts'

/** Points looked at for each that is wanted, before the rest is counted through. */
const patience = 20

/** Spaces up to this size are counted through where drawing finds no more. */
const maxCounted = 100_000

/**
 * Points drawn one by one, none twice, each as likely as its share (`Axis.valueAt`): fewer than asked for only where
 * the constraints leave no more, or hardly any.
 */
export function drawPoints(space: Space, count: number, random: Random): Drawn {
  const points: FieldValues[] = []
  const seen = new Set<string>()
  let excluded = 0
  const take = (values: FieldValues) => {
    const key = keyOf(space, values)
    if (seen.has(key)) return
    seen.add(key)
    if (isAllowed(space, values)) points.push(values)
    else excluded++
  }
  const size = sizeOf(space)
  const places = new Float64Array(space.axes.length)
  for (let left = count * patience + 1000; left > 0 && points.length < count && seen.size < size; left--) {
    for (let d = 0; d < places.length; d++) places[d] = random.uniform()
    take(pointAtPlaces(space, places))
  }
  if (points.length < count && size <= maxCounted) {
    const order = Int32Array.from({ length: size }, (_, i) => i)
    random.shuffle(order)
    for (const ordinal of order) {
      if (points.length >= count) break
      take(pointAt(space, ordinal))
    }
  }
  return { points, excluded }
}
