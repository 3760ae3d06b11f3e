import type { OutputColumns } from '../indicators/indicator.ts'

/**
 * Indicators calculated before on the same bars, the most recently used ones: of all the variants of a strategy that a
 * search tries, many share theirs. Nothing depends on it but the time: what it gives is what would be calculated, to
 * the bit, because it is what was calculated.
 */
export class ColumnCache {
  private readonly maxBytes: number
  private readonly isReleased: boolean
  private readonly entries = new Map<string, OutputColumns>()
  private readonly ids = new WeakMap<object, number>()
  /** Memory of the bars, which an indicator may pass on as its own column. */
  private readonly given = new WeakSet<ArrayBufferLike>()
  private dropped: OutputColumns[] = []
  private nextId = 0
  private bytes = 0

  /**
   * @param maxBytes of columns that are kept; what alone is larger is not kept
   * @param options.isReleased whether `release` is going to be called; default: what is dropped is left to the garbage
   * collector
   */
  constructor(maxBytes: number, { isReleased = false }: { readonly isReleased?: boolean } = {}) {
    this.maxBytes = maxBytes
    this.isReleased = isReleased
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

  /**
   * Gives back the memory of all columns that were read and are not kept any more. They are empty from then on: nobody
   * may read them again. A garbage collector that sees small objects alone would let such columns pile up.
   */
  release(): void {
    const kept = new Set<ArrayBufferLike>()
    for (const columns of this.entries.values())
      for (const { buffer } of Object.values(columns)) kept.add(buffer)
    for (const columns of this.dropped)
      for (const { buffer } of Object.values(columns))
        if ('transfer' in buffer && !buffer.detached && !kept.has(buffer) && !this.given.has(buffer))
          buffer.transfer(0)
    this.dropped = []
  }

  /** Forgets everything and gives all of it back, where it is released at all. */
  clear(): void {
    for (const columns of this.entries.values()) this.drop(columns)
    this.entries.clear()
    this.bytes = 0
    this.release()
  }

  /** Bytes of the columns that are kept. */
  get byteLength(): number {
    return this.bytes
  }

  private keep(entry: string, columns: OutputColumns): void {
    const size = bytesOf(columns)
    if (size > this.maxBytes) {
      this.drop(columns)
      return
    }
    for (const [oldest, dropped] of this.entries) {
      if (this.bytes + size <= this.maxBytes) break
      this.entries.delete(oldest)
      this.bytes -= bytesOf(dropped)
      this.drop(dropped)
    }
    this.entries.set(entry, columns)
    this.bytes += size
  }

  private drop(columns: OutputColumns): void {
    if (this.isReleased) this.dropped.push(columns)
  }

  private idOf(bars: object): number {
    const known = this.ids.get(bars)
    if (known !== undefined) return known
    const id = this.nextId++
    this.ids.set(bars, id)
    for (const column of Object.values(bars)) if (ArrayBuffer.isView(column)) this.given.add(column.buffer)
    return id
  }
}

function bytesOf(columns: OutputColumns): number {
  return Object.values(columns).reduce((sum, column) => sum + column.byteLength, 0)
}
