import type { OutputColumns } from '../indicators/indicator.ts'

/**
 * Indicators calculated before on the same bars, the most recently used ones: of all the variants of a strategy that a
 * search tries, many share theirs. Nothing depends on it but the time: what it gives is what would be calculated, to
 * the bit, because it is what was calculated.
 */
export class ColumnCache {
  private readonly maxBytes: number
  private readonly entries = new Map<string, OutputColumns>()
  private readonly ids = new WeakMap<object, number>()
  private nextId = 0
  private bytes = 0

  /** @param maxBytes of columns that are kept; what alone is larger is not kept */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /**
   * The columns kept under a key for these bars, or those that `calculate` gives. Not to be written to.
   * @param bars told apart by identity: the same object stands for the same bars, which do not change
   * @param key says what is calculated, completely
   */
  read(bars: object, key: string, calculate: () => OutputColumns): OutputColumns {
    const entry = `${this.idOf(bars)} ${key}`
    const kept = this.entries.get(entry)
    if (kept !== undefined) {
      // Deleting first puts it last: the first entry is always the one that was not used for longest.
      this.entries.delete(entry)
      this.entries.set(entry, kept)
      return kept
    }
    const columns = calculate()
    this.keep(entry, columns)
    return columns
  }

  /** Bytes of the columns that are kept. */
  get byteLength(): number {
    return this.bytes
  }

  private keep(entry: string, columns: OutputColumns): void {
    const size = bytesOf(columns)
    if (size > this.maxBytes) return
    for (const [oldest, dropped] of this.entries) {
      if (this.bytes + size <= this.maxBytes) break
      this.entries.delete(oldest)
      this.bytes -= bytesOf(dropped)
    }
    this.entries.set(entry, columns)
    this.bytes += size
  }

  private idOf(bars: object): number {
    const known = this.ids.get(bars)
    if (known !== undefined) return known
    const id = this.nextId++
    this.ids.set(bars, id)
    return id
  }
}

function bytesOf(columns: OutputColumns): number {
  return Object.values(columns).reduce((sum, column) => sum + column.byteLength, 0)
}
