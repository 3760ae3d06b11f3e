import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Operation, startProgram, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)

test('kill -9 at random moments during 100 operations loses none: each completes once, with the bytes of an undisturbed run', async () => {
  const program = await startProgram({ KTRDR_MAX_ATTEMPTS: '1000' })
  const params = (seed: number) => ({
    steps: 60,
    step_ms: 1,
    metrics: 10,
    checkpoint_every: seed % 2 === 0 ? 20 : 0,
    seed,
  })
  // The key makes a repeated submit safe: the answer to an accepted one may have died with the server.
  const submit = (seed: number) =>
    program.submit('exercise', params(seed), {}, { 'idempotency-key': `run-${seed}` })
  const ids: string[] = []
  const moments = fc.sample(fc.integer({ min: 50, max: 700 }), { numRuns: 8, seed: 42 })
  let next = 0
  for (const moment of moments) {
    const dying = new Promise(resolve => setTimeout(resolve, moment)).then(() => program.kill())
    while (next < 100) {
      const accepted = await submit(next).catch(() => null)
      if (accepted === null) break
      ids.push(accepted.operation_id)
      next += 1
    }
    await dying
    await program.start()
  }
  for (; next < 100; next++) ids.push((await submit(next)).operation_id)

  const ends = new Map<string, Operation>()
  for (const id of ids) ends.set(id, await program.end(id))
  expect([...ends.values()].map(({ status }) => status)).toEqual(ids.map(() => 'completed'))
  expect([...ends.values()].some(({ attempt }) => attempt > 1)).toBe(true)

  const undisturbed = await startProgram()
  for (const [index, id] of ids.entries()) {
    if (index % 10 > 1) continue // every pair of kinds, ten times
    const straight = await undisturbed.end((await undisturbed.submit('exercise', params(index))).operation_id)
    expect(JSON.stringify(ends.get(id)?.result)).toBe(JSON.stringify(straight.result))
    const points = async (from: typeof program, of: string) =>
      (
        await from.get<{ series: { points: { seq: number; values: unknown }[] }[] }>(
          `/api/v1/operations/${of}/metrics`,
        )
      ).body.series[0]?.points.map(({ seq, values }) => ({ seq, values }))
    expect(await points(program, id)).toEqual(await points(undisturbed, straight.operation_id))
  }
  const counts = await program.get<{ by_status: Record<string, number> }>('/api/v1/operations/counts')
  expect(counts.body.by_status).toMatchObject({
    completed: ids.length,
    pending: 0,
    running: 0,
    cancelling: 0,
    failed: 0,
    cancelled: 0,
  })
}, 240_000)

test('an operation that takes the server down every time fails with interrupted once its attempts are used up', async () => {
  const program = await startProgram({ KTRDR_MAX_ATTEMPTS: '2' })
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1 })
  for (let round = 0; round < 2; round++) {
    // A node of a cluster takes its own work of before over only when its heartbeat has lapsed.
    await program.until(id, ({ status, attempt }) => status === 'running' && attempt === round + 1)
    await program.kill()
    await program.start()
  }
  expect(await program.end(id)).toMatchObject({
    status: 'failed',
    attempt: 2,
    problem: { code: 'interrupted' },
  })
})

test('a crash while it was cancelling ends as cancelled', async () => {
  const program = await startProgram()
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1, deaf: true })
  await program.until(id, operation => operation.status === 'running')
  await program.cancel(id)
  await program.kill()
  await program.start()
  expect(await program.end(id)).toMatchObject({ status: 'cancelled', cancellation: { mode: 'forced' } })
})

test('a damaged checkpoint is passed over: the operation goes on from what is whole, says so, and ends with the same bytes', async () => {
  const program = await startProgram()
  const params = { steps: 4_000, step_ms: 0.5, checkpoint_every: 200, metrics: 100, seed: 5 }
  const { operation_id: id } = await program.submit('exercise', params)
  await program.until(id, operation => operation.checkpoint !== null)
  await program.kill()
  const folder = join(program.home, 'checkpoints', id)
  for (const file of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, file))
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 0xff
    writeFileSync(join(folder, file), bytes)
  }
  await program.start()
  const done = await program.end(id)
  const straight = await program.end(
    (await program.submit('exercise', { ...params, step_ms: 0 })).operation_id,
  )
  expect(done.result).toEqual(straight.result)
  expect(done.warnings.join()).toMatch(/damaged/)
})
