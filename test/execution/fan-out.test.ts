import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram({ KTRDR_MAX_ATTEMPTS: '100' })
})
afterAll(stopPrograms)

const digestOf = ({ result }: Operation) => (result !== null && 'digest' in result ? result.digest : '')

type Page = { items: Operation[]; next_cursor: string | null }
const children = async (id: string) =>
  (await program.get<Page>(`/api/v1/operations/${id}/children`)).body.items

test('a parent plans children, sums up their progress and reduces their results', async () => {
  const { operation_id: id } = await program.submit('exercise_fan_out', {
    children: 6,
    exercise: { steps: 100, step_ms: 1 },
  })
  const midway = await program.until(id, operation => operation.progress > 0)
  expect(midway.children?.total).toBe(6)
  const done = await program.end(id)
  expect(done).toMatchObject({
    status: 'completed',
    progress: 100,
    children: { total: 6, completed: 6 },
    result: { children: 6 },
  })
  const items = await children(id)
  expect(items.map(child => [child.status, child.provenance.seed])).toEqual(
    [1, 2, 3, 4, 5, 6].map(seed => ['completed', seed]),
  )
  expect(
    (await program.get<Page>('/api/v1/operations')).body.items.map(operation => operation.operation_id),
  ).not.toContain(items[0]?.operation_id)
  expect((await program.request('DELETE', `/api/v1/operations/${items[0]?.operation_id}`)).status).toBe(409)
  expect((await program.request('DELETE', `/api/v1/operations/${id}`)).status).toBe(204)
  expect((await program.get(`/api/v1/operations/${items[0]?.operation_id}`)).status).toBe(404)
})

test('cancelling a parent cancels its children; resuming it keeps those that had finished', async () => {
  const { operation_id: id } = await program.submit('exercise_fan_out', {
    children: 8,
    exercise: { steps: 300, step_ms: 1 },
  })
  await program.until(id, operation => (operation.children?.completed ?? 0) >= 2)
  expect((await program.cancel(id)).status).toBe(202)
  const cancelled = await program.end(id)
  expect(cancelled.status).toBe('cancelled')
  expect(
    (await children(id)).every(child => child.status === 'completed' || child.status === 'cancelled'),
  ).toBe(true)
  const kept = (await children(id)).filter(child => child.status === 'completed')
  expect(kept.length).toBeGreaterThanOrEqual(2)
  expect((await program.request('POST', `/api/v1/operations/${id}/resume`)).status).toBe(202)
  const done = await program.end(id)
  expect(done).toMatchObject({ status: 'completed', attempt: 2, children: { total: 8, completed: 8 } })
  for (const child of kept)
    expect((await program.operation(child.operation_id)).revision).toBe(child.revision)
  const straight = await program.end(
    (await program.submit('exercise_fan_out', { children: 8, exercise: { steps: 300, step_ms: 0 } }))
      .operation_id,
  )
  expect(done.result).toEqual(straight.result)
})

test('a parent that outlives its time limit cancels its children and fails with timed-out', async () => {
  const endless = { steps: 1_000_000, step_ms: 1 }
  const { operation_id: id } = await program.submit(
    'exercise_fan_out',
    { children: 3, exercise: endless },
    { timeout_seconds: 1 },
  )
  expect(await program.end(id)).toMatchObject({ status: 'failed', problem: { code: 'timed-out' } })
  // The limit is theirs as well: one that started in the same moment may reach it first.
  const ends = (await children(id)).map(({ status, problem }) => problem?.code ?? status)
  expect(ends).toEqual(ends.map(() => expect.stringMatching(/^(cancelled|timed-out)$/)))
  expect(ends).toHaveLength(3)
})

test('a stop or a crash while a parent is being cancelled leaves no child that goes on', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const endless = { steps: 1_000_000, step_ms: 1 }
    const { operation_id: id } = await program.submit('exercise_fan_out', {
      children: 300,
      exercise: endless,
    })
    await program.until(id, operation => operation.children?.total === 300)
    const cancelling = program.cancel(id).catch(() => null)
    await program.signal(signal)
    await cancelling
    await program.start()
    const parent = await program.operation(id)
    if (parent.status === 'cancelled') {
      const { body } = await program.get<{ by_status: Record<string, number> }>('/api/v1/operations/counts')
      expect([body.by_status.pending, body.by_status.running]).toEqual([0, 0])
    } else {
      // The cancel had not been accepted yet: the parent goes on, and can be cancelled.
      await program.cancel(id)
      expect((await program.end(id)).status).toBe('cancelled')
    }
  }
})

test('children a client cancelled stay cancelled after a restart', async () => {
  const { operation_id: id } = await program.submit('exercise_fan_out', {
    children: 3,
    exercise: { steps: 2_000, step_ms: 1 },
  })
  await program.until(id, operation => operation.children?.total === 3)
  const last = (await children(id))[2]?.operation_id ?? ''
  await program.cancel(last)
  await program.end(last)
  expect(await program.signal('SIGTERM')).toBe(0)
  await program.start()
  expect(await program.end(id)).toMatchObject({
    status: 'failed',
    problem: { code: 'child-failed' },
    children: { completed: 2, cancelled: 1 },
  })
  expect(await program.operation(last)).toMatchObject({ status: 'cancelled', attempt: 1 })
})

test('a parent survives kill -9 with its children', async () => {
  const { operation_id: id } = await program.submit('exercise_fan_out', {
    children: 6,
    exercise: { steps: 400, step_ms: 1, checkpoint_every: 50 },
  })
  await program.until(id, operation => (operation.children?.completed ?? 0) >= 1)
  await program.kill()
  await program.start()
  expect(await program.end(id)).toMatchObject({ status: 'completed', children: { total: 6, completed: 6 } })
})

test('a child that fails fails its parent, by name', async () => {
  const { operation_id: id } = await program.submit('exercise_fan_out', {
    children: 3,
    exercise: { steps: 9, fail_at: 4 },
  })
  const failed = await program.end(id)
  expect(failed).toMatchObject({
    status: 'failed',
    problem: { code: 'child-failed' },
    children: { failed: 3 },
  })
  expect(failed.error).toContain((await children(id))[0]?.operation_id)
})

test('a parent plans further rounds from what the ones before found, and the rounds come out the same every time', async () => {
  const params = { children: 3, rounds: 3, exercise: { steps: 20, step_ms: 0 } }
  const { operation_id: id } = await program.submit('exercise_fan_out', params)
  const done = await program.end(id)
  expect(done).toMatchObject({ status: 'completed', children: { total: 9, completed: 9 } })
  const planned = await children(id)
  const seeds = planned.map(child => child.provenance.seed)
  expect(seeds.slice(0, 3)).toEqual([1, 2, 3])
  for (const [index, child] of planned.slice(0, 6).entries())
    expect(seeds[index + 3]).toBe(Number.parseInt(digestOf(child).slice(0, 7), 16))
  const again = await program.end((await program.submit('exercise_fan_out', params)).operation_id)
  expect(again.result).toEqual(done.result)
})

test('a parent that was cancelled between rounds goes on with the round it was in', async () => {
  const params = { children: 4, rounds: 3, exercise: { steps: 100, step_ms: 1 } }
  const straight = await program.end((await program.submit('exercise_fan_out', params)).operation_id)
  const { operation_id: id } = await program.submit('exercise_fan_out', params)
  await program.until(id, operation => (operation.children?.total ?? 0) > 4)
  const before = (await program.operation(id)).progress
  expect(before).toBeLessThan(100)
  await program.cancel(id)
  expect((await program.end(id)).status).toBe('cancelled')
  const kept = (await children(id)).filter(child => child.status === 'completed')
  expect(kept.length).toBeGreaterThanOrEqual(4)
  await program.request('POST', `/api/v1/operations/${id}/resume`)
  const done = await program.end(id)
  expect(done).toMatchObject({ status: 'completed', children: { total: 12, completed: 12 } })
  expect(done.result).toEqual(straight.result)
  for (const child of kept)
    expect((await program.operation(child.operation_id)).revision).toBe(child.revision)
})
