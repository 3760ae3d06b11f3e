import { afterAll, expect, test } from '@jest/globals'
import { startProgram, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)

test('SIGTERM saves what runs, exits 0, and the next start goes on from there', async () => {
  const program = await startProgram()
  const params = { steps: 3_000, step_ms: 1, seed: 9 }
  const { operation_id: id } = await program.submit('exercise', params)
  await program.until(id, operation => operation.progress > 5)
  expect(await program.signal('SIGTERM')).toBe(0)
  await program.start()
  const again = await program.until(id, operation => operation.status === 'running' && operation.progress > 0)
  expect(again).toMatchObject({ attempt: 2, checkpoint: { label: expect.stringMatching(/^step \d+$/) } })
  expect(again.progress).toBeGreaterThan(5)
  const done = await program.end(id)
  const straight = await program.end(
    (await program.submit('exercise', { ...params, step_ms: 0 })).operation_id,
  )
  expect(done.result).toEqual(straight.result)
})

test('while it drains it is not ready and takes nothing new; a second signal ends it at once', async () => {
  const program = await startProgram()
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1, deaf: true })
  await program.until(id, operation => operation.status === 'running')
  program.sendSignal('SIGTERM')
  for (let tries = 0; (await program.get('/health/ready')).status !== 503; tries++)
    expect(tries).toBeLessThan(1_000)
  const refused = await program.request('POST', '/api/v1/operations', {
    body: { type: 'exercise', params: {} },
  })
  expect(refused.status).toBe(503)
  expect(refused.body).toMatchObject({ code: 'draining', retryable: true })
  expect(refused.headers.get('retry-after')).not.toBeNull()
  await new Promise(resolve => setTimeout(resolve, 600)) // two signals within half a second are one
  expect(await program.signal('SIGTERM')).toBe(143)
  await program.start()
  expect(await program.until(id, operation => operation.attempt === 2)).toMatchObject({
    status: expect.stringMatching(/pending|running/),
  })
})

test('a worker that does not give way is killed at the deadline and its operation is queued again', async () => {
  const program = await startProgram({ KTRDR_SHUTDOWN_GRACE_MS: '300' })
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1, deaf: true })
  await program.until(id, operation => operation.status === 'running')
  expect(await program.signal('SIGTERM')).toBe(0)
  await program.start()
  expect(await program.until(id, operation => operation.status === 'running')).toMatchObject({ attempt: 2 })
})
