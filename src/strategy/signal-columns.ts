import { RuleScratch } from './column-scratch.ts'
import type { RuleKind } from './strategy.ts'

export type DistanceKind = 'stop' | 'target' | 'limit' | 'entry_stop'

/**
 * The columns that signals are written to, kept for the next time: whoever computes signals of thousands of strategies on
 * the same bars allocates 4 bytes per bar once, 8 more for each of the distances. Those computed last are valid
 * until the next ones are computed.
 */
export class SignalColumns {
  /** Of the rules. */
  readonly scratch = new RuleScratch()
  private readonly signalColumns = new Map<RuleKind, Uint8Array<ArrayBuffer>>()
  private readonly distanceColumns = new Map<DistanceKind, Float64Array<ArrayBuffer>>()

  /** One element per bar, all 0. */
  signals(kind: RuleKind, bars: number): Uint8Array {
    const kept = this.signalColumns.get(kind)
    if (kept?.length === bars) return kept.fill(0)
    const column = new Uint8Array(bars)
    this.signalColumns.set(kind, column)
    return column
  }

  /** One element per bar, to be written. */
  distances(kind: DistanceKind, bars: number): Float64Array {
    const kept = this.distanceColumns.get(kind)
    if (kept?.length === bars) return kept
    const column = new Float64Array(bars)
    this.distanceColumns.set(kind, column)
    return column
  }

  /** Gives the memory back at once: a garbage collector that sees small objects alone would wait. */
  release(): void {
    for (const column of [...this.signalColumns.values(), ...this.distanceColumns.values()])
      column.buffer.transfer(0)
    this.signalColumns.clear()
    this.distanceColumns.clear()
  }
}
