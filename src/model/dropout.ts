import type { Engine } from './kernels.ts'
import type { Place } from './memory-plan.ts'

/** What a mask depends on, besides the layer, the place of a row in its batch and the unit. */
export type DropoutSeed = {
  /** A whole number, 0–2^53 − 1. */
  readonly seed: number
  /** Steps of the optimiser done before. */
  readonly step: number
}

/** A key of 64 bits for one layer in one step. */
export type DropoutKey = { readonly low: number; readonly high: number }

/** The same arguments give the same key; any other ones another, as good as independent. */
export function dropoutKey({ seed, step }: DropoutSeed, layer: number): DropoutKey {
  const [seedHigh, stepHigh] = [Math.floor(seed / 2 ** 32), Math.floor(step / 2 ** 32)]
  const chain = (start: number) => {
    let key = scramble(start ^ seed)
    key = scramble((key + seedHigh) | 0)
    key = scramble((key + step) | 0)
    return scramble((key + Math.imul(stepHigh, 0x27d4eb2f) + Math.imul(layer, 0x165667b1)) | 0)
  }
  return { low: chain(0x243f6a88), high: chain(0x85a308d3) }
}

/** A bijection whose output bits depend on all input bits. */
function scramble(value: number): number {
  let x = value
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}

export type DroppedRows = {
  readonly values: Place
  /** Address of the derivatives at the same stride, 0 for none: they are dropped likewise. */
  readonly slopes: number
  readonly rows: number
  readonly units: number
  /** Number of the first row, and from one to the next: what makes a row's mask its own. */
  readonly counter: number
  readonly counterStep: number
}

/** Leaves out a share of the units and enlarges the others so that their mean stays. @param share 0 < share < 1 */
export function dropUnits({ kernels }: Engine, share: number, key: DropoutKey, dropped: DroppedRows): void {
  const { values, slopes, rows, units, counter, counterStep } = dropped
  const threshold = Math.min(2 ** 32 - 1, Math.round(share * 2 ** 32))
  const { at, row } = values
  const { low, high } = key
  const scale = 1 / (1 - share)
  kernels.dropout(at, slopes, row, rows, units, low, high, counter, counterStep, threshold, scale)
}
