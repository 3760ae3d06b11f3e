import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { withPostgres } from '../support/postgres.ts'
import { newCluster, type Operation, type Program, startNode, stopPrograms } from '../support/program.ts'

/** An API node and two workers, `north` and `south`, of one thread each. */
let api: Program
let workers: Map<string, Program>
afterAll(stopPrograms)

const takeoverMs = 12_000
const oneThread = { KTRDR_THREADS: '1' }

const runsAt = (operation: Operation): Program => {
  const program = workers.get(operation.worker?.node ?? '')
  if (program === undefined) throw new Error(`${operation.operation_id} runs nowhere`)
  return program
}
const underWay = (id: string) =>
  api.until(id, operation => operation.status === 'running' && operation.checkpoint !== null)
const straight = async (params: object) =>
  (await api.end((await api.submit('exercise', { ...params, step_ms: 0 })).operation_id)).result

withPostgres(describe)('two workers', () => {
  beforeAll(async () => {
    const cluster = await newCluster()
    const [first, north, south] = await Promise.all([
      startNode(cluster, 'api'),
      startNode(cluster, 'worker', { ...oneThread, KTRDR_NODE: 'north' }),
      startNode(cluster, 'worker', { ...oneThread, KTRDR_NODE: 'south' }),
    ])
    api = first
    workers = new Map(Object.entries({ north, south }))
  })

  test('a drained worker gives its work back, another goes on from the checkpoint at once', async () => {
    const params = { steps: 4_000, step_ms: 1, checkpoint_every: 100, seed: 3 }
    const { operation_id: id } = await api.submit('exercise', params)
    const before = await underWay(id)
    const program = runsAt(before)
    const { body } = await api.get<{ nodes: { node_id: string; name: string }[] }>('/api/v1/workers')
    const node = body.nodes.find(({ name }) => name === before.worker?.node)
    const drain = () => api.request<{ status: string }>('POST', `/api/v1/workers/${node?.node_id}/drain`)
    expect((await drain()).status).toBe(202)
    expect((await drain()).body.status).toBe('draining')
    const again = await api.until(id, ({ status, attempt }) => attempt === 2 && status === 'running')
    expect(again.worker?.node).not.toBe(before.worker?.node)
    const done = await api.end(id)
    expect(done).toMatchObject({ status: 'completed', attempt: 2 })
    expect(done.result).toEqual(await straight(params))
    expect((await api.request('POST', `/api/v1/workers/node_${'0'.repeat(26)}/drain`)).status).toBe(404)
    // SIGTERM is the same, and the end of the node; a new start takes work again.
    expect(await program.signal('SIGTERM')).toBe(0)
    await program.start()
  })

  test('when a worker is killed another takes its work over within 12 s, with the same bytes', async () => {
    const params = { steps: 4_000, step_ms: 1, checkpoint_every: 100, metrics: 100, seed: 4 }
    const { operation_id: id } = await api.submit('exercise', params)
    const before = await underWay(id)
    await runsAt(before).kill()
    const killedAt = Date.now()
    const again = await api.until(id, ({ status, attempt }) => attempt === 2 && status === 'running')
    expect(Date.parse(again.started_at ?? '') - killedAt).toBeLessThanOrEqual(takeoverMs)
    expect(again.worker?.node).not.toBe(before.worker?.node)
    await api.until(id, ({ progress }) => progress > before.progress)
    const done = await api.end(id)
    expect(done.result).toEqual(await straight(params))
    await runsAt(before).start()
  })

  test('a cancelled operation whose worker dies is cancelled all the same', async () => {
    const { operation_id: id } = await api.submit('exercise', { steps: 1_000_000, step_ms: 1, deaf: true })
    const before = await api.until(id, operation => operation.worker?.thread != null)
    await api.cancel(id)
    await runsAt(before).kill()
    expect(await api.end(id)).toMatchObject({ status: 'cancelled', cancellation: { mode: 'forced' } })
    await runsAt(before).start()
  })

  test('a frozen worker that wakes changes nothing any more and says so', async () => {
    const params = { steps: 4_000, step_ms: 1, checkpoint_every: 200, seed: 6 }
    const { operation_id: id } = await api.submit('exercise', params)
    const before = await underWay(id)
    const frozen = runsAt(before)
    frozen.sendSignal('SIGSTOP')
    const again = await api.until(id, ({ status, attempt }) => attempt === 2 && status === 'running')
    expect(again.worker?.node).not.toBe(before.worker?.node)
    frozen.sendSignal('SIGCONT')
    let fenced = 0
    while (fenced === 0)
      fenced = Number(/ktrdr_fenced_writes_total (\d+)/.exec((await frozen.get('/metrics')).text)?.[1])
    const done = await api.end(id)
    expect(done).toMatchObject({ status: 'completed', attempt: 2, worker: { node: again.worker?.node } })
    expect(done.result).toEqual(await straight(params))
  })
})
