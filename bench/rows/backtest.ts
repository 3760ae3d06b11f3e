import { readFileSync } from 'node:fs'
import { runBacktest } from '../../src/backtest/engine.ts'
import type { Bars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeSignals } from '../../src/strategy/signals.ts'
import { Client } from '../client.ts'
import { median, ms, spread, whole } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { withServer } from '../server.ts'

const config = {
  initial_capital: 100_000,
  commission_rate: 0.001,
  commission_fixed: 0,
  slippage_bps: 5,
  sizing: { mode: 'all_in' },
  units: 'whole',
  close_open_trades: true,
} as const

/** The engine alone, and a whole backtest as a client sees it. */
export const backtest: Row = {
  name: 'backtest',
  run: async ({ pick }) => {
    const bars = syntheticBars(pick(1_000_000, 50_000))
    const runs = Array.from({ length: pick(6, 2) }, () => runEngine(bars))
    const wholeMs = await throughHttp(pick(20, 3))
    return report(bars.length, runs, wholeMs)
  },
}

/** Minute bars of a random walk, the same every time. Source of the generator: mulberry32. */
function syntheticBars(count: number): Bars {
  let state = 1
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const builder = new BarsBuilder(count)
  let close = 100
  for (let i = 0; i < count; i++) {
    const open = close
    close = Math.min(1_000, Math.max(10, open * (1 + (random() - 0.5) * 0.002)))
    const time = Date.UTC(2000, 0, 1) + i * 60_000
    const [high, low] = [Math.max(open, close) * 1.0005, Math.min(open, close) * 0.9995]
    builder.append({
      time,
      close_time: time + 60_000,
      open,
      high,
      low,
      close,
      volume: 1 + Math.floor(random() * 1_000),
    })
  }
  return builder.build()
}

type EngineRun = { readonly signalsMs: number; readonly tradingMs: number; readonly trades: number }

function runEngine(bars: Bars): EngineRun {
  const file = new URL('../../examples/strategies/sma_cross.yaml', import.meta.url)
  const { strategy } = parseStrategy(readFileSync(file, 'utf8'))
  const startedAt = performance.now()
  const signals = computeSignals(strategy, bars)
  const decidedAt = performance.now()
  const { trades } = runBacktest({ bars, signals, config })
  return { signalsMs: decidedAt - startedAt, tradingMs: performance.now() - decidedAt, trades: trades.length }
}

/** The shipped SMA cross over the shipped sample, from POST to the answer that carries the result. */
function throughHttp(count: number): Promise<number[]> {
  return withServer({}, async server => {
    const client = new Client(server.url)
    await client.complete('data_download', { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] })
    const times: number[] = []
    for (let round = 0; round < count + 3; round++) {
      const startedAt = performance.now()
      await client.complete('backtesting', { strategy: 'sma_cross', symbol: 'AAPL', timeframe: '1d' })
      times.push(performance.now() - startedAt)
    }
    client.close()
    return times.slice(3)
  })
}

function report(bars: number, runs: readonly EngineRun[], wholeMs: readonly number[]): Report {
  const [first, ...warm] = runs
  const signalsMs = median(warm.map(run => run.signalsMs))
  const tradingMs = median(warm.map(run => run.tradingMs))
  const total = median(warm.map(run => run.signalsMs + run.tradingMs))
  return {
    findings: [
      {
        what: `engine: SMA cross over ${whole(bars)} bars`,
        target: '–',
        measured: `${whole(bars / (total / 1000))} bars/s (${ms(total)})`,
        met: null,
      },
      {
        what: 'sma_cross over the AAPL sample through HTTP',
        target: '–',
        measured: spread(wholeMs),
        met: null,
      },
    ],
    notes: [
      `Engine: indicators and rules ${ms(signalsMs)}, trading with costs and equity curve ${ms(tradingMs)}, ${whole(first?.trades ?? 0)} trades; median of ${warm.length} runs in this process after a first one of ${ms((first?.signalsMs ?? 0) + (first?.tradingMs ?? 0))}. The bars are a seeded random walk of minute bars.`,
      `Through HTTP: ${wholeMs.length} times POST with “Prefer: wait” to the answer with the result, after 3 unmeasured ones; 1,000 to 1,500 daily bars, trades and equity written as artifacts, everything durable.`,
      'No peer: the common engines (backtesting.py, vectorbt, backtrader) come from PyPI, not from npm or Debian.',
    ],
  }
}
