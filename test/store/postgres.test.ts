import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { NodeReport } from '../../src/store/postgres/nodes.ts'
import { freshDatabase, stopPostgres, withPostgres } from '../support/postgres.ts'
import { Cluster, openStore, stopClusters } from './cluster.ts'
import { describeStore } from './conformance.ts'
import { newOperation } from './new-operation.ts'

afterAll(async () => {
  await stopClusters()
  await stopPostgres()
})

const withoutKey = { idempotency: null, queueMax: 10_000 }

withPostgres(describe)('with a real Postgres', () => {
  describeStore('the Postgres store', async () => openStore(await freshDatabase()))

  describe('two nodes', () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await Cluster.start(2)
    })
    afterAll(() => cluster.stop())

    test('a submit that fails leaves neither row nor job, and those beside it both', async () => {
      await cluster.query(`alter table idempotency_keys add check (key <> 'poison')`)
      const submit = (key: string) =>
        cluster
          .store(0)
          .create(newOperation(), { idempotency: { key, fingerprint: 'f', expires_at: 9e12 }, queueMax: 100 })
      const results = await Promise.allSettled([submit('good'), submit('poison'), submit('good too')])
      expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(await cluster.query('select count(*)::integer as n from operations')).toEqual([{ n: 2 }])
      expect(await cluster.jobs()).toEqual({ created: 2 })
    })

    test('a thousand submits at once with a hundred keys over two nodes make a hundred operations', async () => {
      const before = await cluster.store(0).pendingCount()
      const submits = Array.from({ length: 1_000 }, (_, n) =>
        cluster.store(n % 2).create(newOperation({ created_at: 9_000 }), {
          idempotency: { key: `many-${n % 100}`, fingerprint: 'same', expires_at: 9e12 },
          queueMax: 10_000,
        }),
      )
      const outcomes = (await Promise.all(submits)).map(created => created.outcome)
      expect(outcomes.filter(outcome => outcome === 'created')).toHaveLength(100)
      expect(outcomes.filter(outcome => outcome === 'replayed')).toHaveLength(900)
      expect(await cluster.store(1).pendingCount()).toBe(before + 100)
      expect((await cluster.jobs()).created).toBe(before + 100)
    })

    test('what one node wrote the other reads', async () => {
      const operation = newOperation()
      await cluster.store(0).create(operation, withoutKey)
      await cluster.store(0).cancel(operation.operation_id, 'with a \0 in it', 5)
      expect(await cluster.store(1).get(operation.operation_id)).toMatchObject({
        status: 'cancelled',
        cancellation: { reason: 'with a \ufffd in it' },
      })
    })

    test('what is deleted takes its metrics and logs along', async () => {
      const operation = newOperation({ priority: 99 })
      const { operation_id: id } = operation
      const [store] = cluster.stores
      await store?.create(operation, withoutKey)
      await store?.claim('n', ['exercise'], 1)
      await store?.appendMetrics(id, 1, 'steps', [{ at: 1, values: {} }])
      await store?.appendLogs(id, 1, [{ at: 1, level: 'info', message: 'x' }])
      await store?.cancel(id, null, 2)
      await store?.finish(id, 1, { event: 'stop', mode: 'cooperative' }, 3)
      const left = 'select (select count(*) from metrics) + (select count(*) from logs) as n'
      expect(await cluster.query(left)).toEqual([{ n: '2' }])
      expect(await store?.delete(id)).toEqual([id])
      expect(await cluster.query(left)).toEqual([{ n: '0' }])
    })

    test('nodes are listed until they are removed or gave no sign of life for too long', async () => {
      const report = (node_id: string): NodeReport => ({
        node_id,
        name: 'host',
        role: 'worker',
        version: '1',
        generation: 1,
        types: ['exercise'],
        threads: [{ id: 1 }],
        started_at: 7,
        draining: false,
      })
      const [a, b] = [cluster.store(0), cluster.store(1)]
      expect(await a.upsertNode(report('node_a'))).toMatchObject({ ...report('node_a'), draining: false })
      await b.upsertNode(report('node_b'))
      expect(await a.markDraining('node_b')).toMatchObject({ node_id: 'node_b', draining: true })
      expect(await a.markDraining('node_x')).toBeNull()
      expect((await b.upsertNode(report('node_b'))).draining).toBe(true)
      await cluster.query(`update nodes set heartbeat_at = heartbeat_at - 60000 where node_id = 'node_a'`)
      const { nodes, now } = await a.listNodes()
      expect(nodes.map(node => [node.node_id, now - node.heartbeat_at >= 60_000])).toEqual([
        ['node_a', true],
        ['node_b', false],
      ])
      expect(await b.removeOldNodes(60_000)).toBe(1)
      await b.removeNode('node_b')
      expect((await a.listNodes()).nodes).toEqual([])
    })
  })

  test('four nodes that start at the same moment on an empty database all start', async () => {
    const cluster = await Cluster.start(4)
    const created = await Promise.all(cluster.stores.map(store => store.create(newOperation(), withoutKey)))
    expect(new Set(created.map(one => one.outcome))).toEqual(new Set(['created']))
    await cluster.stop()
  })

  test('a database with a newer schema is refused', async () => {
    const cluster = await Cluster.start(1)
    await cluster.query('update schema_version set version = 999')
    await expect(openStore(cluster.url)).rejects.toThrow(/newer ktrdr/)
    await cluster.stop()
  })

  test('the database itself refuses a row whose facts contradict its status', async () => {
    const cluster = await Cluster.start(1)
    await cluster.store(0).create(newOperation(), withoutKey)
    for (const lie of [`status = 'completed'`, `status = 'succeeded'`, 'progress = 100', `problem = '{}'`])
      await expect(cluster.query(`update operations set ${lie}`)).rejects.toThrow(/check constraint/)
    await cluster.stop()
  })
})
