import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

const graceMs = 1_500
const hotLoop = { steps: 1_000_000_000, step_ms: 0 }

let program: Program
beforeAll(async () => {
  program = await startProgram({ KTRDR_THREADS: '1' })
})
afterAll(stopPrograms)

const running = (id: string) =>
  program.until(id, operation => operation.status === 'running' && operation.progress > 0)

test('cancelling a hot loop stops it by its own hand, keeps a checkpoint, and resume goes on from there', async () => {
  const { operation_id: id } = await program.submit('exercise', {
    steps: 8_000,
    step_ms: 0.2,
    checkpoint_every: 500,
  })
  await running(id)
  const answer = await program.cancel(id, 'enough')
  expect(answer.status).toBe(202)
  const cancelled = await program.end(id)
  expect(cancelled).toMatchObject({
    status: 'cancelled',
    cancellation: { reason: 'enough', mode: 'cooperative' },
    can: { resume: true, retry: true },
  })
  expect(cancelled.checkpoint).not.toBeNull()
  const stoppedAt = Number(/\d+/.exec(cancelled.checkpoint?.label ?? '')?.[0])
  expect(stoppedAt).toBeGreaterThan(0)

  const resumed = await program.request<{ attempt: number }>('POST', `/api/v1/operations/${id}/resume`)
  expect(resumed.status).toBe(202)
  expect(resumed.body.attempt).toBe(2)
  const done = await program.end(id)
  const straight = await program.end(
    (await program.submit('exercise', { steps: 8_000, step_ms: 0 })).operation_id,
  )
  expect(done.status).toBe('completed')
  expect(done.result).toEqual(straight.result)
})

test('a cancelled pending operation never starts', async () => {
  const { operation_id: busy } = await program.submit('exercise', hotLoop)
  const { operation_id: pending } = await program.submit('exercise', { steps: 1 })
  const answer = await program.cancel(pending)
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({ status: 'cancelled', started_at: null })
  await program.cancel(busy)
  await program.end(busy)
  const after = await program.submit('exercise', { steps: 1 })
  await program.end(after.operation_id)
  expect(await program.operation(pending)).toMatchObject({
    status: 'cancelled',
    started_at: null,
    attempt: 1,
  })
})

test('cancelling twice is 200, cancelling what has ended is 409, deleting what runs is 409', async () => {
  const { operation_id: id } = await program.submit('exercise', hotLoop)
  await running(id)
  expect((await program.request('DELETE', `/api/v1/operations/${id}`)).status).toBe(409)
  expect((await program.cancel(id)).status).toBe(202)
  await program.end(id)
  expect((await program.cancel(id)).status).toBe(200)
  const { operation_id: short } = await program.submit('exercise', { steps: 1 })
  await program.end(short)
  const refused = await program.cancel(short)
  expect(refused.status).toBe(409)
  expect(refused.body).toMatchObject({ code: 'illegal-transition' })
})

test('an operation that outlives its time limit fails with timed-out and keeps its checkpoint', async () => {
  const { operation_id: id } = await program.submit('exercise', hotLoop, { timeout_seconds: 1 })
  const failed = await program.end(id)
  expect(failed).toMatchObject({ status: 'failed', problem: { code: 'timed-out' }, can: { resume: true } })
})

test('cancels that come at any moment of a short life always end it', async () => {
  const ids: string[] = []
  for (let n = 0; n < 40; n++) {
    const { operation_id: id } = await program.submit('exercise', { steps: 200, step_ms: 0.05 * (n % 8) })
    if (n % 3 === 0) await new Promise(resolve => setImmediate(resolve))
    await program.cancel(id)
    ids.push(id)
  }
  for (const id of ids) expect(['cancelled', 'completed']).toContain((await program.end(id)).status)
})

describe('a worker that does not hear', () => {
  beforeAll(async () => {
    await program.signal('SIGTERM')
    await program.start({ KTRDR_CANCEL_GRACE_MS: String(graceMs) })
  })

  test('a deaf worker is killed when its grace is over, and its slot is used again only then', async () => {
    const { operation_id: deaf } = await program.submit('exercise', { ...hotLoop, deaf: true })
    await program.until(deaf, operation => operation.status === 'running' && operation.worker?.thread != null)
    const { operation_id: waiting } = await program.submit('exercise', { steps: 1 })
    const deafThread = (await program.operation(deaf)).worker?.thread
    await program.cancel(deaf)
    expect((await program.operation(deaf)).status).toBe('cancelling')
    expect((await program.operation(waiting)).status).toBe('pending')
    const killed = await program.end(deaf)
    expect(killed).toMatchObject({ status: 'cancelled', cancellation: { mode: 'forced' } })
    expect(killed.cancellation?.latency_ms).toBeGreaterThanOrEqual(graceMs - 1)
    const next = await program.end(waiting)
    expect(next.status).toBe('completed')
    expect(next.worker?.thread).not.toBe(deafThread)
    expect(Date.parse(next.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(killed.completed_at ?? ''))
  })

  test('a killed thread inside a native call keeps its slot until it has really gone', async () => {
    // Far more than the grace takes: a call may be shorter where its length was measured on a busy machine.
    const native = { steps: 30, step_ms: 1_000, burn: 'native', deaf: true }
    let latencyMs = 0
    // A kill that happens to come where one call ends and the next begins shows nothing.
    for (let tries = 0; tries < 3 && latencyMs <= graceMs + 60; tries++) {
      const { operation_id: deaf } = await program.submit('exercise', native)
      await program.until(deaf, operation => operation.worker?.thread != null)
      const { operation_id: waiting } = await program.submit('exercise', { steps: 1 })
      await program.cancel(deaf)
      const killed = await program.end(deaf)
      expect(killed).toMatchObject({ status: 'cancelled', cancellation: { mode: 'forced' } })
      latencyMs = killed.cancellation?.latency_ms ?? 0
      const next = await program.end(waiting)
      expect(Date.parse(next.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(killed.completed_at ?? ''))
    }
    // The grace is over long before the call is.
    expect(latencyMs).toBeGreaterThan(graceMs + 60)
  })
})

test('a thread that only loads its worker yet is not waited for, and another takes its place', async () => {
  const slow = await startProgram(
    { KTRDR_THREADS: '1', KTRDR_CANCEL_GRACE_MS: '60000' },
    'test/execution/slow-loading-main.ts',
  )
  const { operation_id: id } = await slow.submit('exercise', hotLoop)
  await slow.until(id, operation => operation.status === 'running')
  await slow.cancel(id)
  const { status, cancellation, attempt } = await slow.end(id)
  expect({ status, attempt }).toEqual({ status: 'cancelled', attempt: 1 })
  expect(cancellation?.mode).toBe('cooperative')
  expect(cancellation?.latency_ms).toBeLessThan(3_000)
  const after = await slow.submit('exercise', { steps: 1 })
  expect(await slow.end(after.operation_id)).toMatchObject({ status: 'completed', attempt: 1 })
})
