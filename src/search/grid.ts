import { type Drawn, isAllowed, pointAt, type Space, sizeOf } from './space.ts'

/** Every point of the space that the constraints allow, the first field slowest. @param space of steps only */
export function enumerateGrid(space: Space): Drawn {
  const size = sizeOf(space)
  const points = Array.from({ length: size }, (_, ordinal) => pointAt(space, ordinal))
  const allowed = points.filter(values => isAllowed(space, values))
  return { points: allowed, excluded: size - allowed.length }
}
