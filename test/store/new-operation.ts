import type { NewOperation } from '../../src/operations/operation.ts'

let serial = 0

/** A new operation with an id that sorts after all before. */
export function newOperation(more: Partial<NewOperation> = {}): NewOperation {
  serial += 1
  return {
    operation_id: `op_01JD0Q4Z5N3V8K2M7P6R${String(serial).padStart(6, '0')}`,
    type: 'exercise',
    params: { steps: 3 },
    priority: 0,
    max_attempts: 2,
    warnings: [],
    parent_operation_id: null,
    child_index: null,
    timeout_ms: null,
    request_id: null,
    provenance: { version: '0', node_version: '0', seed: 1, strategy_sha256: null, dataset_sha256: [] },
    created_at: 1_000 + serial,
    ...more,
  }
}
