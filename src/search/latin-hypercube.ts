import type { Random } from '../statistics/random.ts'
import { allowLooks, Candidate } from './candidate.ts'
import type { FieldValues } from './field-path.ts'
import type { Drawn, Space } from './space.ts'

/** Exchanges tried for each point that cannot be used. */
const exchanges = 10

/** What an exchange counts for among the points that may be looked at: two are, and written down. */
const lookEach = 4

/**
 * A Latin hypercube: the range of each field is cut into `count` shares of equal size, and each share is used by
 * exactly one point. A point that repeats another or that the constraints forbid exchanges the share of one field with
 * another point, which keeps that property; what cannot be helped so is left out.
 * Source: McKay, Beckman and Conover 1979, Technometrics 21.
 */
export function drawHypercube(space: Space, count: number, random: Random): Drawn {
  const shares = space.axes.map(() => drawShares(count, random))
  const table = new PointTable(space, shares, count)
  const looks = allowLooks(space)
  looks.left -= 2 * count
  for (let i = 0; i < count && looks.left > 0; i++) {
    for (let left = exchanges; left > 0 && looks.left > 0 && !table.isUsable(i); left--) {
      const ofAxis = shares[random.below(shares.length)]
      const j = random.below(count)
      if (ofAxis === undefined) break
      looks.left -= lookEach
      const before = table.countUsable(i, j)
      const [heldI, heldJ] = [table.at(i), table.at(j)]
      exchange(ofAxis, i, j)
      table.read(i)
      table.read(j)
      if (table.countUsable(i, j) >= before) continue
      exchange(ofAxis, i, j)
      table.put(i, heldI)
      table.put(j, heldJ)
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

/** The key of a point; null where the constraints forbid it. */
type Key = number | string | null

/** Points by number, and which of them can be used: allowed, and not the same as another. */
class PointTable {
  readonly #shares: readonly Float64Array[]
  readonly #candidate: Candidate
  readonly #keys: Key[] = []
  /** How many of the points that are allowed share a key. */
  readonly #uses = new Map<number | string, number>()

  /** @param shares by axis, in each the place of every point; they may be exchanged, after which points are read anew */
  constructor(space: Space, shares: readonly Float64Array[], count: number) {
    this.#shares = shares
    this.#candidate = new Candidate(space)
    for (let i = 0; i < count; i++) this.read(i)
  }

  at(i: number): Key {
    return this.#keys[i] ?? null
  }

  isUsable(i: number): boolean {
    const key = this.at(i)
    return key !== null && this.#uses.get(key) === 1
  }

  countUsable(i: number, j: number): number {
    return Number(this.isUsable(i)) + Number(this.isUsable(j))
  }

  read(i: number): void {
    this.#move(i)
    this.put(i, this.#candidate.isAllowed() ? this.#candidate.key() : null)
  }

  put(i: number, key: Key): void {
    const before = this.at(i)
    if (before !== null) this.#uses.set(before, (this.#uses.get(before) ?? 0) - 1)
    if (key !== null) this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1)
    this.#keys[i] = key
  }

  /** The points that can be used, of those that are the same the first. */
  drawn(): Drawn {
    const taken = new Set<number | string>()
    const points: FieldValues[] = []
    let excluded = 0
    for (const [i, key] of this.#keys.entries()) {
      if (key === null) excluded++
      else if (!taken.has(key)) {
        taken.add(key)
        this.#move(i)
        points.push(this.#candidate.copy())
      }
    }
    return { points, excluded }
  }

  #move(i: number): void {
    this.#candidate.moveToPlaces(d => this.#shares[d]?.[i] ?? 0)
  }
}
