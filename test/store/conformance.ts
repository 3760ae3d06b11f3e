import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { statuses } from '../../src/operations/lifecycle.ts'
import type { NewOperation } from '../../src/operations/operation.ts'
import { type Created, limits, type Store } from '../../src/store/store.ts'
import { newOperation } from './new-operation.ts'

const types = ['data_download', 'backtesting', 'exercise', 'exercise_fan_out'] as const

const progress = (percent: number) => ({
  progress: percent,
  phase: 'p',
  steps: { done: percent, total: 100, unit: 'step' },
  rate: 1,
  eta_seconds: 1,
})
const complete = { event: 'complete', result: { ok: true }, artifacts: [], progress: progress(99) } as const

/** What every store promises, in sentences. @param open makes an empty store */
export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store
    beforeAll(async () => {
      store = await open()
    })
    afterAll(() => store.close())

    const create = async (more: Partial<NewOperation> = {}) => {
      const created = await store.create(newOperation(more), { idempotency: null, queueMax: 1_000 })
      if (created.outcome !== 'created') throw new Error(created.outcome)
      return created.record
    }
    const claimOnly = async (id: string) => {
      for (;;) {
        const record = await store.claim('node', types, 2_000)
        if (record === null) throw new Error(`${id} was not claimed`)
        if (record.operation_id === id) return record
        await store.finish(record.operation_id, record.attempt, complete, 2_000)
      }
    }

    test('a created operation is pending, revision 1, attempt 1, and is found again', async () => {
      const record = await create()
      expect(record).toMatchObject({
        status: 'pending',
        revision: 1,
        attempt: 1,
        progress: 0,
        result: null,
        problem: null,
      })
      expect(await store.get(record.operation_id)).toEqual(record)
    })

    test('the highest priority starts first, then the oldest; types that may not start wait', async () => {
      const [low, first, second] = [
        await create({ priority: -1 }),
        await create({ priority: 5 }),
        await create({ priority: 5 }),
      ]
      const other = await create({ priority: 9, type: 'backtesting' })
      const claimed = [await store.claim('n', ['exercise'], 1), await store.claim('n', ['exercise'], 1)]
      expect(claimed.map(record => record?.operation_id)).toEqual([first.operation_id, second.operation_id])
      expect((await store.claim('n', types, 1))?.operation_id).toBe(other.operation_id)
      const waiting = [await create({ priority: -1 }), low]
      const positions = await store.queuedPositions([...waiting, first])
      for (const record of waiting)
        expect(positions.get(record.operation_id)).toBe(await store.queuedPosition(record))
      expect([...positions.keys()].sort()).toEqual(waiting.map(record => record.operation_id).sort())
      for (const id of [...waiting, first, second, other]) await store.cancel(id.operation_id, null, 1)
    })

    test('no operation is claimed twice, however many claims come at once', async () => {
      const made = await Promise.all(Array.from({ length: 20 }, () => create({ priority: 10 })))
      const claims = await Promise.all(Array.from({ length: 40 }, () => store.claim('n', types, 1)))
      const ids = claims.filter(record => record?.priority === 10).map(record => record?.operation_id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.sort()).toEqual(made.map(record => record.operation_id).sort())
    })

    test('progress never falls within an attempt, and every stored change raises the revision by one', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      const claimed = await claimOnly(id)
      const update = (percent: number) => ({
        operation_id: id,
        attempt: 1,
        progress: progress(percent),
        worker_thread: 1,
        heartbeat_at: 5,
      })
      await store.recordProgress([update(40)], 5)
      const [later] = await store.recordProgress([update(30)], 6)
      expect(later?.progress).toBe(40)
      expect(later?.revision).toBe(claimed.revision + 2)
    })

    test('a write with an old attempt changes nothing', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      await store.requeue(id, 1, 0, 3)
      const running = await claimOnly(id)
      expect(running.attempt).toBe(2)
      const zombie = {
        operation_id: id,
        attempt: 1,
        progress: progress(90),
        worker_thread: 1,
        heartbeat_at: 5,
      }
      expect(await store.recordProgress([zombie], 5)).toEqual([])
      expect(await store.finish(id, 1, complete, 5)).toBeNull()
      expect(await store.appendMetrics(id, 1, 'steps', [{ at: 1, values: { step: 1 } }])).toBeNull()
      expect(await store.appendLogs(id, 1, [{ at: 1, level: 'info', message: 'x' }])).toBeNull()
      expect(
        await store.saveCheckpoint(
          id,
          1,
          { attempt: 1, saved_at: 1, label: 'x', size_bytes: 1, sha256: 'x', file: 'x', best: false },
          1,
        ),
      ).toBeNull()
      expect(await store.get(id)).toEqual(running)
    })

    test('a terminal operation never changes but by resume and retry', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      const done = await store.finish(id, 1, complete, 9)
      expect(done).toMatchObject({
        status: 'completed',
        progress: 100,
        result: { ok: true },
        completed_at: 9,
      })
      expect(await store.cancel(id, null, 10)).toBeNull()
      expect(
        await store.finish(
          id,
          1,
          { event: 'fail', problem: { code: 'internal', detail: 'x' }, mode: 'cooperative' },
          10,
        ),
      ).toBeNull()
      expect(await store.requeue(id, 1, 1, 10)).toBeNull()
      expect(
        await store.reopen(id, { event: 'resume', attempts: 3, provenance: null, warnings: [] }, 10),
      ).toBeNull()
      expect(await store.get(id)).toEqual(done)
    })

    test('a cancelled pending operation is never claimed', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      expect(await store.cancel(id, 'wrong symbol', 7)).toMatchObject({
        status: 'cancelled',
        cancellation: { reason: 'wrong symbol', latency_ms: 0 },
      })
      expect((await store.claim('n', types, 8))?.operation_id).not.toBe(id)
    })

    test('a running operation is cancelling until it stops, and knows how long that took', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      expect((await store.cancel(id, null, 100))?.status).toBe('cancelling')
      expect(await store.cancel(id, null, 101)).toBeNull()
      expect(await store.finish(id, 7, { event: 'stop', mode: 'forced' }, 102)).toBeNull()
      expect(await store.requeue(id, 1, 1, 102)).toBeNull()
      const stopped = await store.finish(id, 1, { event: 'stop', mode: 'forced' }, 107)
      expect(stopped).toMatchObject({ status: 'cancelled', cancellation: { mode: 'forced', latency_ms: 7 } })
    })

    test('work that beat the cancel flag is kept', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      await store.cancel(id, null, 100)
      expect(await store.finish(id, 1, complete, 101)).toMatchObject({
        status: 'completed',
        result: { ok: true },
      })
    })

    test('requeue stops when the attempts are used up, unless one more is given', async () => {
      const { operation_id: id } = await create({ priority: 10, max_attempts: 1 })
      await claimOnly(id)
      expect(await store.requeue(id, 1, 0, 3)).toBeNull()
      expect(await store.requeue(id, 1, 1, 3)).toMatchObject({
        status: 'pending',
        attempt: 2,
        max_attempts: 2,
        progress: 0,
        started_at: null,
      })
    })

    test('the same idempotency key gives the same operation, another request under it is refused', async () => {
      const submit = (fingerprint: string, at = 5_000): Promise<Created> =>
        store.create(newOperation({ created_at: at }), {
          idempotency: { key: 'k1', fingerprint, expires_at: at + 100 },
          queueMax: 1_000,
        })
      const first = await submit('a')
      const again = await submit('a')
      expect(first.outcome).toBe('created')
      expect(again.outcome).toBe('replayed')
      if (first.outcome === 'created' && again.outcome === 'replayed')
        expect(again.record.operation_id).toBe(first.record.operation_id)
      expect((await submit('b')).outcome).toBe('key-reused')
      expect((await submit('b', 5_200)).outcome).toBe('created')
    })

    test('a hundred submits at once with ten keys make ten operations', async () => {
      const submits = Array.from({ length: 100 }, (_, index) =>
        store.create(newOperation({ created_at: 9_000 }), {
          idempotency: { key: `many-${index % 10}`, fingerprint: 'same', expires_at: 99_999 },
          queueMax: 1_000,
        }),
      )
      const outcomes = (await Promise.all(submits)).map(created => created.outcome)
      expect(outcomes.filter(outcome => outcome === 'created')).toHaveLength(10)
      expect(outcomes.filter(outcome => outcome === 'replayed')).toHaveLength(90)
    })

    test('a full queue refuses', async () => {
      await create()
      expect(await store.create(newOperation(), { idempotency: null, queueMax: 1 })).toMatchObject({
        outcome: 'queue-full',
      })
    })

    test('metrics keep their order and are trimmed to a checkpoint', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      const point = (step: number) => ({ at: step, values: { step } })
      await store.appendMetrics(id, 1, 'steps', [point(1), point(2)])
      const saved = await store.saveCheckpoint(
        id,
        1,
        { attempt: 1, saved_at: 1, label: 'two', size_bytes: 1, sha256: 'x', file: 'a', best: true },
        1,
      )
      expect(saved?.checkpoints[0]?.metrics_seq).toBe(2)
      await store.appendMetrics(id, 1, 'steps', [point(3)])
      await store.trimMetrics(id, 1, 2)
      await store.appendMetrics(id, 1, 'steps', [point(3), point(4)])
      expect((await store.metrics(id, 1, 10)).map(({ seq, values }) => [seq, values.step])).toEqual([
        [2, 2],
        [3, 3],
        [4, 4],
      ])
    })

    test('metrics, logs and warnings are bounded', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      const points = Array.from({ length: limits.metricPoints + 5 }, (_, at) => ({ at, values: {} }))
      expect(await store.appendMetrics(id, 1, 'steps', points)).toHaveLength(limits.metricPoints)
      expect(await store.appendMetrics(id, 1, 'steps', points.slice(0, 1))).toEqual([])
      const lines = Array.from({ length: limits.logLines + 5 }, (_, at) => ({
        at,
        level: 'info' as const,
        message: 'x',
      }))
      expect((await store.appendLogs(id, 1, lines))?.at(-1)?.message).toMatch(/log full/)
      for (let n = 0; n < limits.warnings + 5; n++) await store.addWarning(id, 1, `warning ${n}`, 3)
      expect((await store.get(id))?.warnings).toHaveLength(limits.warnings)
    })

    test('the last checkpoint and the best one are kept', async () => {
      const { operation_id: id } = await create({ priority: 10 })
      await claimOnly(id)
      const save = (file: string, best: boolean) =>
        store.saveCheckpoint(
          id,
          1,
          { attempt: 1, saved_at: 1, label: file, size_bytes: 1, sha256: 'x', file, best },
          1,
        )
      await save('a', false)
      await save('b', true)
      await save('c', false)
      expect((await save('d', false))?.checkpoints.map(({ file }) => file)).toEqual(['d', 'b'])
      expect((await save('e', true))?.checkpoints.map(({ file }) => file)).toEqual(['e'])
    })

    test('children are made once, listed in the order of the plan, and go with their parent', async () => {
      const parent = await create({ priority: 10, type: 'exercise_fan_out' })
      await claimOnly(parent.operation_id)
      const child = (index: number) =>
        newOperation({ parent_operation_id: parent.operation_id, child_index: index, priority: -10 })
      expect(await store.createChildren(parent.operation_id, 1, [child(1), child(0)])).toBe(true)
      expect(await store.createChildren(parent.operation_id, 1, [child(0), child(2)])).toBe(true)
      expect(await store.createChildren(parent.operation_id, 7, [child(3)])).toBe(false)
      const children = await store.children(parent.operation_id)
      expect(children.map(record => record.child_index)).toEqual([0, 1, 2])
      expect(await store.delete(parent.operation_id)).toEqual([])
      for (const record of children) await store.cancel(record.operation_id, null, 5)
      await store.finish(parent.operation_id, 1, complete, 5)
      expect((await store.delete(parent.operation_id)).sort()).toEqual(
        [parent, ...children].map(record => record.operation_id).sort(),
      )
      expect(await store.children(parent.operation_id)).toEqual([])
    })

    test('a resume reopens with the parent the children that did not complete, a retry deletes them', async () => {
      const parent = await create({ priority: 10, type: 'exercise_fan_out' })
      const id = parent.operation_id
      await claimOnly(id)
      const child = (index: number) =>
        newOperation({ parent_operation_id: id, child_index: index, priority: 11 })
      await store.createChildren(id, 1, [child(0), child(1), child(2)])
      const [done, saved, fresh] = await store.children(id)
      if (done === undefined || saved === undefined || fresh === undefined) throw new Error('three children')
      for (const child of [done, saved])
        expect((await store.claim('n', types, 1))?.operation_id).toBe(child.operation_id)
      await store.finish(done.operation_id, 1, complete, 2)
      const checkpoint = {
        attempt: 1,
        saved_at: 1,
        label: 'x',
        size_bytes: 1,
        sha256: 'x',
        file: 'x',
        best: false,
      }
      await store.saveCheckpoint(saved.operation_id, 1, checkpoint, 2)
      for (const one of [id, saved.operation_id, fresh.operation_id]) await store.cancel(one, null, 3)
      await store.finish(saved.operation_id, 1, { event: 'stop', mode: 'cooperative' }, 4)
      await store.finish(id, 1, { event: 'stop', mode: 'cooperative' }, 4)
      const reopen = (event: 'resume' | 'retry') =>
        store.reopen(id, { event, attempts: 3, provenance: null, warnings: ['w'] }, 5)
      const resumed = await reopen('resume')
      expect(resumed?.record).toMatchObject({
        status: 'pending',
        attempt: 2,
        max_attempts: 4,
        warnings: ['w'],
      })
      expect(resumed?.children.map(record => [record.operation_id, record.checkpoints.length])).toEqual([
        [saved.operation_id, 1],
        [fresh.operation_id, 0],
      ])
      expect((await store.children(id)).map(record => record.status)).toEqual([
        'completed',
        'pending',
        'pending',
      ])
      for (const child of [saved, fresh]) await store.cancel(child.operation_id, null, 6)
      await store.cancel(id, null, 6)
      expect((await reopen('retry'))?.deleted).toHaveLength(3)
      expect(await store.children(id)).toEqual([])
      await store.cancel(id, null, 7)
    })

    test('a list is newest first and goes on where it stopped', async () => {
      const made = []
      for (let n = 0; n < 5; n++) made.push((await create({ params: { note: 'page-me' } })).operation_id)
      const first = await store.list({ parent: null, text: 'PAGE-me', limit: 2 })
      const last = first.at(-1)
      const rest = await store.list({
        parent: null,
        text: 'page-me',
        limit: 10,
        ...(last === undefined ? {} : { before: last }),
      })
      expect([...first, ...rest].map(record => record.operation_id)).toEqual(made.reverse())
    })

    test('a list by status holds the newest of every status asked for', async () => {
      const both = await store.list({ parent: null, statuses: ['completed', 'cancelled'], limit: 200 })
      expect(new Set(both.map(record => record.status))).toEqual(new Set(['completed', 'cancelled']))
      const order = both.map(record => [record.created_at, record.operation_id] as const)
      expect(order).toEqual(order.toSorted((a, b) => b[0] - a[0] || (a[1] < b[1] ? 1 : -1)))
      const second = await store.list({ parent: null, statuses: ['completed', 'cancelled'], limit: 2 })
      expect(second).toEqual(both.slice(0, 2))
    })

    test('the counts are what a count of the rows would say', async () => {
      const { total, by_status } = await store.counts()
      let counted = 0
      for (const [status, n] of Object.entries(by_status)) {
        const rows = await store.inStatus([status as (typeof statuses)[number]])
        expect([status, rows.length]).toEqual([status, n])
        counted += n
      }
      expect(counted).toBe(total)
      expect(await store.pendingCount()).toBe(by_status.pending)
    })

    test('changes after a sequence number are listed once each, oldest change first', async () => {
      const before = await store.latestChange()
      const [a, b] = [await create(), await create()]
      await store.cancel(a.operation_id, null, 1)
      expect((await store.changedAfter(before, 10)).map(record => record.operation_id)).toEqual([
        b.operation_id,
        a.operation_id,
      ])
    })
  })
}
