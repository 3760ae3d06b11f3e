import { afterAll, describe, expect, test } from '@jest/globals'
import { connect } from '../../src/store/postgres/connection.ts'
import { writerLock } from '../../src/store/postgres/writer.ts'
import { startPostgres, stopPostgres, withPostgres } from '../support/postgres.ts'
import { Cluster, claimed, stopClusters, until } from './cluster.ts'
import { newOperation } from './new-operation.ts'
import { closeWires, Wire } from './wire.ts'

afterAll(async () => {
  await stopClusters()
  closeWires()
  await stopPostgres()
})

const withoutKey = { idempotency: null, queueMax: 10_000 }
const progress = { progress: 9, phase: null, steps: null, rate: null, eta_seconds: null }

withPostgres(describe)('a database that goes away', () => {
  test.each(['before', 'after'] as const)(
    'a connection that breaks just %s a commit makes every write once',
    async cut => {
      const direct = await Cluster.start(1)
      const { wire, url } = await Wire.to(direct.url)
      const cluster = await Cluster.start(1, url)
      const id = newOperation().operation_id
      await cluster.store(0).create({ ...newOperation(), operation_id: id }, withoutKey)
      await claimed(cluster.store(0), ['exercise'])
      wire.cutAtCommit(cut)
      const [points, created] = await Promise.all([
        cluster.store(0).appendMetrics(id, 1, 'steps', [{ at: 1, values: { step: 1 } }]),
        cluster.store(0).create(newOperation(), withoutKey),
      ])
      expect(wire.cuts).toBe(1)
      expect(points?.map(point => point.seq)).toEqual([1])
      expect(created.outcome).toBe('created')
      expect(await direct.query('select seq::integer from metrics')).toEqual([{ seq: 1 }])
      expect(await direct.jobs()).toEqual({ active: 1, created: 1 })
      await cluster.stop()
      await direct.stop()
      wire.close()
    },
  )

  test.each(['fast', 'immediate'] as const)(
    'a restart (%s) in the middle of many writes loses and doubles nothing',
    async how => {
      const server = await startPostgres()
      const cluster = await Cluster.start(2)
      const running = newOperation({ priority: 9 })
      await cluster.store(0).create(running, withoutKey)
      await claimed(cluster.store(0), ['exercise'])
      const operations = Array.from({ length: 200 }, () => newOperation())
      let written = 0
      const writeSome = async (store: number) => {
        for (const operation of operations.filter((_, n) => n % 2 === store)) {
          const created = await cluster.store(store).create(operation, withoutKey)
          expect(created.outcome).toBe('created')
          written += 1
        }
      }
      const warnSome = async () => {
        for (let n = 0; n < 90; n++)
          expect(await cluster.store(1).addWarning(running.operation_id, 1, `warning ${n}`, 5)).not.toBeNull()
      }
      const all = Promise.all([writeSome(0), writeSome(1), warnSome()])
      await until(async () => written > 30)
      await server.stop(how)
      expect(written).toBeLessThan(operations.length)
      await server.start()
      await all
      const { total } = await cluster.store(0).counts()
      expect(total).toBe(operations.length + 1)
      expect(await cluster.jobs()).toEqual({ active: 1, created: operations.length })
      expect((await cluster.store(1).get(running.operation_id))?.warnings).toHaveLength(90)
      await cluster.stop()
    },
  )

  test('numbers that were told before Postgres crashed do not come again', async () => {
    const server = await startPostgres()
    const cluster = await Cluster.start(1)
    const { operation_id: id } = newOperation()
    await cluster.store(0).create({ ...newOperation(), operation_id: id }, withoutKey)
    await claimed(cluster.store(0), ['exercise'])
    const update = { operation_id: id, attempt: 1, progress, worker_thread: 1, heartbeat_at: 5 }
    const [told] = await cluster.store(0).recordProgress([update], 5)
    await server.stop('immediate')
    await server.start()
    const [next] = await cluster.store(0).recordProgress([update], 6)
    expect(next?.revision).toBeGreaterThan(told?.revision ?? Infinity)
    expect(next?.change_seq).toBeGreaterThan(told?.change_seq ?? Infinity)
    const [after] = await cluster.store(0).recordProgress([update], 7)
    expect(after?.revision).toBe((next?.revision ?? 0) + 1)
    await cluster.stop()
  })

  test('listeners hear again after a restart, and are told that they may have missed something', async () => {
    const server = await startPostgres()
    const cluster = await Cluster.start(2)
    const heard: string[] = []
    cluster.store(1).onNotify(note => {
      heard.push(note.kind === 'changes' ? `${note.operations?.[0]?.operation_id}` : note.kind)
    })
    await until(async () => heard.includes('reconnected'))
    const [before, after] = [newOperation(), newOperation()]
    await cluster.store(0).create(before, withoutKey)
    await until(async () => heard.includes(before.operation_id))
    await server.stop()
    await server.start()
    await until(async () => heard.filter(one => one === 'reconnected').length === 2)
    await cluster.store(0).create(after, withoutKey)
    await until(async () => heard.includes(after.operation_id))
    await cluster.stop()
  })

  test('whoever asks whether the database is there hears soon that it is not', async () => {
    const server = await startPostgres()
    const cluster = await Cluster.start(1)
    await cluster.store(0).ping()
    await server.stop()
    await expect(cluster.store(0).ping()).rejects.toMatchObject({ code: 'database-unavailable' })
    await server.start()
    await cluster.store(0).ping()
    await cluster.stop()
  })

  test('a node that is frozen while it holds the lock of the writers loses it', async () => {
    const cluster = await Cluster.start(1)
    const frozen = await connect(cluster.url)
    await frozen.query(`begin; select pg_advisory_xact_lock(${writerLock})`)
    expect((await cluster.store(0).create(newOperation(), withoutKey)).outcome).toBe('created')
    await expect(frozen.query('commit')).rejects.toThrow()
    await cluster.stop()
  })
})
