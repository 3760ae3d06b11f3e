import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram({ KTRDR_QUEUE_MAX: '60' })
})
afterAll(stopPrograms)

type Page = { items: Operation[] }

test('of fifty operations on two threads never more than two run, and all complete', async () => {
  const ids: string[] = []
  for (let seed = 0; seed < 50; seed++)
    ids.push((await program.submit('exercise', { steps: 20, step_ms: 2, seed })).operation_id)
  let most = 0
  for (;;) {
    const { body } = await program.get<{ by_status: Record<string, number> }>('/api/v1/operations/counts')
    most = Math.max(most, Number(body.by_status.running) + Number(body.by_status.cancelling))
    expect(most).toBeLessThanOrEqual(2)
    if (body.by_status.completed === 50) break
  }
  expect(most).toBe(2)
  const list = await program.get<Page>('/api/v1/operations?limit=200')
  expect(list.body.items.map(({ status, progress }) => [status, progress])).toEqual(
    ids.map(() => ['completed', 100]),
  )
})

test('a higher priority starts first, and a pending operation knows its place', async () => {
  const blockers = await Promise.all(
    [0, 1].map(() => program.submit('exercise', { steps: 1_000_000, step_ms: 1 })),
  )
  const low = await program.submit('exercise', { steps: 1 })
  const high = await program.submit('exercise', { steps: 1 }, { priority: 5 })
  expect((await program.operation(high.operation_id)).queued_position).toBe(1)
  expect((await program.operation(low.operation_id)).queued_position).toBe(2)
  await program.cancel(blockers[0]?.operation_id ?? '')
  const [first, second] = [await program.end(high.operation_id), await program.end(low.operation_id)]
  expect(Date.parse(first.started_at ?? '')).toBeLessThanOrEqual(Date.parse(second.started_at ?? ''))
  await program.cancel(blockers[1]?.operation_id ?? '')
})

test('a full queue answers 429 and nothing accepted is lost', async () => {
  const busy = await Promise.all(
    [0, 1].map(() => program.submit('exercise', { steps: 1_000_000, step_ms: 1 })),
  )
  for (const { operation_id: id } of busy)
    await program.until(id, operation => operation.status === 'running')
  const answers = await Promise.all(
    Array.from({ length: 65 }, () =>
      program.request<{ operation_id: string; code: string }>('POST', '/api/v1/operations', {
        body: { type: 'exercise', params: { steps: 1 } },
      }),
    ),
  )
  const accepted = answers.filter(({ status }) => status === 202)
  const refused = answers.filter(({ status }) => status === 429)
  expect([accepted.length, refused.length]).toEqual([60, 5])
  expect(refused[0]?.body.code).toBe('queue-full')
  expect(refused[0]?.headers.get('retry-after')).not.toBeNull()
  for (const { operation_id: id } of busy) await program.cancel(id)
  for (const { body } of accepted) expect((await program.end(body.operation_id)).status).toBe('completed')
})
