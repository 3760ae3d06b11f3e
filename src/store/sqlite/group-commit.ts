import type { DatabaseSync, StatementSync } from 'node:sqlite'

type Job = {
  readonly durable: boolean
  readonly run: () => void
  readonly settle: () => void
  readonly fail: (error: unknown) => void
}

/**
 * All writes of one turn of the event loop share one transaction, and so one flush to disk. A write resolves only
 * after the commit; one that throws is undone alone. Where nothing that must survive a power cut is among them, the
 * flush is left to the next commit: it would hold up every request meanwhile.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  readonly #frame: Readonly<Record<'begin' | 'commit' | 'savepoint' | 'release', StatementSync>>
  #waiting: Job[] = []
  #durable = true

  constructor(database: DatabaseSync) {
    this.#database = database
    // Prepared once: they are run for every write.
    this.#frame = {
      begin: database.prepare('begin immediate'),
      commit: database.prepare('commit'),
      savepoint: database.prepare('savepoint job'),
      release: database.prepare('release job'),
    }
  }

  /** @param durable false for what may be lost in a power cut (never by a crash of the process): progress, say */
  write<T>(work: () => T, durable = true): Promise<T> {
    return new Promise((resolve, reject) => {
      let value: T
      const run = () => {
        value = work()
      }
      if (this.#waiting.length === 0) setImmediate(() => this.flush())
      this.#waiting.push({ durable, run, settle: () => resolve(value), fail: reject })
    })
  }

  /** Commits what is waiting now. */
  flush(): void {
    const jobs = this.#waiting
    this.#waiting = []
    if (jobs.length === 0) return
    this.#setDurable(jobs.some(job => job.durable))
    try {
      this.#frame.begin.run()
      const settled = jobs.map(job => this.#attempt(job))
      this.#frame.commit.run()
      for (const settle of settled) settle()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      for (const job of jobs) job.fail(error)
    }
  }

  #setDurable(durable: boolean): void {
    if (durable === this.#durable) return
    this.#durable = durable
    this.#database.exec(`pragma synchronous = ${durable ? 'full' : 'normal'}`)
  }

  #attempt(job: Job): () => void {
    this.#frame.savepoint.run()
    try {
      job.run()
      this.#frame.release.run()
      return job.settle
    } catch (error) {
      this.#database.exec('rollback to job; release job')
      return () => job.fail(error)
    }
  }
}
