import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { NewOperation } from '../../src/operations/operation.ts'
import { stopPostgres, withPostgres } from '../support/postgres.ts'
import { Cluster, claimed, openStore, stopClusters, until } from './cluster.ts'
import { newOperation } from './new-operation.ts'

afterAll(async () => {
  await stopClusters()
  await stopPostgres()
})

const withoutKey = { idempotency: null, queueMax: 10_000 }
const progress = { progress: 9, phase: null, steps: null, rate: null, eta_seconds: null }
const complete = { event: 'complete', result: { ok: true }, artifacts: [], progress } as const
const checkpoint = { saved_at: 1, label: 'x', size_bytes: 1, sha256: 'x', file: 'x', best: false }

withPostgres(describe)('leases of a cluster', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start(2)
  })
  afterAll(() => cluster.stop())
  beforeEach(() => cluster.empty())

  const create = async (more: Partial<NewOperation> = {}) => {
    const operation = newOperation(more)
    await cluster.store(0).create(operation, withoutKey)
    return operation.operation_id
  }
  /** An operation that runs on the first node, which then falls silent until the queue has taken its job back. */
  const lost = async (more: Partial<NewOperation> = {}) => {
    const id = await create(more)
    expect((await claimed(cluster.store(0), ['exercise'])).operation_id).toBe(id)
    await cluster.silence(id)
    await cluster.untilLapsed(id)
    return id
  }

  test('a silent node loses its operation to the next attempt, and changes nothing any more', async () => {
    const id = await lost()
    const [old, other] = [cluster.store(0), cluster.store(1)]
    const running = await claimed(other, ['exercise'], 3_000)
    expect(running).toMatchObject({ operation_id: id, status: 'running', attempt: 2, started_at: 3_000 })
    const before = old.fencedWrites
    const update = { operation_id: id, attempt: 1, progress, worker_thread: 1, heartbeat_at: 5 }
    expect(await old.recordProgress([update], 5)).toEqual([])
    expect(await old.appendMetrics(id, 1, 'steps', [{ at: 1, values: {} }])).toBeNull()
    expect(await old.appendLogs(id, 1, [{ at: 1, level: 'info', message: 'x' }])).toBeNull()
    expect(await old.saveCheckpoint(id, 1, { ...checkpoint, attempt: 1 }, 5)).toBeNull()
    expect(await old.finish(id, 1, complete, 5)).toBeNull()
    expect(await old.requeue(id, 1, 1, 5)).toBeNull()
    expect(old.fencedWrites - before).toBe(6)
    expect(await old.get(id)).toEqual(running)
    expect(await other.finish(id, 2, complete, 6)).toMatchObject({ status: 'completed' })
    expect(await cluster.jobs()).toEqual({})
  })

  test('a node that reports progress keeps its lease', async () => {
    const id = await create()
    await claimed(cluster.store(0), ['exercise'])
    const heartbeat = async () =>
      (await cluster.query('select heartbeat_on from ktrdr_jobs.job'))[0]?.heartbeat_on
    await cluster.query(`update ktrdr_jobs.job set heartbeat_on = heartbeat_on - interval '5 seconds'`)
    const before = await heartbeat()
    const update = { operation_id: id, attempt: 1, progress, worker_thread: 1, heartbeat_at: 5 }
    await cluster.store(0).recordProgress([update], 5)
    expect(Number(await heartbeat())).toBeGreaterThan(Number(before))
    await cluster.store(0).finish(id, 1, complete, 6)
  })

  test('an end whose lease has lapsed ends neither row nor job', async () => {
    const id = await lost()
    const before = cluster.store(0).fencedWrites
    expect(await cluster.store(0).finish(id, 1, complete, 5)).toBeNull()
    expect(cluster.store(0).fencedWrites).toBe(before + 1)
    expect(await cluster.store(0).get(id)).toMatchObject({ status: 'running', attempt: 1 })
    expect(await cluster.jobs()).toEqual({ retry: 1 })
    await claimed(cluster.store(1), ['exercise'])
    await cluster.store(1).finish(id, 2, complete, 6)
  })

  test('an end that cannot be written leaves the job active', async () => {
    const id = await create()
    await claimed(cluster.store(0), ['exercise'])
    await cluster.query(`alter table operations add constraint poisoned check (result is null) not valid`)
    await expect(cluster.store(0).finish(id, 1, complete, 5)).rejects.toThrow(/poisoned/)
    expect(await cluster.jobs()).toEqual({ active: 1 })
    await cluster.query('alter table operations drop constraint poisoned')
    expect(await cluster.store(0).finish(id, 1, complete, 5)).toMatchObject({ status: 'completed' })
    expect(await cluster.jobs()).toEqual({})
  })

  test('an operation that was lost too often fails; a checkpoint buys another attempt', async () => {
    const id = await lost({ max_attempts: 1 })
    await until(async () => {
      expect(await cluster.store(1).claim('n', ['exercise'], 7)).toBeNull()
      return (await cluster.store(1).get(id))?.status !== 'running'
    })
    expect(await cluster.store(1).get(id)).toMatchObject({
      status: 'failed',
      completed_at: 7,
      problem: { code: 'interrupted' },
    })
    expect(await cluster.jobs()).toEqual({})
    const saved = await create({ max_attempts: 1 })
    await claimed(cluster.store(0), ['exercise'])
    await cluster.store(0).saveCheckpoint(saved, 1, { ...checkpoint, attempt: 1 }, 5)
    await cluster.silence(saved)
    expect(await claimed(cluster.store(1), ['exercise'])).toMatchObject({
      operation_id: saved,
      attempt: 2,
      max_attempts: 2,
    })
    await cluster.store(1).finish(saved, 2, complete, 6)
  })

  test('a cancelled operation of a silent node is cancelled by any other, its children with it', async () => {
    const id = await create({ type: 'exercise_fan_out' })
    await claimed(cluster.store(0), ['exercise_fan_out'])
    await cluster
      .store(0)
      .createChildren(id, 1, [newOperation({ parent_operation_id: id, child_index: 0, priority: -10 })])
    await cluster.store(0).cancel(id, 'no more', 8)
    await cluster.silence(id)
    await cluster.untilLapsed(id)
    expect(await cluster.store(1).claim('n', [], 9)).toBeNull()
    expect(await cluster.store(1).get(id)).toMatchObject({ status: 'cancelled', completed_at: 9 })
    expect(await cluster.store(1).children(id)).toMatchObject([
      { status: 'cancelled', cancellation: { reason: 'no more' } },
    ])
    expect(await cluster.jobs()).toEqual({})
  })

  test('a lease that is only too old is renewed for the attempt that runs', async () => {
    const id = await create()
    await claimed(cluster.store(0), ['exercise'])
    await cluster.query(
      `update ktrdr_jobs.job set started_on = now() - interval '25 hours' where state = 'active'`,
    )
    await cluster.untilLapsed(id)
    expect(await cluster.store(1).claim('n', ['exercise'], 9)).toBeNull()
    expect(await cluster.jobs()).toEqual({ active: 1 })
    const [update] = [{ operation_id: id, attempt: 1, progress, worker_thread: 1, heartbeat_at: 5 }]
    expect(await cluster.store(0).recordProgress([update], 5)).toHaveLength(1)
    expect(await cluster.store(0).finish(id, 1, complete, 10)).toMatchObject({
      status: 'completed',
      attempt: 1,
    })
    expect(await cluster.jobs()).toEqual({})
  })

  test('what comes back to the queue keeps its place in it, over both nodes', async () => {
    const [first, second] = [await create(), await create()]
    const high = await create({ priority: 5 })
    await claimed(cluster.store(0), ['exercise'])
    await cluster.store(0).requeue(high, 1, 1, 3)
    expect((await claimed(cluster.store(1), ['exercise'])).operation_id).toBe(high)
    expect((await claimed(cluster.store(0), ['exercise'])).operation_id).toBe(first)
    await cluster.store(0).requeue(first, 1, 1, 3)
    const order = [
      await claimed(cluster.store(1), ['exercise']),
      await claimed(cluster.store(0), ['exercise']),
    ]
    expect(order.map(record => [record.operation_id, record.attempt])).toEqual([
      [first, 2],
      [second, 1],
    ])
    for (const [id, attempt] of [
      [high, 2],
      [first, 2],
      [second, 1],
    ] as const)
      expect(await cluster.store(0).finish(id, attempt, complete, 4)).not.toBeNull()
  })

  test('of a type that is limited only so many run at once in the whole cluster', async () => {
    const ids: string[] = []
    for (let n = 0; n < 6; n++) ids.push(await create({ type: 'data_download' }))
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, n) => cluster.store(n % 2).claim('n', ['data_download'], 1)),
    )
    const running = claims.filter(record => record !== null)
    expect(running.map(record => record.operation_id).sort()).toEqual(ids.slice(0, 4))
    await cluster.store(1).finish(ids[0] ?? '', 1, complete, 2)
    expect((await cluster.store(1).claim('n', ['data_download'], 3))?.operation_id).toBe(ids[4])
    expect(await cluster.store(1).claim('n', ['data_download'], 3)).toBeNull()
    for (const id of ids) await cluster.store(0).cancel(id, null, 4)
    for (const id of ids) await cluster.store(0).finish(id, 1, { event: 'stop', mode: 'forced' }, 5)
    expect(await cluster.jobs()).toEqual({})
  })

  test('a node leaves alone what a newer generation of the code accepted', async () => {
    const newer = await openStore(cluster.url, { generation: 2 })
    const operation = newOperation({ priority: 9 })
    await newer.create(operation, withoutKey)
    const plain = await create()
    expect((await claimed(cluster.store(0), ['exercise'])).operation_id).toBe(plain)
    expect(await cluster.store(0).claim('n', ['exercise'], 1)).toBeNull()
    expect((await newer.claim('n', ['exercise'], 1))?.operation_id).toBe(operation.operation_id)
    await newer.finish(operation.operation_id, 1, complete, 2)
    await newer.close()
    await cluster.store(0).finish(plain, 1, complete, 2)
  })

  test('operations whose job is lost get another', async () => {
    const running = await create()
    await claimed(cluster.store(0), ['exercise'])
    const cancelling = await create()
    await claimed(cluster.store(0), ['exercise'])
    await cluster.store(0).cancel(cancelling, null, 4)
    await cluster.query('delete from ktrdr_jobs.job')
    expect(await cluster.store(1).claim('n', ['exercise'], 5)).toBeNull()
    expect(await cluster.store(1).repairJobs()).toBe(2)
    expect(await cluster.store(1).repairJobs()).toBe(0)
    expect(await claimed(cluster.store(1), ['exercise'], 6)).toMatchObject({
      operation_id: running,
      attempt: 2,
    })
    expect(await cluster.store(1).get(cancelling)).toMatchObject({ status: 'cancelled' })
    await cluster.store(1).finish(running, 2, complete, 7)
    const pending = await create()
    await cluster.query('delete from ktrdr_jobs.job')
    expect(await cluster.store(1).repairJobs()).toBe(1)
    expect((await claimed(cluster.store(1), ['exercise'])).operation_id).toBe(pending)
    await cluster.store(1).finish(pending, 1, complete, 8)
    expect(await cluster.jobs()).toEqual({})
  })
})
