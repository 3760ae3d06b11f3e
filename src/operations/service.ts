import { removeArtifacts } from '../archive/artifacts.ts'
import { removeCheckpoints, removeCheckpointsBefore } from '../archive/checkpoints.ts'
import { refresh } from '../archive/exchange.ts'
import type { Clock } from '../clock.ts'
import type { Feed } from '../feed/feed.ts'
import type { Log } from '../log.ts'
import { Problem } from '../problems.ts'
import type { Created, Reopen, Store } from '../store/store.ts'
import { catalogue } from './catalogue.ts'
import { isTerminal } from './lifecycle.ts'
import type {
  NewOperation,
  OperationPlan,
  OperationRecord,
  OperationType,
  Params,
  Provenance,
} from './operation.ts'
import { capabilities } from './present.ts'
import type { OperationQueries } from './queries.ts'
import type { Schemas } from './schemas.ts'
import type { ChildPlan, Prepared, Rooms } from './spec.ts'

const dayMs = 86_400_000

export type ServiceSettings = {
  readonly home: string
  readonly version: string
  readonly queueMax: number
  readonly maxAttempts: number
  readonly enableExercise: boolean
}

/** What the rooms of this one work with. */
export type Collaborators = {
  readonly store: Store
  readonly feed: Feed
  readonly schemas: Schemas
  readonly rooms: Rooms
  readonly clock: Clock
  readonly newId: () => string
  readonly log: Log
}

export type Submission = {
  readonly type: OperationType
  readonly params: Params
  readonly priority: number
  readonly timeoutMs: number | null
  readonly requestId: string | null
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null
}

/** What clients ask of operations. Together with `Attempts` the only writer of operation state. */
export class OperationsService {
  /** True once the server stops: nothing new is accepted. */
  draining = false
  readonly #with: Collaborators
  readonly #queries: OperationQueries
  readonly #settings: ServiceSettings

  constructor(collaborators: Collaborators, queries: OperationQueries, settings: ServiceSettings) {
    this.#with = collaborators
    this.#queries = queries
    this.#settings = settings
  }

  /**
   * Accepts an operation. It is durable when this resolves.
   * @throws {Problem} draining, type-disabled, queue-full, idempotency-key-reused, or what `prepare` finds wrong
   */
  async submit(submission: Submission): Promise<{ record: OperationRecord; replayed: boolean }> {
    const { store, clock, feed, log } = this.#with
    const key = submission.idempotency
    // Before anything is checked: what was accepted once is answered again, whatever has changed since.
    const seen = key === null ? null : await store.findByKey(key.key, clock.now())
    if (seen !== null && seen.fingerprint === key?.fingerprint) return { record: seen.record, replayed: true }
    this.#refuseWhenDraining()
    const prepared = await this.#prepare(submission.type, submission.params)
    const now = clock.now()
    const idempotency = key === null ? null : { ...key, expires_at: now + dayMs }
    const operation = this.#newOperation(submission, prepared, now)
    const created = accepted(
      await store.create(operation, { idempotency, queueMax: this.#settings.queueMax }),
    )
    if (created.outcome === 'created') {
      const { operation_id, type } = created.record
      log.info('operation.submitted', { operation_id, type, request_id: submission.requestId })
      feed.publish({ kind: 'changed', record: created.record, statusChanged: true })
    }
    return { record: created.record, replayed: created.outcome === 'replayed' }
  }

  /** What `submit` would do; nothing is stored. */
  async plan(request: Pick<Submission, 'type' | 'params'>): Promise<OperationPlan> {
    const prepared = await this.#prepare(request.type, request.params)
    return {
      dry_run: true,
      type: request.type,
      params: { ...prepared.params },
      steps: prepared.steps,
      queued_position: (await this.#with.store.pendingCount()) + 1,
      warnings: [...prepared.warnings],
    }
  }

  /**
   * Stops it: a pending one at once, a running one as soon as its worker has let go.
   * @returns `already` when it was cancelled or being cancelled  @throws {Problem} 'illegal-transition' when it has ended
   */
  async cancel(
    id: string,
    reason: string | null,
  ): Promise<{ record: OperationRecord; outcome: 'cancelling' | 'cancelled' | 'already' }> {
    const { store, clock } = this.#with
    const record = await store.cancel(id, reason, clock.now())
    if (record === null) {
      const present = await this.#queries.get(id)
      if (present.status === 'cancelling' || present.status === 'cancelled')
        return { record: present, outcome: 'already' }
      throw new Problem(
        'illegal-transition',
        `${id} is ${present.status}; only a pending or running operation can be cancelled.`,
      )
    }
    this.#changed(record)
    if (record.status === 'cancelled') await this.#cancelChildren(id, reason)
    return { record, outcome: record.status === 'cancelled' ? 'cancelled' : 'cancelling' }
  }

  /** Starts a failed or cancelled operation over. @throws {Problem} 'illegal-transition', or what `prepare` finds wrong */
  async retry(id: string): Promise<OperationRecord> {
    const record = await this.#queries.get(id)
    if (!capabilities(record).retry) throw refusal(record, 'retried')
    this.#refuseWhenDraining()
    const prepared = await this.#prepare(record.type, record.params)
    const { warnings } = prepared
    const reopened = await this.#reopen(record, {
      event: 'retry',
      provenance: this.#provenance(prepared),
      warnings,
    })
    await removeCheckpointsBefore(this.#settings.home, id, reopened.attempt)
    return reopened
  }

  /** Goes on from the last checkpoint. @throws {Problem} 'illegal-transition' */
  async resume(id: string): Promise<OperationRecord> {
    const record = await this.#queries.get(id)
    if (!capabilities(record).resume) throw refusal(record, 'resumed')
    this.#refuseWhenDraining()
    return this.#reopen(record, { event: 'resume', provenance: null, warnings: record.warnings })
  }

  /** Deletes an ended operation with everything that belongs to it. @throws {Problem} 'illegal-transition' */
  async delete(id: string): Promise<void> {
    const record = await this.#queries.get(id)
    if (record.parent_operation_id !== null) {
      throw new Problem(
        'illegal-transition',
        `${id} belongs to ${record.parent_operation_id}; delete that one instead.`,
      )
    }
    if (!(await this.#deleteOne(id))) {
      throw new Problem('illegal-transition', `${id} is ${record.status}; cancel it before you delete it.`)
    }
  }

  /** A child of a fan-out operation, checked like any other. */
  async newChild(parent: OperationRecord, plan: ChildPlan, index: number): Promise<NewOperation> {
    const params = this.#with.schemas.params(plan.type, plan.params)
    const inherits = plan.inherits ?? catalogue[plan.type].internal ?? false
    const prepared = inherits ? inherited(parent, params) : await this.#prepare(plan.type, params)
    const { priority, timeout_ms: timeoutMs, request_id: requestId } = parent
    const child = this.#newOperation(
      { ...plan, priority, timeoutMs, requestId },
      prepared,
      this.#with.clock.now(),
    )
    return { ...child, parent_operation_id: parent.operation_id, child_index: index }
  }

  #refuseWhenDraining(): void {
    if (this.draining) {
      throw new Problem('draining', 'The server is stopping and takes no new work.', {
        hint: 'Send the request again in a few seconds.',
      })
    }
  }

  async #prepare(type: OperationType, params: Params): Promise<Prepared> {
    const spec = catalogue[type]
    if (spec.exercise === true && !this.#settings.enableExercise) {
      throw new Problem(
        'type-disabled',
        `Operations of type ${type} only prove the engine and are disabled on this server.`,
        {
          hint: 'Start the server with KTRDR_ENABLE_EXERCISE=true.',
          errors: [{ pointer: '/body/type', code: 'disabled', message: 'is disabled' }],
        },
      )
    }
    await refresh(this.#settings.home)
    return spec.prepare(params, this.#with.rooms)
  }

  #newOperation(
    from: Pick<Submission, 'type' | 'priority' | 'timeoutMs' | 'requestId'>,
    prepared: Prepared,
    now: number,
  ): NewOperation {
    return {
      operation_id: this.#with.newId(),
      type: from.type,
      params: prepared.params,
      priority: from.priority,
      max_attempts: this.#settings.maxAttempts,
      warnings: prepared.warnings,
      parent_operation_id: null,
      child_index: null,
      timeout_ms: from.timeoutMs,
      request_id: from.requestId,
      provenance: this.#provenance(prepared),
      created_at: now,
    }
  }

  #provenance(prepared: Prepared): Provenance {
    return {
      version: this.#settings.version,
      node_version: process.versions.node,
      seed: prepared.seed,
      strategy_sha256: prepared.strategy_sha256,
      dataset_sha256: [...prepared.dataset_sha256],
    }
  }

  async #reopen(present: OperationRecord, how: Omit<Reopen, 'attempts'>): Promise<OperationRecord> {
    const { store, clock } = this.#with
    const id = present.operation_id
    const reopened = await store.reopen(id, { ...how, attempts: this.#settings.maxAttempts }, clock.now())
    if (reopened === null)
      throw refusal(await this.#queries.get(id), how.event === 'retry' ? 'retried' : 'resumed')
    this.#changed(reopened.record)
    for (const child of reopened.children) this.#changed(child)
    await this.#forget(reopened.deleted)
    return reopened.record
  }

  async #cancelChildren(id: string, reason: string | null): Promise<void> {
    for (const child of await this.#with.store.children(id)) {
      if (!isTerminal(child.status)) await this.cancel(child.operation_id, reason).catch(ignoreEnded)
    }
  }

  async #deleteOne(id: string): Promise<boolean> {
    const deleted = await this.#with.store.delete(id)
    await this.#forget(deleted)
    if (deleted.length > 0) this.#with.log.info('operation.deleted', { operation_id: id })
    return deleted.length > 0
  }

  /** Tells that rows are gone, and removes their files. */
  async #forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#with.feed.publish({ kind: 'deleted', operation_id: id })
      await removeArtifacts(this.#settings.home, id)
      await removeCheckpoints(this.#settings.home, id)
    }
  }

  #changed(record: OperationRecord): void {
    this.#with.log.info(`operation.${record.status}`, {
      operation_id: record.operation_id,
      type: record.type,
      attempt: record.attempt,
    })
    this.#with.feed.publish({ kind: 'changed', record, statusChanged: true })
  }
}

/** What a child depends on that has no life of its own, or shares the pins of its parent. */
function inherited({ provenance }: OperationRecord, params: Params): Prepared {
  const { seed, strategy_sha256, dataset_sha256 } = provenance
  return { params, warnings: [], steps: null, seed, strategy_sha256, dataset_sha256 }
}

function accepted(created: Created): Extract<Created, { record: OperationRecord }> {
  if (created.outcome === 'queue-full') {
    throw new Problem(
      'queue-full',
      `${created.pending} operations are pending, which is the most this server takes.`,
      {
        hint: 'Try again when some have started, or raise KTRDR_QUEUE_MAX.',
      },
    )
  }
  if (created.outcome === 'key-reused') {
    throw new Problem(
      'idempotency-key-reused',
      'This Idempotency-Key was sent with another request within the last 24 hours.',
      {
        hint: 'Use a new key for a new request.',
      },
    )
  }
  return created
}

function refusal(record: OperationRecord, wanted: 'retried' | 'resumed'): Problem {
  const { operation_id: id, status } = record
  if (record.parent_operation_id !== null) {
    return new Problem(
      'illegal-transition',
      `${id} belongs to ${record.parent_operation_id}; it is ${wanted} with that one.`,
    )
  }
  if (wanted === 'resumed' && (status === 'failed' || status === 'cancelled')) {
    return new Problem('illegal-transition', `${id} is ${status} but has no checkpoint to resume from.`, {
      hint: 'Retry it instead: it starts over.',
    })
  }
  return new Problem(
    'illegal-transition',
    `${id} is ${status}; only a failed or cancelled operation can be ${wanted}.`,
  )
}

/** Passes over an operation that ended between a look and a cancel. */
export function ignoreEnded(error: unknown): void {
  if (!(error instanceof Problem) || error.code !== 'illegal-transition') throw error
}
