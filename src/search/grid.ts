import { Candidate } from './candidate.ts'
import type { FieldValues } from './field-path.ts'
import { type Drawn, type Space, sizeOf } from './space.ts'

/** Every point of the space that the constraints allow, the first field slowest. @param space of steps only */
export function enumerateGrid(space: Space): Drawn {
  const size = sizeOf(space)
  const points: FieldValues[] = []
  const candidate = new Candidate(space)
  for (let ordinal = 0; ordinal < size; ordinal++) {
    candidate.moveToOrdinal(ordinal)
    if (candidate.isAllowed()) points.push(candidate.copy())
  }
  return { points, excluded: size - points.length }
}
