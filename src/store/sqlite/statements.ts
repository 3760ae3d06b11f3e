import { next, type OperationEventName, type OperationStatus, sourcesOf } from '../../operations/lifecycle.ts'

const list = (words: readonly string[]) => words.map(word => `'${word}'`).join(', ')

/** `status = case …` for an event, straight from the transition table. */
function targetOf(event: OperationEventName): string {
  const arrows = sourcesOf(event).map(
    (source: OperationStatus) => `when '${source}' then '${next(source, event)}'`,
  )
  return `case status ${arrows.join(' ')} end`
}

/**
 * The guarded update that applies an event: it changes a row only if the table has an arrow from its status, and
 * answers with the row as changed, or with nothing.
 * @param sets further assignments, comma separated  @param guard further conditions, e.g. the attempt
 */
export function applying(event: OperationEventName, sets: string, guard: string): string {
  return `update operations
    set status = ${targetOf(event)}, revision = revision + 1, change_seq = $seq, updated_at = $now${sets === '' ? '' : `, ${sets}`}
    where operation_id = $id and status in (${list(sourcesOf(event))})${guard === '' ? '' : ` and ${guard}`}
    returning *`
}

const sameAttempt = 'attempt = $attempt'
/** A cancelled operation that ended another way was still stopped by its own hand. */
const settleCancellation = (mode: string) =>
  `cancel_mode = case when cancel_requested_at is null then null else ${mode} end,
   cancel_latency_ms = case when cancel_requested_at is null then null else max(0, $now - cancel_requested_at) end`
const emptyProgress = 'progress = 0, phase = null, steps = null, rate = null, eta_seconds = null'
const nextAttempt = `attempt = attempt + 1, started_at = null, worker_node = null, worker_thread = null, heartbeat_at = null, ${emptyProgress}`
const inProgress = `status in (${list(sourcesOf('progress'))})`

export const statements = {
  insert: `insert into operations (operation_id, type, params, priority, status, attempt, max_attempts, revision, change_seq, progress,
      warnings, checkpoints, artifacts, parent_operation_id, child_index, timeout_ms, request_id, provenance, created_at, updated_at)
    values ($operation_id, $type, $params, $priority, 'pending', 1, $max_attempts, 1, $seq, 0,
      $warnings, '[]', '[]', $parent_operation_id, $child_index, $timeout_ms, $request_id, $provenance, $created_at, $created_at)
    on conflict (parent_operation_id, child_index) do nothing`,
  pendingTopLevel: `select coalesce(sum(n), 0) as pending from operation_counts where status = 'pending' and is_child = 0`,
  claim: applying('start', 'worker_node = $node, started_at = $now, heartbeat_at = $now', sameAttempt),
  progress: applying(
    'progress',
    `progress = max(progress, $progress), phase = $phase, steps = $steps, rate = $rate, eta_seconds = $eta_seconds,
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
  requeue: applying(
    'requeue',
    `${nextAttempt}, max_attempts = max_attempts + $extra`,
    `${sameAttempt} and attempt < max_attempts + $extra`,
  ),
  reopen: (event: 'resume' | 'retry') =>
    applying(
      event,
      `${nextAttempt}, max_attempts = attempt + $attempts, result = null, problem = null, completed_at = null,
       warnings = $warnings, cancel_requested_at = null, cancel_reason = null, cancel_mode = null, cancel_latency_ms = null,
       provenance = coalesce($provenance, provenance)${event === 'retry' ? ", checkpoints = '[]'" : ''}`,
      '',
    ),
  running: `select 1 from operations where operation_id = $id and attempt = $attempt and ${inProgress}`,
  family: `with recursive family (id) as (
      select operation_id from operations where operation_id = $id
      union all select operation_id from operations join family on parent_operation_id = family.id)
    select operation_id, status from operations where operation_id in (select id from family)`,
} as const

/** The pending operation of one type that is next: highest priority first, then oldest. */
export const nextOfType = `select operation_id, attempt, priority from operations indexed by operations_queue_of_type
  where status = 'pending' and type = ? order by priority desc, operation_id limit 1`
