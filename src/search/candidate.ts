import type { FieldValue, FieldValues } from './field-path.ts'
import type { Space } from './space.ts'

/** Points that a search may still look at; it goes down. */
export type Looks = { left: number }

/** Points looked at for one plan at most. */
const maxLooks = 100_000

/** Steps of work for one plan at most, about 20 ns each: a plan is made while requests wait. */
const maxWork = 2_000_000

/**
 * How many points of a space one plan looks at: fewer where each takes longer, as with many fields, ranges without steps
 * and long constraints.
 */
export function allowLooks({ axes, constraints }: Space): Looks {
  const ofFields = axes.reduce((sum, { count }) => sum + (count === null ? 10 : 5), 5)
  const ofConstraints = constraints.reduce((sum, { text }) => sum + text.length / 3, 0)
  return { left: Math.min(maxLooks, Math.ceil(maxWork / (ofFields + ofConstraints))) }
}

/** A point of a space that is looked at before it is kept: one object serves all that are looked at. */
export class Candidate {
  readonly #space: Space
  readonly #values: Record<string, FieldValue>
  /** Whether the points of the space can be told apart by a whole number. */
  readonly #isCounted: boolean
  #ordinal = 0

  constructor(space: Space) {
    this.#space = space
    this.#values = Object.fromEntries(space.axes.map(({ path, valueAt }) => [path, valueAt(0)]))
    const size = space.axes.reduce((product, { count }) => product * (count ?? Number.POSITIVE_INFINITY), 1)
    this.#isCounted = size <= Number.MAX_SAFE_INTEGER
  }

  /** The number of the point, in a space of steps. */
  get ordinal(): number {
    return this.#ordinal
  }

  /** Moves to the point at places 0–1, one for each axis, as `pointAtPlaces`. */
  moveToPlaces(placeOf: (d: number) => number): void {
    const { axes } = this.#space
    let ordinal = 0
    let d = 0
    for (const { path, count, levelAt, levelValue, valueAt } of axes) {
      const place = placeOf(d++)
      if (count === null) {
        this.#values[path] = valueAt(place)
      } else {
        const level = levelAt(place)
        this.#values[path] = levelValue(level)
        ordinal = ordinal * count + level
      }
    }
    this.#ordinal = ordinal
  }

  /** Moves to the point with a number: mixed radix, the last field changes fastest. @param ordinal 0 to `sizeOf` − 1 */
  moveToOrdinal(ordinal: number): void {
    const { axes } = this.#space
    let rest = ordinal
    for (let d = axes.length - 1; d >= 0; d--) {
      const axis = axes[d]
      if (axis === undefined || axis.count === null) throw new RangeError(`${axis?.path} has no steps`)
      this.#values[axis.path] = axis.levelValue(rest % axis.count)
      rest = Math.floor(rest / axis.count)
    }
    this.#ordinal = ordinal
  }

  /** Whether every constraint holds. */
  isAllowed(): boolean {
    for (const { accepts } of this.#space.constraints) if (!accepts(this.#values)) return false
    return true
  }

  /** What two points share exactly when they are the same; of a space of steps the number of the point. */
  key(): number | string {
    return this.#isCounted ? this.#ordinal : Object.values(this.#values).join()
  }

  /** The point to keep. */
  copy(): FieldValues {
    return { ...this.#values }
  }
}
