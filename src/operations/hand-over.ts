import { setTimeout as setTimeoutAsync } from 'node:timers/promises'
import { errorFields, type Log } from '../log.ts'
import { Problem } from '../problems.ts'
import type { Store } from '../store/store.ts'
import { asProblem } from '../system-problems.ts'
import { passes, storeJournal, storeResults } from './exchanged-files.ts'
import type { MessageTurns } from './message-turns.ts'
import type { OperationRecord, Outcome } from './operation.ts'

/** How long an end that leaves no results waits for what was said before it: a resume can do without. */
const lastWordsMs = 10_000

type Completed = Extract<Outcome, { readonly kind: 'completed' }>
type Parts = {
  readonly store: Pick<Store, 'get'>
  readonly log: Log
  readonly home: string
  readonly turns: MessageTurns
}

/**
 * What an attempt left gets to the other nodes before they hear of its end, however long that takes: it goes on giving
 * signs of life meanwhile. Only where the folder is a copy of the archive.
 */
export class HandOver {
  readonly #parts: Parts
  #isClosed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @returns how the attempt ends  @throws when the server stops: then somebody else repeats the attempt */
  async give(record: OperationRecord, outcome: Outcome): Promise<Outcome> {
    if (outcome.kind === 'completed') {
      await this.#parts.turns.settled(record)
      return this.#giveResults(record, outcome)
    }
    const given = this.#giveJournal(record)
    if (outcome.kind === 'interrupted') await given
    else {
      const patience = new AbortController()
      const over = setTimeoutAsync(lastWordsMs, null, { signal: patience.signal }).catch(() => undefined)
      await Promise.race([given, over])
      patience.abort()
    }
    return outcome
  }

  close(): void {
    this.#isClosed = true
  }

  async #giveJournal(record: OperationRecord): Promise<void> {
    const { home, turns } = this.#parts
    await turns.settled(record)
    try {
      await storeJournal(home, record)
    } catch (error) {
      this.#tell(record, error)
    }
  }

  async #giveResults(record: OperationRecord, outcome: Completed): Promise<Outcome> {
    for (let pauseMs = 100; ; pauseMs = Math.min(5_000, 2 * pauseMs)) {
      try {
        await storeResults(this.#parts.home, record, outcome)
        return outcome
      } catch (error) {
        this.#tell(record, error)
        const problem = asProblem(error) ?? new Problem('internal', 'Its results could not be stored.')
        // To stop is no failure of the operation.
        if (this.#isClosed || problem.code === 'draining') throw error
        if (!passes(problem)) return { kind: 'failed', problem: problem.toData(), mode: 'cooperative' }
      }
      const end = await this.#endMeanwhile(record)
      if (end !== null) return end
      await setTimeoutAsync(pauseMs)
    }
  }

  /** How the attempt ends that was cancelled, or is not the running one any more; null: it is. */
  async #endMeanwhile(record: OperationRecord): Promise<Outcome | null> {
    // A database that does not answer says nothing of it.
    const now = await this.#parts.store.get(record.operation_id).catch(() => record)
    const isOurs = now !== null && now.attempt === record.attempt
    if (isOurs && now.status === 'cancelling') return { kind: 'cancelled', mode: 'cooperative' }
    return isOurs && now.status === 'running' ? null : { kind: 'interrupted' }
  }

  #tell({ operation_id }: OperationRecord, error: unknown): void {
    this.#parts.log.error('operation.files_delayed', { operation_id, ...errorFields(error) })
  }
}
