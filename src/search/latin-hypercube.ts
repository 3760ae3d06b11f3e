import type { Random } from '../statistics/random.ts'
import type { FieldValues } from './field-path.ts'
import { type Drawn, isAllowed, keyOf, pointAtPlaces, type Space } from './space.ts'

/** Exchanges tried for each point that cannot be used. */
const exchanges = 10

/**
 * A Latin hypercube: the range of each field is cut into `count` shares of equal size, and each share is used by
 * exactly one point. A point that repeats another or that the constraints forbid exchanges the share of one field with
 * another point, which keeps that property; what cannot be helped so is left out.
 * Source: McKay, Beckman and Conover 1979, Technometrics 21.
 */
export function drawHypercube(space: Space, count: number, random: Random): Drawn {
  const shares = space.axes.map(() => drawShares(count, random))
  const pointOf = (i: number) =>
    pointAtPlaces(
      space,
      shares.map(ofAxis => ofAxis[i] ?? 0),
    )
  const table = new PointTable(
    space,
    Array.from({ length: count }, (_, i) => pointOf(i)),
  )
  for (let i = 0; i < count; i++) {
    for (let left = exchanges; left > 0 && !table.isUsable(i); left--) {
      const ofAxis = shares[random.below(shares.length)]
      const j = random.below(count)
      if (ofAxis === undefined) break
      const before = table.countUsable(i, j)
      exchange(ofAxis, i, j)
      table.replace(i, pointOf(i))
      table.replace(j, pointOf(j))
      if (table.countUsable(i, j) >= before) continue
      exchange(ofAxis, i, j)
      table.replace(i, pointOf(i))
      table.replace(j, pointOf(j))
    }
  }
  return table.drawn()
}

/** A place in every one of `count` shares, in any order. */
function drawShares(count: number, random: Random): Float64Array {
  const shares = Float64Array.from({ length: count }, (_, share) => (share + random.uniform()) / count)
  random.shuffle(shares)
  return shares
}

function exchange(shares: Float64Array, i: number, j: number): void {
  const held = shares[i] as number
  shares[i] = shares[j] as number
  shares[j] = held
}

/** Points by number, and which of them can be used: allowed, and not the same as another. */
class PointTable {
  readonly #space: Space
  readonly #points: FieldValues[]
  readonly #allowed: boolean[]
  readonly #keys: string[]
  /** How many points share a key. */
  readonly #uses = new Map<string, number>()

  constructor(space: Space, points: FieldValues[]) {
    this.#space = space
    this.#points = points
    this.#allowed = points.map(values => isAllowed(space, values))
    this.#keys = points.map(values => keyOf(space, values))
    for (const key of this.#keys) this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1)
  }

  isUsable(i: number): boolean {
    return this.#allowed[i] === true && this.#uses.get(this.#keys[i] ?? '') === 1
  }

  countUsable(i: number, j: number): number {
    return Number(this.isUsable(i)) + Number(this.isUsable(j))
  }

  replace(i: number, values: FieldValues): void {
    const [before = '', after] = [this.#keys[i], keyOf(this.#space, values)]
    this.#uses.set(before, (this.#uses.get(before) ?? 0) - 1)
    this.#uses.set(after, (this.#uses.get(after) ?? 0) + 1)
    this.#keys[i] = after
    this.#points[i] = values
    this.#allowed[i] = isAllowed(this.#space, values)
  }

  /** The points that can be used, of those that are the same the first. */
  drawn(): Drawn {
    const first = new Map(this.#keys.map((key, i) => [key, i] as const).reverse())
    const points = this.#points.filter((_, i) => this.#allowed[i] && first.get(this.#keys[i] ?? '') === i)
    return { points, excluded: this.#allowed.filter(allowed => !allowed).length }
  }
}
