import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { adopt } from '../server.ts'
import { runOnce, type Steps, strategyOf, syntheticBars, type Workload } from './backtest-bars.ts'

/** Runs of one backtest in a process of its own that does nothing else. */
export type Single = {
  readonly bars: number
  /** The quickest of the runs after the first one of the process, and its steps. */
  readonly bestMs: number
  readonly steps: Steps
  readonly firstMs: number
  readonly trades: number
  readonly finalEquity: number
  readonly sharpe: number | null
  /** Largest resident size before the first run, bars included, and at the end. */
  readonly barsRssBytes: number
  readonly peakRssBytes: number
}

export async function timeSingle(workload: Workload, bars: number, rounds: number): Promise<Single> {
  const running = promisify(execFile)(process.execPath, [
    import.meta.filename,
    workload,
    String(bars),
    String(rounds),
  ])
  adopt(running.child)
  return JSON.parse((await running).stdout)
}

function measure(workload: Workload, count: number, rounds: number): Single {
  const bars = syntheticBars(count)
  const strategy = strategyOf(workload)
  const barsRssBytes = process.resourceUsage().maxRSS * 1024
  const runs = Array.from({ length: rounds + 1 }, () => {
    const { run, sharpe, steps } = runOnce(strategy, bars)
    const finalEquity = run.equity.equity[run.equity.length - 1] ?? Number.NaN
    return { steps, sharpe, finalEquity, trades: run.trades.length }
  })
  const [first, ...warm] = runs
  if (first === undefined) throw new Error('nothing ran')
  const [best] = warm.map(({ steps }) => steps).sort((a, b) => totalOf(a) - totalOf(b))
  if (best === undefined) throw new Error('nothing ran twice')
  return {
    bars: count,
    bestMs: totalOf(best),
    steps: best,
    firstMs: totalOf(first.steps),
    trades: first.trades,
    finalEquity: first.finalEquity,
    sharpe: first.sharpe,
    barsRssBytes,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  }
}

function totalOf({ signalsMs, tradingMs, metricsMs }: Steps): number {
  return signalsMs + tradingMs + metricsMs
}

if (import.meta.main) {
  const [workload, bars, rounds] = process.argv.slice(2)
  process.stdout.write(JSON.stringify(measure(workload as Workload, Number(bars), Number(rounds))))
}
