import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { components } from '../../src/openapi.gen.ts'
import { type BucketServer, startBucket, stopBuckets } from '../support/bucket.ts'
import { withPostgres } from '../support/postgres.ts'
import {
  type Cluster,
  newCluster,
  type Operation,
  type Problem,
  type Program,
  startNode,
  stopPrograms,
} from '../support/program.ts'
import { smaCross } from '../support/research.ts'

/** Two API nodes and two workers with nothing in common but a database and a bucket. */
let bucket: BucketServer
let cluster: Cluster
let east: Program
let west: Program
let workers: ReadonlyMap<string, Program>
afterAll(stopPrograms)
afterAll(stopBuckets)

type Dataset = components['schemas']['Dataset']

const dayMs = 86_400_000
/** What the vendor `csv` of every worker delivers. */
const vendorFolder = mkdtempSync(join(tmpdir(), 'ktrdr-vendor-'))
const firstDay = 12_000
afterAll(() => rmSync(vendorFolder, { recursive: true }))
const csv = { 'content-type': 'text/csv' }
const yaml = { 'content-type': 'application/yaml', accept: 'application/yaml' }

/** Daily bars from a day on, each at a price that tells it. */
const barsFrom = (firstDay: number, days: number) =>
  ['time,open,high,low,close,volume']
    .concat(
      Array.from({ length: days }, (_, n) => {
        const price = 100 + firstDay + n
        return `${new Date((firstDay + n) * dayMs).toISOString()},${price},${price},${price},${price},1`
      }),
    )
    .join('\n')

const smallModel = `
name: small
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  rsi_14: { type: rsi, period: 14 }
nn_inputs:
  - { raw_indicator: rsi_14, timeframes: all, normalization: zscore }
model: { type: mlp, architecture: { hidden_layers: [4] } }
decisions: { output_format: classification }
training:
  epochs: 3
  labels: { source: triple_barrier, max_holding_period: 10 }
`

const store = (program: Program, name: string, text: string) =>
  program.request<Dataset>('PUT', `/api/v1/datasets/${name}?calendar=24-7`, { raw: text, headers: csv })
const textOf = (program: Program, name: string) =>
  program.get(`/api/v1/datasets/${name}`, { accept: 'text/csv' })
const ended = async (program: Program, type: string, params: object): Promise<Operation> => {
  const done = await program.end((await program.submit(type, params)).operation_id)
  expect({ status: done.status, problem: done.problem }).toEqual({ status: 'completed', problem: null })
  return done
}

withPostgres(describe)('nodes with an archive in a bucket', () => {
  beforeAll(async () => {
    writeFileSync(join(vendorFolder, 'BOTH_1d.csv'), barsFrom(firstDay, 300))
    bucket = await startBucket()
    cluster = await newCluster(bucket.environment())
    const ofWorker = { KTRDR_CSV_FOLDER: vendorFolder, KTRDR_THREADS: '1' }
    const [first, second, north, south] = await Promise.all([
      startNode(cluster, 'api', { KTRDR_NODE: 'east' }),
      startNode(cluster, 'api', { KTRDR_NODE: 'west' }),
      startNode(cluster, 'worker', { ...ofWorker, KTRDR_NODE: 'north' }),
      startNode(cluster, 'worker', { ...ofWorker, KTRDR_NODE: 'south' }),
    ])
    ;[east, west] = [first, second]
    workers = new Map(Object.entries({ north, south }))
  })

  test('what one node imports another tests, and a third shows, the same bytes everywhere', async () => {
    const stored = await store(east, 'ABC/1d', barsFrom(10_000, 300))
    expect(stored.status).toBe(201)
    expect((await west.get<{ items: Dataset[] }>('/api/v1/datasets')).body.items).toMatchObject([
      { symbol: 'ABC', bars: 300, sha256: stored.body.sha256 },
    ])
    expect((await textOf(west, 'ABC/1d')).text).toBe((await textOf(east, 'ABC/1d')).text)
    const params = { strategy: 'sma_cross', symbol: 'ABC', timeframe: '1d' }
    const done = await ended(west, 'backtesting', params)
    const equity = async (program: Program) =>
      program.get(`/api/v1/operations/${done.operation_id}/artifacts/equity`, { accept: 'text/csv' })
    const [first, second] = [await equity(east), await equity(west)]
    expect([first.status, first.text]).toEqual([200, second.text])
    expect(bucket.objects('segments/')).toHaveLength(1)
    // Deleted at one node, it is nowhere.
    expect((await east.request('DELETE', `/api/v1/operations/${done.operation_id}`)).status).toBe(204)
    expect((await equity(west)).status).toBe(404)
  })

  test('a strategy stored at one node is there at the other at once, and its ETag protects it', async () => {
    const path = '/api/v1/strategies/sma_cross'
    const put = (program: Program, text: string, ifMatch: string | null) =>
      program.request<Problem>('PUT', path, {
        raw: text,
        headers: { ...yaml, ...(ifMatch === null ? {} : { 'if-match': ifMatch }) },
      })
    const shipped = (await west.get(path, yaml)).headers.get('etag')
    expect((await put(east, smaCross(3, 9), shipped)).status).toBe(200)
    const seen = await west.get(path, yaml)
    expect(seen.text).toBe(smaCross(3, 9))
    // Both have read the same; one of them is too late, whoever that is.
    const etag = seen.headers.get('etag')
    const both = await Promise.all([put(east, smaCross(4, 9), etag), put(west, smaCross(5, 9), etag)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    const [kept] = [smaCross(4, 9), smaCross(5, 9)].filter((_, i) => both[i]?.status === 200)
    for (const program of [east, west]) expect((await program.get(path, yaml)).text).toBe(kept)
    const { body } = await west.get<{ items: { current: boolean }[] }>(`${path}/versions`)
    expect(body.items.map(({ current }) => current)).toEqual([true, false])
    expect((await west.request('DELETE', path)).status).toBe(204)
    expect((await east.get(path, yaml)).headers.get('etag')).toBe(shipped)
  })

  test('pages that two nodes put over one dataset at once are all there', async () => {
    const dayOf = (n: number) => new Date((firstDay + n) * dayMs).toISOString()
    const pages = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        east.submit('data_download', {
          ...{ vendor: 'csv', symbols: ['BOTH'], timeframes: ['1d'], calendar: '24-7', mode: 'full' },
          ...{ start: dayOf(30 * n), end: dayOf(30 * n + 30) },
        }),
      ),
    )
    const ends = await Promise.all(pages.map(({ operation_id: id }) => west.end(id)))
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => 'completed'))
    expect(new Set(ends.map(({ worker: ran }) => ran?.node))).toEqual(new Set(workers.keys()))
    await store(east, 'SAME/1d', barsFrom(firstDay, 300))
    expect((await textOf(west, 'BOTH/1d')).text).toBe((await textOf(west, 'SAME/1d')).text)
  })

  test('training at one node makes a model that every node knows, answers with and deletes', async () => {
    await ended(east, 'data_download', { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] })
    const done = await ended(west, 'training', { strategy_yaml: smallModel, leakage_check: false })
    const { model_id: id } = done.result as { model_id: string }
    const ask = (program: Program) =>
      program.request('POST', `/api/v1/models/${id}/predict`, {
        body: { symbol: 'AAPL', start: '2014-01-01T00:00:00Z', end: '2014-03-01T00:00:00Z' },
      })
    const [first, second] = [await ask(east), await ask(west)]
    expect([first.status, first.text]).toEqual([200, second.text])
    const weights = (program: Program) => program.get(`/api/v1/models/${id}/files/weights.safetensors`)
    expect((await weights(east)).text).toBe((await weights(west)).text)
    expect((await east.request('DELETE', `/api/v1/models/${id}`)).status).toBe(204)
    expect((await west.get(`/api/v1/models/${id}`)).status).toBe(404)
    expect((await west.get<{ items: unknown[] }>('/api/v1/models')).body.items).toEqual([])
  })

  test('a worker that is killed with -9 leaves checkpoints that another node goes on from', async () => {
    const params = { steps: 1_000, step_ms: 4, checkpoint_every: 50, metrics: 10, seed: 4 }
    const { operation_id: id } = await east.submit('exercise', params)
    const before = await east.until(
      id,
      ({ status, checkpoint }) => status === 'running' && checkpoint !== null,
    )
    await workers.get(before.worker?.node ?? '')?.kill()
    const done = await east.end(id)
    expect(done).toMatchObject({ status: 'completed', attempt: 2 })
    expect(done.worker?.node).not.toBe(before.worker?.node)
    const straight = await ended(east, 'exercise', { ...params, step_ms: 0 })
    expect(done.result).toEqual(straight.result)
    const metrics = async (of: string) =>
      (await east.get<components['schemas']['OperationMetrics']>(`/api/v1/operations/${of}/metrics`)).body
    const told = ({ series }: components['schemas']['OperationMetrics']) =>
      series.map(({ name, points }) => [name, points.map(({ seq, values }) => [seq, values])])
    expect(told(await metrics(id))).toEqual(told(await metrics(straight.operation_id)))
  })

  test('a bucket that is down for some seconds costs nothing but time', async () => {
    await store(east, 'LATE/1d', barsFrom(9_000, 50))
    await bucket.stop()
    const { operation_id: id } = await east.submit('exercise', {
      steps: 200,
      step_ms: 1,
      checkpoint_every: 50,
    })
    const answer = textOf(west, 'LATE/1d')
    const stored = store(west, 'WAIT/1d', barsFrom(9_000, 50))
    await east.get('/health/ready')
    bucket.front.busy = 5
    await bucket.start()
    expect((await answer).status).toBe(200)
    expect((await stored).status).toBe(201)
    expect((await east.end(id)).status).toBe('completed')
    expect((await textOf(east, 'WAIT/1d')).status).toBe(200)
  })

  test('a node that is killed with -9 while it imports leaves the whole dataset or nothing of it', async () => {
    // Of 12h, each year is an object.
    const years = barsFrom(3_000, 7_300)
    const name = 'CUT/12h'
    const sent = store(west, name, years).catch(() => null)
    while (bucket.objects(`${name}/segments`).length < 3) await new Promise(setImmediate)
    await west.kill()
    await sent
    const { status } = await textOf(east, name)
    expect([200, 404]).toContain(status)
    if (status === 404) expect((await store(east, name, years)).status).toBe(201)
    await west.start()
    const { text } = await textOf(west, name)
    expect(text.trim().split('\n')).toHaveLength(7_301)
    expect((await textOf(east, name)).text).toBe(text)
  })

  test('an object that was damaged or cut off is noticed and told, never answered', async () => {
    await store(east, 'HURT/1d', barsFrom(8_000, 50))
    const [object = ''] = bucket.objects('HURT/1d/segments')
    const whole = readFileSync(object)
    truncateSync(object, 100)
    const short = await west.get<Problem>('/api/v1/datasets/HURT/1d')
    expect([short.status, short.body.code]).toEqual([500, 'archive-damaged'])
    const bytes = Buffer.from(whole)
    bytes[500] = (bytes[500] ?? 0) ^ 1
    writeFileSync(object, bytes)
    const wrong = await west.get<Problem>('/api/v1/datasets/HURT/1d')
    expect([wrong.body.code, wrong.body.detail]).toEqual([
      'archive-damaged',
      expect.stringContaining('checksum'),
    ])
    writeFileSync(object, whole)
    expect((await textOf(west, 'HURT/1d')).text).toBe((await textOf(east, 'HURT/1d')).text)
  })

  test('an object that Amazon denies because it is not there is gone; a key that may read nothing is told', async () => {
    await store(east, 'DENY/1d', barsFrom(8_800, 50))
    const denied = ['DENY/1d/segments', '']
    const codes: string[] = []
    for (const part of denied) {
      bucket.front.refuses = (method, path) =>
        method === 'GET' && path.includes(part) ? [403, 'AccessDenied'] : null
      codes.push((await west.get<Problem>('/api/v1/datasets/DENY/1d')).body.code)
    }
    bucket.front.refuses = () => null
    expect(codes).toEqual(['archive-damaged', 'archive-unavailable'])
    expect((await textOf(west, 'DENY/1d')).status).toBe(200)
  })

  test('what was found damaged is whole again when it is imported again', async () => {
    const text = barsFrom(8_500, 50)
    await store(east, 'HEAL/1d', text)
    const [object = ''] = bucket.objects('HEAL/1d/segments')
    const whole = readFileSync(object)
    truncateSync(object, 100)
    expect((await west.get<Problem>('/api/v1/datasets/HEAL/1d')).body.code).toBe('archive-damaged')
    expect((await store(west, 'HEAL/1d', text)).status).toBeLessThan(300)
    await west.kill()
    rmSync(join(west.home, 'archive-copy'), { recursive: true })
    await west.start()
    expect((await textOf(west, 'HEAL/1d')).text).toBe((await textOf(east, 'HEAL/1d')).text)
    expect(bucket.objects('HEAL/1d/segments').some(path => readFileSync(path).equals(whole))).toBe(true)
  })

  test('without its copy a node goes on, while it runs and after a start', async () => {
    await store(east, 'GONE/1d', barsFrom(7_000, 50))
    const before = await textOf(west, 'GONE/1d')
    rmSync(join(west.home, 'archive-copy'), { recursive: true })
    expect((await textOf(west, 'GONE/1d')).text).toBe(before.text)
    await west.kill()
    rmSync(join(west.home, 'archive-copy'), { recursive: true })
    await west.start()
    expect((await textOf(west, 'GONE/1d')).text).toBe(before.text)
    expect((await west.request('DELETE', '/api/v1/datasets/GONE/1d')).status).toBe(204)
    expect((await textOf(east, 'GONE/1d')).status).toBe(404)
  })
})
