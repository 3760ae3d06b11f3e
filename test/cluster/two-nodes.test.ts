import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ServerEvent } from '../support/event-stream.ts'
import { withPostgres } from '../support/postgres.ts'
import { newCluster, type Problem, type Program, startNode, stopPrograms } from '../support/program.ts'

/** An API node that runs nothing and a worker that answers nobody, on one database and one archive. */
let api: Program
let worker: Program
afterAll(stopPrograms)

type Node = { node_id: string; role: string; status: string; operations: string[] }
const nodes = async () => (await api.get<{ nodes: Node[] }>('/api/v1/workers')).body.nodes

withPostgres(describe)('an API node and a worker', () => {
  beforeAll(async () => {
    const cluster = await newCluster()
    api = await startNode(cluster, 'api')
    // Nobody can run it yet.
    const early = await api.submit('exercise', { steps: 1 })
    expect(await api.operation(early.operation_id)).toMatchObject({ status: 'pending', attempt: 1 })
    worker = await startNode(cluster, 'worker')
    expect(await api.end(early.operation_id)).toMatchObject({
      status: 'completed',
      worker: { node: 'worker' },
    })
  })

  test('a follower at the API node hears all that the worker says, in order and without a gap', async () => {
    const { operation_id: id } = await api.submit('exercise', { steps: 3_000, step_ms: 1, metrics: 100 })
    const events: ServerEvent[] = []
    for await (const event of api.events(`/api/v1/operations/${id}/events`)) events.push(event)
    expect(events[0]?.event).toBe('snapshot')
    expect(events.at(-1)).toMatchObject({
      event: 'status',
      data: { status: 'completed', progress: 100, result: { steps: 3_000 } },
    })
    const of = (kind: string) => events.filter(({ event }) => event === kind).map(({ data }) => data)
    const progress = of('progress').map(data => Number(data.progress))
    expect(progress.length).toBeGreaterThan(2)
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    const points = of('metrics').flatMap(data => data.points as { seq: number }[])
    expect(points.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    const ids = events.map(event => Number(event.id))
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    const lines = await api.get<{ items: { seq: number }[] }>(`/api/v1/operations/${id}/logs`)
    expect(
      of('log')
        .flatMap(data => data.items as { seq: number }[])
        .map(({ seq }) => seq),
    ).toEqual(lines.body.items.map(({ seq }) => seq))
  })

  test('whoever reconnects to the stream of everything gets what happened meanwhile', async () => {
    const first = await api.submit('exercise', { steps: 1 })
    // From the beginning: the operation may be over before the stream is open.
    let last = '0'
    for await (const { id, data } of api.events('/api/v1/events', { 'last-event-id': last })) {
      last = id ?? last
      if (data.operation_id === first.operation_id && data.status === 'completed') break
    }
    const missed = await api.submit('exercise', { steps: 1 })
    await api.end(missed.operation_id)
    for await (const { data } of api.events('/api/v1/events', { 'last-event-id': last }))
      if (data.operation_id === missed.operation_id) {
        expect(data.status).toBe('completed')
        break
      }
  })

  test('a cancel at the API node stops a hot loop on the worker', async () => {
    const latencies: number[] = []
    for (let n = 0; n < 10; n++) {
      const { operation_id: id } = await api.submit('exercise', { steps: 1_000_000_000, step_ms: 0 })
      await api.until(id, operation => operation.worker?.thread != null)
      expect((await api.cancel(id)).status).toBe(202)
      const cancelled = await api.end(id)
      expect(cancelled).toMatchObject({ status: 'cancelled', cancellation: { mode: 'cooperative' } })
      latencies.push(cancelled.cancellation?.latency_ms ?? Number.NaN)
    }
    expect(Math.max(...latencies)).toBeLessThanOrEqual(500)
  })

  test('what the worker made can be read at the API node', async () => {
    const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
    await api.end((await api.submit('data_download', download)).operation_id)
    const params = { strategy: 'sma_cross', symbol: 'AAPL', timeframe: '1d' }
    const done = await api.end((await api.submit('backtesting', params)).operation_id)
    expect(done).toMatchObject({ status: 'completed', worker: { node: 'worker' } })
    const trades = await api.get(`/api/v1/operations/${done.operation_id}/artifacts/trades`, {
      accept: 'text/csv',
    })
    expect([trades.status, trades.text.split(',')[0]]).toEqual([200, 'trade_id'])
  })

  test('the nodes and what they run are listed, the worker answers only probes, and both count their own', async () => {
    const { operation_id: id } = await api.submit('exercise', { steps: 1_000_000, step_ms: 1 })
    let listed = await nodes()
    // Every node says how it is every two seconds.
    while (!listed.some(node => node.operations.includes(id))) listed = await nodes()
    expect(listed.map(({ role, status }) => [role, status])).toEqual([
      ['api', 'ready'],
      ['worker', 'ready'],
    ])
    expect((await api.get('/api/v1/system')).body).toMatchObject({
      role: 'api',
      store: 'postgres',
      threads: 0,
    })
    expect((await worker.get('/health/ready')).status).toBe(200)
    for (const path of ['/api/v1/operations', `/api/v1/operations/${id}`, '/api/v1/system']) {
      const { status, body } = await worker.get<Problem>(path)
      expect([status, body.code]).toEqual([421, 'not-an-api-node'])
    }
    const [ofApi, ofWorker] = [(await api.get('/metrics')).text, (await worker.get('/metrics')).text]
    expect(ofApi).toMatch(/ktrdr_operations_created_total\{type="exercise"\} \d+/)
    expect(ofApi).not.toMatch(/ktrdr_operations_finished_total\{/)
    expect(ofWorker).not.toMatch(/ktrdr_operations_created_total\{/)
    expect(ofWorker).toMatch(/ktrdr_operations_finished_total\{type="exercise",outcome="cancelled"\} 10/)
    expect(ofWorker).toMatch(/ktrdr_fenced_writes_total 0/)
    await api.cancel(id)
    await api.end(id)
  })
})
