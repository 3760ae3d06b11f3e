import type { Keeps } from './network.ts'

const scramble = (value: number, key = 0): number => {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d) ^ key
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}

/** Which units the kernels keep in a step, worked out one by one. */
export function keepsOf({ seed, step, share }: { seed: number; step: number; share: number }): Keeps {
  const word = (start: number, layer: number) => {
    let key = scramble(start ^ (seed % 2 ** 32))
    key = scramble((key + Math.floor(seed / 2 ** 32)) | 0)
    key = scramble((key + step) | 0)
    return scramble((key + Math.imul(layer, 0x165667b1)) | 0)
  }
  return (layer, counter, unit) => {
    const row = scramble((word(0x243f6a88, layer) + Math.imul(counter, 0x9e3779b9)) | 0)
    const drawn = scramble((row + Math.imul(unit + 1, 0x85ebca77)) | 0, word(0x85a308d3, layer)) >>> 0
    return drawn >= Math.round(share * 2 ** 32)
  }
}
