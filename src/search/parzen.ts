import { normalCdf } from '../statistics/normal.ts'
import type { Random } from '../statistics/random.ts'

/** Where good or bad trials lie on one axis: it gives places and says how dense they are. */
export type Density = {
  /** A place in [0, 1). */
  draw(random: Random): number
  /** Above 0. */
  at(place: number): number
}

/** Least width of a window, as a part of the axis: one part in this many trials, at most a hundredth. */
const narrowest = 100

/**
 * Parzen windows over places of 0–1: a normal curve round each, as wide as the way to its farther neighbour, and one as
 * wide as the axis, so that no place is out of reach. All are cut off at both ends.
 * Source: Bergstra, Bardenet, Bengio and Kégl 2011, Algorithms for Hyper-Parameter Optimization, section 4.
 * @param places of trials, 0–1, in any order
 */
export function createParzen(places: readonly number[]): Density {
  const sorted = [...places, 0.5].sort((a, b) => a - b)
  const prior = sorted.indexOf(0.5)
  const least = 1 / Math.min(narrowest, sorted.length + 1)
  const windows = sorted.map((middle, i) => {
    const before = middle - (sorted[i - 1] ?? 0)
    const after = (sorted[i + 1] ?? 1) - middle
    const width = i === prior ? 1 : Math.min(1, Math.max(least, before, after))
    // What is cut off belongs to the rest.
    return { middle, width, share: normalCdf((1 - middle) / width) - normalCdf(-middle / width) }
  })
  return {
    draw(random) {
      const { middle, width } = windows[random.below(windows.length)] ?? { middle: 0.5, width: 1 }
      // A third of each curve at least lies inside: sixty-four misses in a row do not happen.
      for (let left = 64; left > 0; left--) {
        const place = middle + width * random.normal()
        if (place >= 0 && place < 1) return place
      }
      return middle
    },
    at(place) {
      let sum = 0
      for (const { middle, width, share } of windows) {
        const z = (place - middle) / width
        sum += Math.exp(-0.5 * z * z) / (width * share)
      }
      return sum / (windows.length * Math.sqrt(2 * Math.PI))
    },
  }
}

/**
 * Shares of values without order: how often each occurs, one more for each so that none is out of reach.
 * @param places of trials, the middle of the share of a value: (value + 0.5) / count
 */
export function createShares(places: readonly number[], count: number): Density {
  const weights = new Float64Array(count).fill(1)
  const valueAt = (place: number) => Math.min(count - 1, Math.floor(place * count))
  for (const place of places) weights[valueAt(place)] = (weights[valueAt(place)] ?? 0) + 1
  const total = places.length + count
  return {
    draw(random) {
      let left = random.uniform() * total
      for (let value = 0; value < count; value++) {
        left -= weights[value] ?? 0
        if (left < 0) return (value + 0.5) / count
      }
      return (count - 0.5) / count
    },
    at: place => ((weights[valueAt(place)] ?? 0) * count) / total,
  }
}
