import { statementsWith } from '../statements.ts'

/** The pending operation of one type that is next: highest priority first, then oldest. */
const nextOfType = `select operation_id, attempt, priority from operations indexed by operations_queue_of_type
  where status = 'pending' and type = ? order by priority desc, operation_id limit 1`

/** What writes operations in SQLite: the shared statements, and those that only SQLite words so. */
export const statements = {
  ...statementsWith(),
  nextOfType,
  insert: `insert into operations (operation_id, type, params, priority, status, attempt, max_attempts, revision, change_seq, progress,
      warnings, checkpoints, artifacts, parent_operation_id, child_index, timeout_ms, request_id, provenance, created_at, updated_at)
    values ($operation_id, $type, $params, $priority, 'pending', 1, $max_attempts, 1, $seq, 0,
      $warnings, '[]', '[]', $parent_operation_id, $child_index, $timeout_ms, $request_id, $provenance, $created_at, $created_at)
    on conflict (parent_operation_id, child_index) do nothing`,
} as const
