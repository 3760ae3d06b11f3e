import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { createLayout } from '../../src/archive/layout.ts'
import { Feed } from '../../src/feed/feed.ts'
import { loadContract } from '../../src/http/contract.ts'
import { createLog } from '../../src/log.ts'
import { OperationQueries } from '../../src/operations/queries.ts'
import { Retention } from '../../src/operations/retention.ts'
import { Schemas } from '../../src/operations/schemas.ts'
import { OperationsService } from '../../src/operations/service.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { newOperation } from '../store/new-operation.ts'
import { makeRooms } from '../support/rooms.ts'

const dayMs = 86_400_000

test('ended operations older than the retention go with their files, younger and active ones stay', async () => {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-retention-'))
  createLayout(home)
  const store = SqliteStore.open(join(home, 'ktrdr.sqlite'))
  const feed = new Feed()
  let now = 10 * dayMs
  const collaborators = {
    store,
    feed,
    schemas: new Schemas(loadContract().document.components),
    rooms: makeRooms(home),
    clock: { now: () => now },
    newId: () => 'op_',
    log: createLog('silent'),
  }
  const settings = { home, version: '0', queueMax: 10, maxAttempts: 3, enableExercise: true }
  const service = new OperationsService(collaborators, new OperationQueries(store, feed, home), settings)
  const create = async () => {
    const created = await store.create(newOperation({ created_at: now }), { idempotency: null, queueMax: 10 })
    if (created.outcome !== 'created') throw new Error(created.outcome)
    const id = created.record.operation_id
    mkdirSync(join(home, 'artifacts', id, '1'), { recursive: true })
    return id
  }
  const [old, active, young] = [await create(), await create(), await create()]
  await store.cancel(old, null, now)
  mkdirSync(join(home, 'artifacts', 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'))
  now += dayMs
  await store.cancel(young, null, now)

  now += dayMs / 2
  await new Retention(collaborators, service, { home, days: 0 }).sweep()
  expect(await store.revisionOf(old)).not.toBeNull()
  await new Retention(collaborators, service, { home, days: 1 }).sweep()
  expect(await store.revisionOf(old)).toBeNull()
  expect(await store.revisionOf(young)).not.toBeNull()
  expect(await store.revisionOf(active)).not.toBeNull()
  const folders = [old, 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X', young, active].map(id =>
    existsSync(join(home, 'artifacts', id)),
  )
  expect(folders).toEqual([false, false, true, true])
  await store.close()
})
