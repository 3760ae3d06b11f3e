import type { DatabaseSync } from 'node:sqlite'

type Job = { readonly run: () => void; readonly settle: () => void; readonly fail: (error: unknown) => void }

/**
 * All writes of one turn of the event loop share one transaction, and so one flush to disk. A write resolves only
 * after the commit; one that throws is undone alone.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  #waiting: Job[] = []

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  write<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let value: T
      const run = () => {
        value = work()
      }
      if (this.#waiting.length === 0) setImmediate(() => this.flush())
      this.#waiting.push({ run, settle: () => resolve(value), fail: reject })
    })
  }

  /** Commits what is waiting now. */
  flush(): void {
    const jobs = this.#waiting
    this.#waiting = []
    if (jobs.length === 0) return
    try {
      this.#database.exec('begin immediate')
      const settled = jobs.map(job => this.#attempt(job))
      this.#database.exec('commit')
      for (const settle of settled) settle()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      for (const job of jobs) job.fail(error)
    }
  }

  #attempt(job: Job): () => void {
    this.#database.exec('savepoint job')
    try {
      job.run()
      this.#database.exec('release job')
      return job.settle
    } catch (error) {
      this.#database.exec('rollback to job; release job')
      return () => job.fail(error)
    }
  }
}
