import type { BarsArchive } from '../archive/bars.ts'
import type { PinnedBars } from '../archive/bars-history.ts'
import type { ModelLibrary } from '../archive/model-library.ts'
import type { StrategyLibrary } from '../archive/strategies.ts'
import type { Calendars } from '../market/calendars.ts'
import type { ProblemData } from '../problems.ts'
import type { Artifact, OperationStatus, OperationType, Params, Result } from './operation.ts'

/** What an operation type may look at while its parameters are checked, in the main thread. */
export type Rooms = {
  readonly bars: BarsArchive
  readonly strategies: StrategyLibrary
  readonly models: ModelLibrary
  readonly calendars: Calendars
}

/** Parameters found good: what will run, and what its result will depend on. */
export type Prepared = {
  /** Effective parameters, defaults filled in. */
  readonly params: Params
  readonly warnings: readonly string[]
  /** The amount of work, where it is known beforehand. */
  readonly steps: { readonly total: number; readonly unit: string } | null
  readonly seed: number | null
  readonly strategy_sha256: string | null
  readonly dataset_sha256: readonly string[]
}

type Common = {
  readonly description: string
  /** Off unless `KTRDR_ENABLE_EXERCISE` is set. */
  readonly exercise?: true
  /**
   * Only ever a child that its parent plans: no client can create one. It is not prepared; what its result depends on
   * are the pins of its parent.
   */
  readonly internal?: true
  /** Checks what the schema cannot. @throws {Problem} that the client is answered with */
  readonly prepare: (params: Params, rooms: Rooms) => Promise<Prepared>
  /** An attempt that runs longer fails with `timed-out`. */
  readonly timeoutMs: number
  /** Most operations of this type at the same time; null = as many as there are threads. */
  readonly maxConcurrent: number | null
  /** Metrics series: name → value → unit. */
  readonly series: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Runs in a worker thread. */
export type WorkerSpec = Common & {
  readonly kind: 'worker'
  /** File in `workers/`. */
  readonly worker: string
  /** True when it saves checkpoints and can go on from one. */
  readonly resumable: boolean
  /** A worker that gives no sign of life for so long is killed: `worker-unresponsive`. */
  readonly stallMs: number | ((params: Params) => number)
  /**
   * The datasets that are handed over in memory which all threads share, see `WorkerContext.bars`.
   * @param sha256s the pinned versions, in the order of `Prepared.dataset_sha256`
   */
  readonly sharesBars?: (params: Params, sha256s: readonly string[]) => readonly PinnedBars[]
}

export type ChildPlan = {
  readonly type: OperationType
  /** Effective where the child inherits. */
  readonly params: Params
  /** It depends on what its parent has pinned, not on what is stored by the time it is created: it is not prepared. */
  readonly inherits?: true
}
/** A child that has ended. */
export type ChildEnd = {
  readonly operation_id: string
  readonly type: OperationType
  readonly attempt: number
  readonly status: OperationStatus
  readonly result: Result | null
  readonly problem: ProblemData | null
  readonly artifacts: readonly Artifact[]
}

/** Runs as child operations; takes no thread itself. */
export type FanOutSpec = Common & {
  readonly kind: 'fan-out'
  /**
   * The whole plan as far as it is known. It is asked for at the start, without ends, and again whenever all children
   * so far have completed: it may then go on after what it had planned before, with rounds that learn from the ones
   * before or a child that sums them up. Equal params and equal ends give equal plans, whichever threads did the work:
   * a resumed parent finds its children by their place in the plan.
   */
  readonly plan: (params: Params, ended: readonly ChildEnd[]) => readonly ChildPlan[]
  /** How many children there will be in all, where `plan` goes on; its progress is counted by that. */
  readonly children?: (params: Params) => number
  /** Called once all children have ended, in the order of the plan. @throws {Problem} to fail the parent */
  readonly reduce: (children: readonly ChildEnd[], params: Params) => Result
  /** The artifacts of the last child become those of the parent. */
  readonly adoptsArtifacts?: true
}

export type OperationSpec = WorkerSpec | FanOutSpec

/** What `prepare` answers for types that depend on nothing stored. */
export const selfContained = (params: Params, seed: number | null): Prepared => ({
  params,
  warnings: [],
  steps: null,
  seed,
  strategy_sha256: null,
  dataset_sha256: [],
})
