import { once } from 'node:events'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { RunBuffers } from '../../src/backtest/engine.ts'
import { periodsOf } from '../../src/backtest/metrics.ts'
import { ColumnCache } from '../../src/features/column-cache.ts'
import type { Bars } from '../../src/market/bars.ts'
import { SignalColumns } from '../../src/strategy/signal-columns.ts'
import { requireRules, type Strategy } from '../../src/strategy/strategy.ts'
import { runOnce, strategyOf } from './backtest-bars.ts'

type Pair = readonly [fast: number, slow: number]
type Task = { readonly bars: Bars; readonly pairs: readonly Pair[] }

/** Trials a thread runs before the measurement. */
const warmUpTrials = 10

/** Two columns of half a million bars: the slow average and the fast one at hand. */
const cacheBytes = 8_500_000

export type Sweep = {
  readonly trials: number
  readonly elapsedMs: number
  /** Of all threads together. */
  readonly barsPerSecond: number
  /** Σ of the Sharpe ratios: the same whatever the number of threads. */
  readonly checksum: number
}

/** So many pairs of periods, the slow one changing last, so that it is calculated once for all of its fast ones. */
export function pairsOf(count: number): readonly Pair[] {
  return Array.from({ length: count }, (_, i) => [5 + (i % 40), 50 + 5 * Math.floor(i / 40)] as const)
}

/** Runs the pairs on `threads` threads that share the bars. Time is counted from when all of them are warm. */
export async function timeSweep(bars: Bars, pairs: readonly Pair[], threads: number): Promise<Sweep> {
  const share = Math.ceil(pairs.length / threads)
  const workers = Array.from({ length: threads }, (_, k) => {
    const task: Task = { bars, pairs: pairs.slice(k * share, (k + 1) * share) }
    return new Worker(new URL(import.meta.url), { workerData: task })
  })
  await Promise.all(workers.map(worker => once(worker, 'message')))
  const startedAt = performance.now()
  const ends = workers.map(worker => once(worker, 'message'))
  for (const worker of workers) worker.postMessage('start')
  const sums = (await Promise.all(ends)) as [number][]
  const elapsedMs = performance.now() - startedAt
  await Promise.all(workers.map(worker => worker.terminate()))
  return {
    trials: pairs.length,
    elapsedMs,
    barsPerSecond: (pairs.length * bars.length) / (elapsedMs / 1000),
    checksum: sums.reduce((sum, [part]) => sum + part, 0),
  }
}

function withPeriods(strategy: Strategy, [fast, slow]: Pair): Strategy {
  const ruled = requireRules(strategy)
  const { indicators } = ruled
  const change = (id: 'fast' | 'slow', period: number) => {
    const indicator = indicators[id]
    if (indicator === undefined) throw new Error(`there is no ${id}`)
    return { ...indicator, period }
  }
  return { ...ruled, indicators: { fast: change('fast', fast), slow: change('slow', slow) } }
}

function trials({ bars, pairs }: Task): (count: number) => number {
  const strategy = strategyOf('sma')
  const context = { bars, from: 0, symbol: 'TEST', firstUsableBar: 0 }
  const reuse = {
    cache: new ColumnCache(cacheBytes, { isReleased: true }),
    signals: new SignalColumns(),
    buffers: new RunBuffers(),
    periods: periodsOf({ markets: [context], timeframe: '1m' }),
  }
  return count =>
    pairs
      .slice(0, count)
      .reduce((sum, pair) => sum + (runOnce(withPeriods(strategy, pair), bars, reuse).sharpe ?? 0), 0)
}

if (parentPort !== null) {
  const port = parentPort
  const run = trials(workerData as Task)
  run(warmUpTrials)
  port.once('message', () => port.postMessage(run(Number.POSITIVE_INFINITY)))
  port.postMessage('warm')
}
