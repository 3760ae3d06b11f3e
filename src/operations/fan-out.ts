import { adoptArtifacts } from '../archive/artifacts.ts'
import type { FeedEvent } from '../feed/feed.ts'
import { errorFields } from '../log.ts'
import { Problem, type ProblemData } from '../problems.ts'
import { asProblem } from '../system-problems.ts'
import type { Attempts } from './attempts.ts'
import { isTerminal } from './lifecycle.ts'
import type { Artifact, NewOperation, OperationRecord, Outcome } from './operation.ts'
import { type Collaborators, ignoreEnded, type OperationsService } from './service.ts'
import type { ChildPlan, FanOutSpec } from './spec.ts'

/** How often a parent's progress is summed up at most. */
const sumUpMs = 250
/** A child has ended: what comes next shall not wait for long. */
const nextStageMs = 20

/** A thousand in one transaction would hold up every request meanwhile. */
const childrenPerCommit = 50

type Parent = {
  readonly record: OperationRecord
  readonly spec: FanOutSpec
  readonly deadline: NodeJS.Timeout
  /** Why its children are being cancelled, if not because a client asked. */
  failure: ProblemData | null
  timer: NodeJS.Timeout | null
  /** While its children are looked through; what happens meanwhile is seen the next time. */
  isBusy: boolean
  ended: boolean
}

/**
 * Runs fan-out operations: a parent plans children, follows them, and reduces their results. It takes no thread, and
 * all it knows is in the store, so that a restarted server finds every child where it was.
 */
export class FanOut {
  readonly #with: Collaborators
  readonly #service: OperationsService
  readonly #attempts: Attempts
  readonly #home: string
  readonly #parents = new Map<string, Parent>()

  constructor(collaborators: Collaborators, service: OperationsService, attempts: Attempts, home: string) {
    this.#with = collaborators
    this.#home = home
    this.#service = service
    this.#attempts = attempts
    collaborators.feed.subscribe(event => this.#hear(event))
    attempts.onLost(({ operation_id: id, attempt }) => {
      const parent = this.#parents.get(id)
      if (parent?.record.attempt === attempt) this.#drop(parent)
    })
  }

  /** Plans the children of a claimed parent; those that exist are kept as they are. */
  async start(record: OperationRecord, spec: FanOutSpec): Promise<void> {
    const timeoutMs = record.timeout_ms ?? spec.timeoutMs
    const parent: Parent = {
      record,
      spec,
      deadline: setTimeout(() => this.#expire(parent, timeoutMs), timeoutMs),
      failure: null,
      timer: null,
      isBusy: false,
      ended: false,
    }
    const earlier = this.#parents.get(record.operation_id)
    if (earlier !== undefined) this.#drop(earlier)
    this.#parents.set(record.operation_id, parent)
    try {
      const existing = await this.#with.store.children(record.operation_id)
      await this.#populate(parent, existing, planSoFar(parent, existing))
      // What came while they were planned reached only those that were there.
      if (parent.failure !== null || (await this.#attempts.isCancelling(record)))
        this.#cancelChildren(parent, null)
      this.#sumUpSoon(parent)
    } catch (error) {
      parent.failure ??= toProblem(error)
      this.#cancelChildren(parent, 'the parent could not go on')
    }
  }

  /** The server stops: parents go back to the queue; their children keep what they have. */
  async drain(): Promise<void> {
    for (const parent of [...this.#parents.values()]) await this.#end(parent, { kind: 'interrupted' })
  }

  async #populate(
    parent: Parent,
    existing: readonly OperationRecord[],
    plans: readonly ChildPlan[],
  ): Promise<void> {
    const { store, feed } = this.#with
    const { record } = parent
    const known = new Set(existing.map(child => child.child_index))
    const missing: NewOperation[] = []
    for (const [index, plan] of plans.entries()) {
      if (!known.has(index)) missing.push(await this.#service.newChild(record, plan, index))
    }
    for (let start = 0; start < missing.length; start += childrenPerCommit) {
      const some = missing.slice(start, start + childrenPerCommit)
      if (!(await store.createChildren(record.operation_id, record.attempt, some))) return
    }
    for (const child of await store.children(record.operation_id)) {
      if (!known.has(child.child_index)) feed.publish({ kind: 'changed', record: child, statusChanged: true })
    }
  }

  #hear(event: FeedEvent): void {
    if (event.kind !== 'changed') return
    const { record } = event
    const own = this.#parents.get(record.operation_id)
    if (own !== undefined) this.#hearOfItself(own, record)
    const parent =
      record.parent_operation_id === null ? undefined : this.#parents.get(record.parent_operation_id)
    if (parent === undefined) return
    if (isTerminal(record.status)) this.#hurry(parent)
    this.#sumUpSoon(parent, isTerminal(record.status) ? nextStageMs : sumUpMs)
  }

  #hearOfItself(parent: Parent, record: OperationRecord): void {
    if (record.attempt > parent.record.attempt || isTerminal(record.status)) this.#drop(parent)
    else if (record.status === 'cancelling') this.#cancelChildren(parent, record.cancellation?.reason ?? null)
  }

  /** Another node has taken it over, or ended it: this one has no more to say. */
  #drop(parent: Parent): void {
    parent.ended = true
    clearTimeout(parent.deadline)
    if (parent.timer !== null) clearTimeout(parent.timer)
    if (this.#parents.get(parent.record.operation_id) === parent)
      this.#parents.delete(parent.record.operation_id)
  }

  #hurry(parent: Parent): void {
    if (parent.timer !== null) clearTimeout(parent.timer)
    parent.timer = null
  }

  #sumUpSoon(parent: Parent, delayMs = sumUpMs): void {
    if (parent.ended) return
    parent.timer ??= setTimeout(() => {
      parent.timer = null
      if (parent.isBusy) return this.#sumUpSoon(parent)
      parent.isBusy = true
      this.#sumUp(parent)
        .catch(error => this.#tryAgain(parent, error))
        .finally(() => {
          parent.isBusy = false
        })
    }, delayMs)
  }

  async #sumUp(parent: Parent): Promise<void> {
    if (parent.ended) return
    const { store } = this.#with
    const { counts, total, meanProgress } = await store.childCounts(parent.record.operation_id)
    const over = counts.completed + counts.failed + counts.cancelled
    const expected = Math.max(total, parent.spec.children?.(parent.record.params) ?? total)
    this.#attempts.progress(parent.record, (meanProgress / 100) * total, expected, 'child')
    if (over === total) await this.#conclude(parent)
  }

  async #conclude(parent: Parent): Promise<void> {
    const { store } = this.#with
    const present = await store.get(parent.record.operation_id)
    if (parent.failure !== null) return this.#end(parent, failedWith(parent.failure))
    if (present?.status === 'cancelling') return this.#end(parent, { kind: 'cancelled', mode: 'cooperative' })
    const children = await store.children(parent.record.operation_id)
    try {
      if (children.every(child => child.status === 'completed')) {
        const plans = parent.spec.plan(parent.record.params, children)
        if (plans.length > children.length) return await this.#goOn(parent, children, plans)
      }
      const result = parent.spec.reduce(children, parent.record.params)
      const artifacts = await this.#adopt(parent, children.at(-1))
      await this.#end(parent, { kind: 'completed', result, artifacts })
    } catch (error) {
      await this.#end(parent, failedWith(toProblem(error)))
    }
  }

  async #goOn(
    parent: Parent,
    children: readonly OperationRecord[],
    plans: readonly ChildPlan[],
  ): Promise<void> {
    await this.#populate(parent, children, plans)
    // Asked to stop meanwhile: the new ones have not been told.
    if (parent.failure !== null || (await this.#attempts.isCancelling(parent.record)))
      this.#cancelChildren(parent, null)
  }

  async #adopt(parent: Parent, last: OperationRecord | undefined): Promise<readonly Artifact[]> {
    if (parent.spec.adoptsArtifacts !== true || last === undefined) return []
    return adoptArtifacts(this.#home, last, parent.record)
  }

  #cancelChildren(parent: Parent, reason: string | null): void {
    const cancelAll = async () => {
      const { store } = this.#with
      const { operation_id: id, attempt } = parent.record
      const [present, children] = await Promise.all([store.get(id), store.children(id)])
      // A server that was frozen wakes with its timers due; the children are another's by then.
      if (present?.attempt !== attempt) return this.#drop(parent)
      await Promise.all(
        children
          .filter(child => !isTerminal(child.status))
          .map(child => this.#service.cancel(child.operation_id, reason).catch(ignoreEnded)),
      )
      this.#sumUpSoon(parent)
    }
    cancelAll().catch(error => this.#with.log.error('operation.cancel_children', errorFields(error)))
  }

  #expire(parent: Parent, timeoutMs: number): void {
    parent.failure = new Problem('timed-out', `It ran longer than ${timeoutMs / 1000} s.`).toData()
    this.#cancelChildren(parent, 'the parent timed out')
  }

  /** The store could not be asked: whatever comes next from a child, or in a moment, tries again. */
  #tryAgain(parent: Parent, error: unknown): void {
    this.#with.log.error('operation.sum_up', {
      operation_id: parent.record.operation_id,
      ...errorFields(error),
    })
    setTimeout(() => this.#sumUpSoon(parent), 1_000).unref()
  }

  async #end(parent: Parent, outcome: Outcome): Promise<void> {
    if (parent.ended) return
    this.#drop(parent)
    await this.#attempts.finish(parent.record, outcome)
  }
}

/** The plan that led to the children there are: each further part was planned when those before it had ended. */
function planSoFar({ spec, record }: Parent, existing: readonly OperationRecord[]): readonly ChildPlan[] {
  let plans = spec.plan(record.params, [])
  while (plans.length < existing.length) {
    const further = spec.plan(record.params, existing.slice(0, plans.length))
    if (further.length <= plans.length) break
    plans = further
  }
  return plans
}

const failedWith = (problem: ProblemData): Outcome => ({ kind: 'failed', problem, mode: 'cooperative' })

const toProblem = (error: unknown): ProblemData =>
  (asProblem(error) ?? new Problem('internal', `The fan-out could not go on: ${String(error)}`)).toData()
