import { type QualityCheckName, qualityChecks, type Severity } from './quality-checks.ts'

/** One bar that a check found. */
export type QualityExample = {
  /** Open time of the bar, epoch ms UTC; null when it is no finite number. */
  readonly time: number | null
  /** The offending number; null when it is not finite. */
  readonly value: number | null
  readonly message: string
}

/** What one check found. */
export type QualityCheck = {
  readonly name: QualityCheckName
  readonly severity: Severity
  readonly description: string
  /** Bars found, 0 when all is well. */
  readonly count: number
  /** count ÷ bars, 0–1. */
  readonly share: number
  /** The oldest ones. */
  readonly examples: readonly QualityExample[]
}

type Entry = { severity: Severity; count: number; examples: QualityExample[] }

/** Counts what the checks find and keeps the first `limit` examples of each. */
export class QualityTally {
  private readonly limit: number
  private readonly entries = new Map<QualityCheckName, Entry>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** @param bars found at once, e.g. a whole run  @param message made only when the example is kept */
  add(
    name: QualityCheckName,
    found: { readonly time: number; readonly value: number; readonly bars?: number },
    message: () => string,
  ): void {
    const entry = this.entryOf(name)
    entry.count += found.bars ?? 1
    if (entry.examples.length >= this.limit) return
    // Adding 0 turns −0, which JSON does not have, into 0.
    const finite = (value: number) => (Number.isFinite(value) ? value + 0 : null)
    entry.examples.push({ time: finite(found.time), value: finite(found.value), message: message() })
  }

  countOf(name: QualityCheckName): number {
    return this.entries.get(name)?.count ?? 0
  }

  /** Replaces the severity of the table. */
  judge(name: QualityCheckName, severity: Severity): void {
    this.entryOf(name).severity = severity
  }

  /** Every check of the table. @param bars checked */
  end(bars: number): QualityCheck[] {
    return (Object.keys(qualityChecks) as QualityCheckName[]).map(name => {
      const { severity, count, examples } = this.entryOf(name)
      const share = bars === 0 ? 0 : count / bars
      return { name, severity, description: qualityChecks[name].description, count, share, examples }
    })
  }

  private entryOf(name: QualityCheckName): Entry {
    const known = this.entries.get(name)
    if (known !== undefined) return known
    const entry: Entry = { severity: qualityChecks[name].severity, count: 0, examples: [] }
    this.entries.set(name, entry)
    return entry
  }
}

/** Whether a time is within the range of dates, ±8.64e15 ms: calendars cannot place any other. */
export function isDate(timeMs: number): boolean {
  return Math.abs(timeMs) <= 8.64e15
}
