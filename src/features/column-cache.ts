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
  /** Memory that was taken back, to be used again. */
  private spare: Float64Array[] = []
  /** Entries that were read or kept since the last release: somebody may be looking at them. */
  private readonly used = new Set<string>()
  /** Bytes given out since then. */
  private allocated = 0
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
    const kept = this.find(bars, key)
    if (kept !== null) return kept
    const columns = calculate()
    this.keep(bars, key, columns)
    return columns
  }

  /** The columns kept under a key for these bars, or null; see `read`. */
  find(bars: object, key: string): OutputColumns | null {
    const entry = this.entryOf(bars, key)
    const kept = this.entries.get(entry)
    if (kept === undefined) return null
    // Deleting first puts it last: the first entry is always the one that was not used for longest.
    this.entries.delete(entry)
    this.entries.set(entry, kept)
    this.used.add(entry)
    return kept
  }

  /**
   * Columns to calculate into, with anything in them. Where columns are released, in the memory of those that have not
   * been read for longest, and not since the last release. Null when together they are larger than what is kept.
   */
  allocate(count: number, length: number): readonly Float64Array[] | null {
    const size = count * length * Float64Array.BYTES_PER_ELEMENT
    if (size > this.maxBytes) return null
    this.allocated += size
    if (this.isReleased) this.makeRoom()
    return Array.from({ length: count }, () => {
      const at = this.spare.findIndex(column => column.length === length)
      const [column] = at === -1 ? [] : this.spare.splice(at, 1)
      return column ?? new Float64Array(length)
    })
  }

  /**
   * Gives back the memory of all columns that were read and are not kept any more. They are empty from then on: nobody
   * may read them again. A garbage collector that sees small objects alone would let such columns pile up.
   */
  release(): void {
    this.recycle(this.dropped)
    this.dropped = []
    this.used.clear()
    this.allocated = 0
  }

  /** Forgets everything and gives all of it back, where it is released at all. */
  clear(): void {
    for (const columns of this.entries.values()) this.drop(columns)
    this.entries.clear()
    this.bytes = 0
    this.release()
    for (const { buffer } of this.spare) if ('transfer' in buffer) buffer.transfer(0)
    this.spare = []
  }

  /** Bytes of the columns that are kept. */
  get byteLength(): number {
    return this.bytes
  }

  /** Keeps columns that nobody writes to any more, and drops those that have not been read for longest. */
  keep(bars: object, key: string, columns: OutputColumns): void {
    const entry = this.entryOf(bars, key)
    const replaced = this.entries.get(entry)
    if (replaced !== undefined) {
      this.entries.delete(entry)
      this.bytes -= bytesOf(replaced)
      this.drop(replaced)
    }
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
    this.used.add(entry)
    this.bytes += size
  }

  /** Takes the memory of what is not in use, as much as was allocated and does not fit beside what is kept. */
  private makeRoom(): void {
    for (const [entry, columns] of this.entries) {
      if (this.bytes + this.allocated <= this.maxBytes) return
      if (this.used.has(entry)) continue
      this.entries.delete(entry)
      this.bytes -= bytesOf(columns)
      this.recycle([columns])
    }
  }

  /** Takes the memory away from whoever has it. What does not fit beside what is kept goes back to the system. */
  private recycle(all: readonly OutputColumns[]): void {
    const shared = new Set<ArrayBufferLike>()
    for (const columns of this.entries.values())
      for (const { buffer } of Object.values(columns)) shared.add(buffer)
    for (const { buffer } of all.flatMap(columns => Object.values(columns))) {
      if (!('transfer' in buffer) || buffer.detached || shared.has(buffer) || this.given.has(buffer)) continue
      const waiting = this.spare.reduce((sum, column) => sum + column.byteLength, 0)
      const fits = this.bytes + waiting + buffer.byteLength <= this.maxBytes
      const taken = buffer.transfer(fits ? buffer.byteLength : 0)
      if (fits && taken.byteLength % Float64Array.BYTES_PER_ELEMENT === 0)
        this.spare.push(new Float64Array(taken))
    }
  }

  private drop(columns: OutputColumns): void {
    if (this.isReleased) this.dropped.push(columns)
  }

  private entryOf(bars: object, key: string): string {
    return `${this.idOf(bars)} ${key}`
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
