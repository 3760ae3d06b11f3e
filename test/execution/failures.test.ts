import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram({ KTRDR_WORKER_MEMORY_MB: '128' })
})
afterAll(stopPrograms)

const endless = { steps: 1_000_000_000, step_ms: 0 }

test('each way a worker can die fails its own operation with its own problem, and twenty neighbours finish', async () => {
  const bad = {
    'exercise-failed': await program.submit('exercise', { steps: 9, fail_at: 3 }),
    'worker-threw': await program.submit('exercise', { steps: 9, throw_at: 3 }),
    'worker-exited': await program.submit('exercise', { steps: 9, exit_at: 3 }),
    'worker-unresponsive': await program.submit('exercise', { steps: 9, spin_at: 3, stall_ms: 2_000 }),
    'out-of-memory': await program.submit('exercise', { ...endless, allocate_mb: 4_000, allocate: 'heap' }),
  }
  const buffers = await program.submit('exercise', { ...endless, allocate_mb: 400, allocate: 'buffers' })
  const neighbours = await Promise.all(
    Array.from({ length: 20 }, (_, seed) => program.submit('exercise', { steps: 50, step_ms: 1, seed })),
  )
  for (const [code, { operation_id: id }] of Object.entries(bad)) {
    const failed = await program.end(id)
    expect([failed.status, failed.problem?.code]).toEqual(['failed', code])
    expect(failed.error).toBe(failed.problem?.detail)
    expect(failed.problem?.type).toBe(`/problems/${code}`)
  }
  expect((await program.end(buffers.operation_id)).problem?.code).toBe('out-of-memory')
  for (const { operation_id: id } of neighbours) expect((await program.end(id)).status).toBe('completed')
  expect((await program.get('/health/ready')).status).toBe(200)
})

test('a worker that throws after it has run for a while frees its slot at once', async () => {
  const late = { steps: 5_000, step_ms: 1, throw_at: 700 }
  const thrown = await Promise.all([0, 1, 2, 3].map(() => program.submit('exercise', late)))
  for (const { operation_id: id } of thrown)
    expect((await program.end(id)).problem?.code).toBe('worker-threw')
  expect((await program.end((await program.submit('exercise', { steps: 1 })).operation_id)).status).toBe(
    'completed',
  )
})

test('of a retry and a resume at the same moment one wins, the other is told why, and the work is whole', async () => {
  for (let round = 0; round < 8; round++) {
    const { operation_id: id } = await program.submit('exercise', {
      steps: 1_500,
      step_ms: 0.2,
      checkpoint_every: 50,
      seed: 3,
    })
    await program.until(id, operation => operation.checkpoint !== null)
    await program.cancel(id)
    await program.end(id)
    const answers = await Promise.all(
      ['retry', 'resume'].map(verb => program.request('POST', `/api/v1/operations/${id}/${verb}`)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409])
    expect(await program.end(id)).toMatchObject({ status: 'completed', attempt: 2, warnings: [] })
  }
})

test('a failed operation that is retried starts over, with a new attempt and without its old metrics', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 9, metrics: 1, fail_at: 5 })
  expect((await program.end(id)).attempt).toBe(1)
  expect((await program.request('POST', `/api/v1/operations/${id}/retry`)).status).toBe(202)
  const again = await program.end(id)
  expect(again).toMatchObject({ status: 'failed', attempt: 2, problem: { code: 'exercise-failed' } })
  const metrics = await program.get<{ series: { points: { seq: number }[] }[] }>(
    `/api/v1/operations/${id}/metrics`,
  )
  expect(metrics.body.series[0]?.points.map(point => point.seq)).toEqual([1, 2, 3, 4, 5])
})

test('what cannot be resumed or retried says why', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1 })
  await program.end(id)
  for (const verb of ['resume', 'retry']) {
    const refused = await program.request<{ detail: string }>('POST', `/api/v1/operations/${id}/${verb}`)
    expect(refused.status).toBe(409)
    expect(refused.body.detail).toMatch(/is completed/)
  }
  const failed = await program.submit('exercise', { steps: 9, fail_at: 3 })
  await program.end(failed.operation_id)
  const refused = await program.request<{ detail: string; hint: string }>(
    'POST',
    `/api/v1/operations/${failed.operation_id}/resume`,
  )
  expect(refused.status).toBe(409)
  expect(refused.body).toMatchObject({
    detail: expect.stringMatching(/no checkpoint/),
    hint: expect.stringMatching(/[Rr]etry/),
  })
})
