import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fromPayload, toPayload } from '../../src/store/postgres/notes.ts'
import { stopPostgres, withPostgres } from '../support/postgres.ts'
import { Cluster, claimed, stopClusters } from './cluster.ts'
import { newOperation } from './new-operation.ts'

afterAll(async () => {
  await stopClusters()
  await stopPostgres()
})

const withoutKey = { idempotency: null, queueMax: 10_000 }
const point = (step: number) => ({ at: step, values: { step } })

withPostgres(describe)('changes in a cluster', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start(2)
  })
  afterAll(() => cluster.stop())

  test('whoever follows the changes of two nodes misses none and sees none late', async () => {
    let seq = await cluster.store(0).latestChange()
    const operations = Array.from({ length: 300 }, () => newOperation())
    let isDone = false
    const writes = Promise.all(
      operations.map(async (operation, n) => {
        await cluster.store(n % 2).create(operation, withoutKey)
        if (n % 3 === 0) await cluster.store((n + 1) % 2).cancel(operation.operation_id, null, 5)
      }),
    ).then(() => {
      isDone = true
    })
    const revisions = new Map<string, number>()
    const follow = async () => {
      const changes = await cluster.store(1).changesAfter(seq, 50)
      for (const record of changes.records) {
        expect(record.change_seq).toBeGreaterThan(seq)
        expect(record.change_seq).toBeLessThanOrEqual(changes.seq)
        expect(record.revision).toBeGreaterThan(revisions.get(record.operation_id) ?? 0)
        revisions.set(record.operation_id, record.revision)
      }
      const isNew = changes.seq > seq
      seq = changes.seq
      return isNew
    }
    while (!isDone) await follow()
    await writes
    while (await follow());
    expect(operations.map(operation => revisions.get(operation.operation_id))).toEqual(
      operations.map((_, n) => (n % 3 === 0 ? 2 : 1)),
    )
    expect(seq).toBe(await cluster.store(0).latestChange())
  })

  test('deletions are told in their place among the changes', async () => {
    const seq = await cluster.store(0).latestChange()
    const [gone, stays] = [newOperation(), newOperation()]
    for (const operation of [gone, stays]) await cluster.store(0).create(operation, withoutKey)
    await cluster.store(0).cancel(gone.operation_id, null, 5)
    expect(await cluster.store(0).delete(gone.operation_id)).toEqual([gone.operation_id])
    await cluster.store(0).cancel(stays.operation_id, null, 6)
    const first = await cluster.store(1).changesAfter(seq, 1)
    expect(first.deleted.map(one => one.operation_id)).toEqual([gone.operation_id])
    expect(first.records).toEqual([])
    const second = await cluster.store(1).changesAfter(first.seq, 10)
    expect(second.records.map(record => record.operation_id)).toEqual([stays.operation_id])
    expect(second.deleted).toEqual([])
  })

  test('metrics and logs are told after what is known, also after an attempt went back to its checkpoint', async () => {
    const { operation_id: id } = newOperation()
    const [own, other] = [cluster.store(0), cluster.store(1)]
    await own.create({ ...newOperation({ priority: 9 }), operation_id: id }, withoutKey)
    await claimed(own, ['exercise'])
    await own.appendMetrics(id, 1, 'steps', [point(1)])
    const start = await other.seriesPosition(id)
    expect(start).toEqual({ operation_id: id, metrics: { attempt: 1, seq: 1 }, logs: 0 })
    await own.appendMetrics(id, 1, 'steps', [point(2), point(3)])
    await own.appendLogs(id, 1, [{ at: 1, level: 'info', message: 'with a \0 in it' }])
    const [news] = await other.seriesAfter([start], 10)
    expect(news?.metrics.map(one => one.seq)).toEqual([2, 3])
    expect(news?.logs.map(one => one.message)).toEqual(['with a \ufffd in it'])
    if (news === undefined) throw new Error('no news')
    expect(await other.seriesAfter([news.position], 10)).toEqual([])
    await own.requeue(id, 1, 1, 5)
    await claimed(own, ['exercise'])
    await own.trimMetrics(id, 2, 1)
    await own.appendMetrics(id, 2, 'steps', [point(2)])
    const [again] = await other.seriesAfter([news.position], 10)
    expect(again?.metrics.map(one => [one.attempt, one.seq])).toEqual([[2, 2]])
    expect(again?.position.metrics).toEqual({ attempt: 2, seq: 2 })
  })

  test('a note that would be too long says only that there is something', () => {
    const revisions = new Map([['op_1', 3]])
    expect(fromPayload(toPayload('node_1', revisions, new Set(['op_2'])))).toEqual({
      kind: 'changes',
      origin: 'node_1',
      operations: [{ operation_id: 'op_1', revision: 3 }],
      series: ['op_2'],
    })
    for (let n = 0; n < 1_000; n++) revisions.set(`op_${n}`, n)
    const payload = toPayload('node_1', revisions, new Set())
    expect(payload.length).toBeLessThan(8_000)
    expect(fromPayload(payload)).toEqual({
      kind: 'changes',
      origin: 'node_1',
      operations: null,
      series: null,
    })
    expect(fromPayload('not from here')).toBeNull()
  })
})
