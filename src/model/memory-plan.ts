import { Problem } from '../problems.ts'

/** Memory one model may take: training does not share it, so several at once must fit. */
export const maxModelBytes = 2 ** 30

/** Units are computed eight at a time. */
export const pad8 = (count: number): number => Math.ceil(count / 8) * 8

/** Values from one row to the next. Rows a power of two apart would meet in the same few lines of the cache. */
export const strideOf = (width: number): number => (pad8(width) % 64 === 0 ? pad8(width) + 8 : pad8(width))

/** Rows side by side: address of the first, bytes from one to the next. */
export type Place = { readonly at: number; readonly row: number }

/** Deals out addresses of a memory that is created once all is known. */
export class MemoryPlan {
  /** The first bytes stay empty: an address of 0 means that there is none. */
  bytes = 64

  /** @returns the address of `count` values of 4 bytes, at the start of a cache line */
  reserve(count: number): number {
    const at = this.bytes
    this.bytes += Math.ceil(count / 16) * 64
    return at
  }

  /** Room for rows of a width, padded. */
  reserveRows(rows: number, width: number): Place {
    const stride = strideOf(width)
    return { at: this.reserve(rows * stride), row: stride * 4 }
  }

  /** @throws {Problem} 'params-invalid' when the model is too large */
  check(): void {
    if (this.bytes <= maxModelBytes) return
    const needed = Math.ceil(this.bytes / 2 ** 20)
    throw new Problem(
      'params-invalid',
      `the model needs ${needed} MiB of memory, at most ${maxModelBytes / 2 ** 20} are allowed`,
      {
        hint: 'Use fewer or narrower layers, or a shorter sequence.',
      },
    )
  }
}
