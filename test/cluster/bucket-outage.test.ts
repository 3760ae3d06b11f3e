import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type BucketServer, startBucket, stopBuckets } from '../support/bucket.ts'
import { withPostgres } from '../support/postgres.ts'
import {
  type Cluster,
  newCluster,
  type Operation,
  type Program,
  startNode,
  stopPrograms,
} from '../support/program.ts'

/** One node takes requests, the other runs operations: what one of them has the other gets from the bucket. */
let bucket: BucketServer
let cluster: Cluster
let api: Program
let worker: Program
afterAll(stopPrograms)
afterAll(stopBuckets)
afterEach(() => {
  bucket.front.refuses = () => null
})

const dayMs = 86_400_000
const csv = { 'content-type': 'text/csv' }
const bars = (price: number) =>
  ['time,open,high,low,close,volume']
    .concat(
      Array.from({ length: 200 }, (_, n) => {
        const close = price + (n % 17)
        return `${new Date((10_000 + n) * dayMs).toISOString()},${close},${close},${close},${close},1`
      }),
    )
    .join('\n')

/** Stores bars that the worker has not, and starts a test over them. */
async function testOf(symbol: string): Promise<string> {
  const path = `/api/v1/datasets/${symbol}/1d?calendar=24-7`
  const { status } = await api.request('PUT', path, { raw: bars(symbol.length * 100), headers: csv })
  expect(status).toBe(201)
  const params = { strategy: 'sma_cross', symbol, timeframe: '1d' }
  return (await api.submit('backtesting', params)).operation_id
}

type Answer = readonly [status: number, code: string]

/** Has the bucket refuse what `isMeant` says. @returns resolves when it has refused so many */
function refuse(answer: Answer, isMeant: (method: string, path: string) => boolean, times: number) {
  const enough = Promise.withResolvers<void>()
  let refused = 0
  bucket.front.refuses = (method, path) => {
    if (!isMeant(method, path)) return null
    refused++
    if (refused >= times) enough.resolve()
    return answer
  }
  return enough.promise
}
/** As when a key was taken back by mistake: it passes, and is answered at once. */
const passing: Answer = [403, 'InvalidAccessKeyId']
const isSegment = (symbol: string) => (method: string, path: string) =>
  method === 'GET' && path.includes(`bars/${symbol}/`)
const isArtifact = (method: string, path: string) => method === 'PUT' && path.includes('/artifacts/')
const told = ({ status, problem }: Operation) => ({ status, problem: problem?.code ?? null })

withPostgres(describe)('a bucket that refuses for a while', () => {
  beforeAll(async () => {
    bucket = await startBucket()
    cluster = await newCluster(bucket.environment())
    const ofWorker = { KTRDR_THREADS: '1', KTRDR_SHUTDOWN_GRACE_MS: '100' }
    ;[api, worker] = await Promise.all([startNode(cluster, 'api'), startNode(cluster, 'worker', ofWorker)])
  })

  test('an attempt waits for what it reads, and does not fail', async () => {
    const refused = refuse(passing, isSegment('WAITS'), 3)
    const id = await testOf('WAITS')
    await refused
    expect((await api.operation(id)).status).toBe('running')
    bucket.front.refuses = () => null
    expect(told(await api.end(id))).toEqual({ status: 'completed', problem: null })
  })

  test('an operation that is cancelled while it waits for what it reads is cancelled at once', async () => {
    const refused = refuse(passing, isSegment('STOPS'), 2)
    const id = await testOf('STOPS')
    await refused
    await api.cancel(id)
    expect(told(await api.end(id, 20))).toEqual({ status: 'cancelled', problem: null })
  })

  test('what the bucket will never take fails the operation and says so', async () => {
    void refuse([400, 'EntityTooLarge'], isArtifact, 1)
    const id = await testOf('LARGE')
    const { problem } = await api.end(id, 20)
    expect([problem?.code, problem?.detail]).toEqual([
      'storage-full',
      expect.stringMatching(/does not take it: PUT of .* 400 EntityTooLarge/),
    ])
  })

  test('results are uploaded once, however often one of them is refused', async () => {
    const first = Promise.withResolvers<string>()
    const isFirst = (method: string, path: string) => {
      if (!isArtifact(method, path)) return false
      first.resolve(path.replace(/~.*/, ''))
      return true
    }
    const refused = refuse(passing, isFirst, 1)
    const id = await testOf('TWICE')
    await refused
    const only = await first.promise
    const again = refuse(passing, (method, path) => method === 'PUT' && path.includes(`${only}~`), 3)
    await again
    bucket.front.refuses = () => null
    expect(told(await api.end(id))).toEqual({ status: 'completed', problem: null })
    const puts = bucket.front.puts.filter(path => path.includes(`/artifacts/${id}/`))
    const names = puts.map(path => path.replace(/~.*/, ''))
    expect(names.length).toBeGreaterThan(1)
    expect(new Set(names).size).toBe(names.length)
  })

  test('an operation that is cancelled while its results wait is cancelled', async () => {
    const refused = refuse(passing, isArtifact, 1)
    const id = await testOf('NEVER')
    await refused
    await api.cancel(id)
    expect(told(await api.end(id, 20))).toEqual({ status: 'cancelled', problem: null })
  })

  test('a node that stops while results wait leaves the operation to a successor', async () => {
    const refused = refuse(passing, isArtifact, 1)
    const id = await testOf('AGAIN')
    await refused
    expect(await worker.signal('SIGTERM')).toBe(0)
    expect((await api.operation(id)).status).not.toMatch(/failed|completed/)
    bucket.front.refuses = () => null
    await worker.start()
    const done = await api.end(id)
    expect(told(done)).toEqual({ status: 'completed', problem: null })
    const equity = await api.get(`/api/v1/operations/${id}/artifacts/equity`, { accept: 'text/csv' })
    expect(equity.status).toBe(200)
  })
})
