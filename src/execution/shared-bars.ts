import type { BarsArchive } from '../archive/bars.ts'
import type { PinnedBars } from '../archive/bars-history.ts'
import type { TaskRunner } from '../archive/task-runner.ts'
import { type Bars, barFields } from '../market/bars.ts'
import type { SharedDataset } from '../operations/protocol.ts'

/** What is kept of datasets that nobody uses at the moment. */
const maxIdleBytes = 256 * 1_048_576

type Entry = { readonly bars: Promise<Bars>; users: number; bytes: number }

/**
 * The bars of pinned datasets, once in memory for all threads: their columns are shared memory that nobody writes to.
 * A dataset is read when its first user comes, in a thread unless it is small; it stays while it is used, and after
 * that for as long as the idle ones are few.
 */
export class SharedBars {
  private readonly archive: BarsArchive
  private readonly tasks: TaskRunner
  private readonly home: string
  /** In the order of their last use. */
  private readonly entries = new Map<string, Entry>()

  constructor(archive: BarsArchive, tasks: TaskRunner, home: string) {
    this.archive = archive
    this.tasks = tasks
    this.home = home
  }

  /**
   * Lends the bars of several datasets to `use`.
   * @throws {Problem} 'bars-missing' when a version is not stored, 'bars-invalid' when it is damaged
   */
  async lend<R>(
    pinned: readonly PinnedBars[],
    use: (datasets: readonly SharedDataset[]) => Promise<R>,
  ): Promise<R> {
    const entries = pinned.map(dataset => this.acquire(dataset))
    try {
      const bars = await Promise.all(entries.map(entry => entry.bars))
      return await use(pinned.map((dataset, i) => ({ ...dataset, bars: bars[i] as Bars })))
    } finally {
      for (const entry of entries) entry.users--
      this.forgetIdle()
    }
  }

  private acquire(dataset: PinnedBars): Entry {
    const key = `${dataset.symbol} ${dataset.timeframe} ${dataset.sha256}`
    const entry = this.entries.get(key) ?? this.open(key, dataset)
    this.entries.delete(key)
    this.entries.set(key, entry)
    entry.users++
    return entry
  }

  private open(key: string, dataset: PinnedBars): Entry {
    const entry: Entry = { bars: this.read(dataset), users: 0, bytes: 0 }
    entry.bars.then(
      bars => {
        entry.bytes = barFields.length * Float64Array.BYTES_PER_ELEMENT * bars.length
      },
      // The next one tries again.
      () => {
        if (this.entries.get(key) === entry) this.entries.delete(key)
      },
    )
    return entry
  }

  private async read({ symbol, timeframe, sha256 }: PinnedBars): Promise<Bars> {
    const version = this.archive.version(symbol, timeframe, sha256)
    const rows = version?.segments.reduce((sum, { bars }) => sum + bars, 0) ?? 0
    return this.tasks.run('shared', { home: this.home, symbol, timeframe, sha256 }, rows)
  }

  /** Lets go of those that were not used for longest, until the idle ones are few enough. */
  private forgetIdle(): void {
    const idle = [...this.entries].filter(([, { users }]) => users === 0)
    let bytes = idle.reduce((sum, [, entry]) => sum + entry.bytes, 0)
    for (const [key, entry] of idle) {
      if (bytes <= maxIdleBytes) return
      this.entries.delete(key)
      bytes -= entry.bytes
    }
  }
}
