import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { withPostgres } from '../support/postgres.ts'
import { newCluster, type Program, startNode, stopPrograms } from '../support/program.ts'

/** Where clients ask, and where it runs. */
let api: Program
let worker: Program
const cancels = 30
/** What is promised of ninety-nine of a hundred. */
const promisedMs = 500
/** Where other tests run on the same two cores. */
const allowedMs = 5_000
const hotLoop = { steps: 1_000_000_000, step_ms: 0 }
afterAll(stopPrograms)

const runs = async (id: string) => api.until(id, operation => operation.worker?.thread != null)
const percentile = (values: readonly number[], fraction: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(fraction * values.length) - 1] ?? Number.NaN

withPostgres(describe)('an API node and a worker whose threads are all in hot loops', () => {
  beforeAll(async () => {
    const cluster = await newCluster()
    ;[api, worker] = await Promise.all([startNode(cluster, 'api'), startNode(cluster, 'worker')])
  })

  test('thirty cancels each stop their loop within half a second, and leave the other one running', async () => {
    const { operation_id: other } = await api.submit('exercise', hotLoop)
    await runs(other)
    const seen: number[] = []
    const recorded: number[] = []
    for (let n = 0; n < cancels; n++) {
      const { operation_id: id } = await api.submit('exercise', { ...hotLoop, seed: n })
      await runs(id)
      const askedAt = performance.now()
      expect((await api.cancel(id)).status).toBe(202)
      const ended = await api.end(id)
      seen.push(performance.now() - askedAt)
      recorded.push(ended.cancellation?.latency_ms ?? Number.NaN)
      expect(ended).toMatchObject({
        status: 'cancelled',
        attempt: 1,
        cancellation: { mode: 'cooperative' },
      })
    }
    expect((await api.operation(other)).status).toBe('running')
    await api.cancel(other)
    await api.end(other)
    report('seen by the client', seen)
    report('recorded', recorded)
    expect(percentile(recorded, 0.5)).toBeLessThanOrEqual(promisedMs)
    expect(percentile(recorded, 0.99)).toBeLessThanOrEqual(allowedMs)
    expect(percentile(seen, 0.5)).toBeLessThanOrEqual(allowedMs)
  })

  test('what is cancelled while its worker is deaf stays cancelled when that worker dies and comes back', async () => {
    const { operation_id: id } = await api.submit('exercise', hotLoop)
    await runs(id)
    worker.sendSignal('SIGSTOP')
    expect((await api.cancel(id, 'no longer needed')).status).toBe(202)
    expect((await api.operation(id)).status).toBe('cancelling')
    await worker.kill()
    const { operation_id: next } = await api.submit('exercise', { steps: 1 })
    await worker.start()
    expect(await api.end(id)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      cancellation: { mode: 'forced', reason: 'no longer needed' },
    })
    expect((await api.end(next)).status).toBe('completed')
  })
})

function report(what: string, latencies: readonly number[]): void {
  const [median, most] = [percentile(latencies, 0.5), percentile(latencies, 0.99)].map(Math.round)
  process.stdout.write(`${cancels} cancels, ${what}: p50 ${median} ms, p99 ${most} ms\n`)
}
