import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { components } from '../../src/openapi.gen.ts'
import { Client, type Operation, operationPath } from '../client.ts'
import { type BenchServer, withServer } from '../server.ts'
import { config, strategyText, syntheticBars } from './backtest-bars.ts'

type Schemas = components['schemas']

/** Threads of the server that is measured. */
export const threads = 2

/** What the real program does with many bars, all over HTTP. */
export type Served = {
  /** Of the full report: from the end of trading to the operation being completed, every artifact on disk. */
  readonly reportMs: readonly number[]
  /** Of the same backtests, from the start of the worker to its end, bars read and indicators calculated. */
  readonly wholeMs: readonly number[]
  readonly artifactBytes: number
  /** From asking a sweep of ten thousand trials to stop until every thread is idle. */
  readonly cancelMs: readonly number[]
  readonly sweep: SweepMemory
}

/** A sweep from its beginning to its end. */
export type SweepMemory = {
  readonly trials: number
  readonly elapsedMs: number
  /** Resident size of the server: at the most while the sweep ran, and before it, freshly started. */
  readonly peakBytes: number
  readonly idleBytes: number
  /** What is mapped from files: Node's own program, for the most part. Counted in both. */
  readonly fileBytes: number
  /** What one copy of the bars takes. */
  readonly datasetBytes: number
}

/** What is measured, and how often. */
export type ServedSize = {
  readonly bars: number
  readonly reports: number
  readonly cancels: number
  /** Of the sweep whose memory is looked at. */
  readonly trials: number
}

export function serveBacktests({ bars, reports, cancels, trials }: ServedSize): Promise<Served> {
  return withServer({ KTRDR_THREADS: String(threads) }, async server => {
    await importBars(server, bars)
    const timed = await withClient(server, async client => ({
      ...(await timeReports(client, reports)),
      cancelMs: await timeCancels(client, cancels),
    }))
    // A process of its own, so that what was measured before does not count.
    await server.kill()
    await server.start()
    return { ...timed, sweep: await withClient(server, client => watchSweep(server, client, bars, trials)) }
  })
}

async function withClient<T>(server: BenchServer, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(server.url)
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

async function importBars(server: BenchServer, count: number): Promise<void> {
  const { time, open, high, low, close, volume } = syntheticBars(count)
  const rows = Array.from(
    time,
    (at, i) => `${at / 1000},${open[i]},${high[i]},${low[i]},${close[i]},${volume[i]}`,
  )
  const response = await fetch(`${server.url}/api/v1/datasets/TEST/1m?calendar=24-7`, {
    method: 'PUT',
    headers: { 'content-type': 'text/csv' },
    body: ['time,open,high,low,close,volume', ...rows].join('\n'),
  })
  if (!response.ok) throw new Error(await response.text())
}

/** The backtest of the other rows, as a request. */
function requested() {
  const { initial_capital, commission_rate, spread_bps, slippage_bps, sizing } = config
  const costs = { commission_rate, spread_bps, slippage_bps }
  return { strategy_yaml: strategyText('sma'), initial_capital, ...costs, sizing }
}

/** One after the other; the first, which compiles and reads the bars from the disk, does not count. */
async function timeReports(client: Client, count: number) {
  const reportMs: number[] = []
  const wholeMs: number[] = []
  let artifactBytes = 0
  for (let round = 0; round <= count; round++) {
    const operation = await client.complete('backtesting', requested())
    const path = operationPath(operation.operation_id)
    const { series } = await client.json<Schemas['OperationMetrics']>(`${path}/metrics`)
    const tradedAt = series.find(({ name }) => name === 'equity')?.points[0]?.at
    if (tradedAt === undefined || operation.completed_at === null || operation.started_at === null)
      throw new Error('the backtest does not say when it had traded')
    const endMs = Date.parse(operation.completed_at)
    const { items } = await client.json<Schemas['ArtifactList']>(`${path}/artifacts`)
    artifactBytes = items.reduce((sum, { size_bytes }) => sum + size_bytes, 0)
    if (round === 0) continue
    reportMs.push(endMs - Date.parse(tradedAt))
    wholeMs.push(endMs - Date.parse(operation.started_at))
  }
  return { reportMs, wholeMs, artifactBytes }
}

function startSweep(client: Client, trials: number): Promise<Operation> {
  return client.submit('sweep', {
    backtest: requested(),
    space: [
      { path: 'indicators.fast.period', min: 2, max: 200, integer: true },
      { path: 'indicators.slow.period', min: 20, max: 600, integer: true },
    ],
    constraints: ['indicators.fast.period < indicators.slow.period'],
    method: 'random',
    trials,
  })
}

/** Stops each sweep when every thread has worked on it for 0.3 to 1.5 s. The first, which finds cold threads, does not count. */
async function timeCancels(client: Client, count: number): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round <= count; round++) {
    const { operation_id: id } = await startSweep(client, 10_000)
    const leastSeconds = 0.3 + 0.4 * (round % 4)
    await untilWorkers(
      client,
      ({ type, busy_seconds }) => type === 'trial_batch' && (busy_seconds ?? 0) > leastSeconds,
    )
    const startedAt = performance.now()
    await client.json(`${operationPath(id)}/cancel`, { method: 'DELETE' })
    await untilWorkers(client, ({ status }) => status === 'idle')
    if (round > 0) times.push(performance.now() - startedAt)
    await client.until(id, isOver)
  }
  return times
}

type Thread = Schemas['WorkerList']['items'][number]

/** Asks until it is true of every thread. @throws after two minutes */
async function untilWorkers(client: Client, isSo: (thread: Thread) => boolean): Promise<void> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const { items } = await client.json<Schemas['WorkerList']>('/api/v1/workers')
    if (items.every(isSo)) return
    if (performance.now() > deadline) throw new Error(`the threads are ${JSON.stringify(items)}`)
    await sleep(1)
  }
}

async function watchSweep(
  server: BenchServer,
  client: Client,
  bars: number,
  trials: number,
): Promise<SweepMemory> {
  const idleBytes = statusOf(server.pid, 'VmRSS')
  const { operation_id: id } = await startSweep(client, trials)
  const { status, started_at, completed_at } = await client.until(id, isOver, 600_000)
  if (status !== 'completed' || started_at === null || completed_at === null)
    throw new Error(`the sweep is ${status}`)
  const peakBytes = statusOf(server.pid, 'VmHWM')
  const fileBytes = statusOf(server.pid, 'RssFile')
  const elapsedMs = Date.parse(completed_at) - Date.parse(started_at)
  return { trials, elapsedMs, peakBytes, idleBytes, fileBytes, datasetBytes: bars * 7 * 8 }
}

function isOver({ completed_at }: Operation): boolean {
  return completed_at !== null
}

/** A size in the status that Linux keeps of a process, in bytes. */
function statusOf(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssFile'): number {
  const [, kib] =
    new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kib === undefined) throw new Error(`the status of process ${pid} has no ${field}`)
  return Number(kib) * 1024
}
