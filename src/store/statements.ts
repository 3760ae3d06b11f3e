import { next, type OperationEventName, type OperationStatus, sourcesOf } from '../operations/lifecycle.ts'

/** Words as an SQL list of texts. */
export const textList = (words: readonly string[]): string => words.map(word => `'${word}'`).join(', ')

/** `status = case …` for an event, straight from the transition table. */
function targetOf(event: OperationEventName): string {
  const arrows = sourcesOf(event).map(
    (source: OperationStatus) => `when '${source}' then '${next(source, event)}'`,
  )
  return `case status ${arrows.join(' ')} end`
}

/**
 * The guarded update that applies an event: it changes a row only if the table has an arrow from its status, and
 * answers with the row as changed, or with nothing. Parameters are named: `$id`, `$now`, `$seq`, and those of `sets`.
 * @param sets further assignments, comma separated  @param guard further conditions, e.g. the attempt
 */
export function applying(event: OperationEventName, sets: string, guard: string): string {
  return `update operations
    set status = ${targetOf(event)}, revision = revision + 1, change_seq = $seq, updated_at = $now${sets === '' ? '' : `, ${sets}`}
    where operation_id = $id and status in (${textList(sourcesOf(event))})${guard === '' ? '' : ` and ${guard}`}
    returning *`
}

const sameAttempt = 'attempt = $attempt'
/** A cancelled operation that ended another way was still stopped by its own hand. */
const settleCancellation = (mode: string) =>
  `cancel_mode = case when cancel_requested_at is null then null else ${mode} end,
   cancel_latency_ms = case when $now > cancel_requested_at then $now - cancel_requested_at when cancel_requested_at is not null then 0 end`
const emptyProgress = 'progress = 0, phase = null, steps = null, rate = null, eta_seconds = null'
const nextAttempt = `attempt = attempt + 1, started_at = null, worker_node = null, worker_thread = null, heartbeat_at = null, ${emptyProgress}`
const inProgress = `status in (${textList(sourcesOf('progress'))})`

/** Assignments that a store with a queue beside its rows adds, comma separated: to a start, and to what is pending again. */
export type QueueColumns = { readonly started: string; readonly queued: string }

/**
 * The statements that write an operation, the same words in every database. Two databases agree on them by leaving out
 * what only one has: `max` of two values, `indexed by`, casts.
 */
export function statementsWith(columns: QueueColumns | null = null) {
  const started = columns === null ? '' : `, ${columns.started}`
  const queued = columns === null ? '' : `, ${columns.queued}`
  return {
    claim: applying(
      'start',
      `worker_node = $node, started_at = $now, heartbeat_at = $now${started}`,
      sameAttempt,
    ),
    requeue: applying(
      'requeue',
      `${nextAttempt}${queued}, max_attempts = max_attempts + $extra`,
      `${sameAttempt} and attempt < max_attempts + $extra`,
    ),
    reopen: (event: 'resume' | 'retry') =>
      applying(
        event,
        `${nextAttempt}${queued}, max_attempts = attempt + $attempts, result = null, problem = null, completed_at = null,
         warnings = $warnings, cancel_requested_at = null, cancel_reason = null, cancel_mode = null, cancel_latency_ms = null,
         provenance = coalesce($provenance, provenance)${event === 'retry' ? ", checkpoints = '[]'" : ''}`,
        '',
      ),
    ...fixed,
  } as const
}

const fixed = {
  pendingTopLevel: `select coalesce(sum(n), 0) as pending from operation_counts where status = 'pending' and is_child = 0`,
  progress: applying(
    'progress',
    `progress = case when progress > $progress then progress else $progress end, phase = $phase, steps = $steps, rate = $rate, eta_seconds = $eta_seconds,
     worker_thread = $worker_thread, heartbeat_at = $heartbeat_at`,
    sameAttempt,
  ),
  progressTouch: applying('progress', '', sameAttempt),
  warnings: applying('progress', 'warnings = $warnings', sameAttempt),
  checkpoints: applying('progress', 'checkpoints = $checkpoints', sameAttempt),
  complete: applying(
    'complete',
    `result = $result, artifacts = $artifacts, checkpoints = '[]', completed_at = $now, progress = 100, phase = $phase, steps = $steps, rate = $rate, eta_seconds = null,
     ${settleCancellation("'cooperative'")}`,
    sameAttempt,
  ),
  fail: applying(
    'fail',
    `problem = $problem, completed_at = $now, eta_seconds = null, ${settleCancellation('$mode')}`,
    sameAttempt,
  ),
  stop: applying(
    'stop',
    `completed_at = $now, eta_seconds = null, ${settleCancellation('$mode')}`,
    sameAttempt,
  ),
  cancel: applying(
    'cancel',
    `cancel_requested_at = $now, cancel_reason = $reason,
     cancel_mode = case status when 'pending' then 'cooperative' end,
     cancel_latency_ms = case status when 'pending' then 0 end,
     completed_at = case status when 'pending' then $now end`,
    '',
  ),
  running: `select 1 from operations where operation_id = $id and attempt = $attempt and ${inProgress}`,
  family: `with recursive family (id) as (
      select operation_id from operations where operation_id = $id
      union all select operation_id from operations join family on parent_operation_id = family.id)
    select * from operations where operation_id in (select id from family)`,
} as const
