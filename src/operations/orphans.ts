import type { Store } from '../store/store.ts'
import { isTerminal } from './lifecycle.ts'
import { ignoreEnded, type OperationsService } from './service.ts'

/**
 * Cancels children whose parent ended before they were told: its server died between the two.
 * @returns how many
 */
export async function cancelOrphans(store: Store, service: OperationsService): Promise<number> {
  const reasons = new Map<string, string | null | undefined>()
  let cancelled = 0
  for (const child of await store.inStatus(['pending', 'running'])) {
    const { operation_id: id, parent_operation_id: parentId } = child
    if (parentId === null) continue
    if (!reasons.has(parentId)) reasons.set(parentId, await reasonOfEnd(store, parentId))
    const reason = reasons.get(parentId)
    if (reason === undefined) continue
    await service.cancel(id, reason).catch(ignoreEnded)
    cancelled += 1
  }
  return cancelled
}

/** Why its children are not needed; undefined while it goes on. */
async function reasonOfEnd(store: Store, parentId: string): Promise<string | null | undefined> {
  const parent = await store.get(parentId)
  if (parent === null || !isTerminal(parent.status)) return undefined
  return parent.cancellation?.reason ?? null
}
