import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import { type BacktestRun, type RunBuffers, runBacktest } from '../../src/backtest/engine.ts'
import { computeMetrics, type RunContext } from '../../src/backtest/metrics.ts'
import type { ColumnCache } from '../../src/features/column-cache.ts'
import type { Bars } from '../../src/market/bars.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import type { SignalColumns } from '../../src/strategy/signal-columns.ts'
import { computeSignals } from '../../src/strategy/signals.ts'
import type { Strategy } from '../../src/strategy/strategy.ts'

/** As the C program is written: all in, whole units, costs so low that twelve thousand trades leave money for the next. */
export const config: BacktestConfig = {
  initial_capital: 100_000,
  commission_rate: 0.000_01,
  commission_fixed: 0,
  commission_per_unit: 0,
  commission_min: 0,
  commission_tiers: [],
  spread_bps: 0,
  slippage_bps: 0.05,
  volume_share: null,
  borrow_rate_annual: 0,
  funding_rate_annual: 0,
  sizing: { mode: 'all_in' },
  units: 'whole',
  lot_size: null,
  tick_size: null,
  leverage: 1,
  maintenance_margin_fraction: 0,
  max_positions: null,
  fill_on: 'next_open',
  intrabar: 'pessimistic',
  close_open_trades: true,
}

const rules = {
  sma: {
    indicators: '{ fast: { type: sma, period: 10 }, slow: { type: sma, period: 30 } }',
    rules: '{ enter_long: fast crosses above slow, exit_long: fast crosses below slow }',
  },
  rsi: {
    indicators: '{ rsi_14: { type: rsi, period: 14 } }',
    rules:
      '{ enter_long: rsi_14 crosses above 30, exit_long: rsi_14 > 60, stop_loss: { percent: 2 }, take_profit: { percent: 4 } }',
  },
} as const

export type Workload = keyof typeof rules

export function strategyOf(workload: Workload): Strategy {
  return parseStrategy(strategyText(workload)).strategy
}

export function strategyText(workload: Workload): string {
  return `
name: benchmark
training_data:
  symbols: { mode: single, symbol: TEST }
  timeframes: { mode: single, timeframe: 1m }
indicators: ${rules[workload].indicators}
decisions: { rules: ${rules[workload].rules} }
`
}

/** Minute bars of a random walk in shared memory, the same every time. Source of the generator: mulberry32. */
export function syntheticBars(length: number): Bars {
  const random = createRandom()
  const column = () => new Float64Array(new SharedArrayBuffer(length * 8))
  const [time, close_time, open, high, low, close, volume] = Array.from({ length: 7 }, column) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let last = 100
  for (let i = 0; i < length; i++) {
    const now = Math.min(1_000, Math.max(10, last * (1 + (random() - 0.5) * 0.002)))
    time[i] = Date.UTC(2000, 0, 1) + i * 60_000
    close_time[i] = (time[i] as number) + 60_000
    open[i] = last
    close[i] = now
    high[i] = Math.max(last, now) * 1.0005
    low[i] = Math.min(last, now) * 0.9995
    volume[i] = 1 + Math.floor(random() * 1_000)
    last = now
  }
  return { length, time, close_time, open, high, low, close, volume }
}

function createRandom(): () => number {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export type Steps = { readonly signalsMs: number; readonly tradingMs: number; readonly metricsMs: number }

/** Memory that many runs share. */
export type Reuse = {
  readonly cache: ColumnCache
  readonly signals: SignalColumns
  readonly buffers: RunBuffers
  readonly periods: RunContext['periods']
}

/** A whole backtest by the pure functions: indicators and rules, trading, metrics. */
export function runOnce(
  strategy: Strategy,
  bars: Bars,
  reuse?: Reuse,
): { readonly run: BacktestRun; readonly sharpe: number | null; readonly steps: Steps } {
  const startedAt = performance.now()
  const signals = computeSignals(strategy, bars, reuse && { cache: reuse.cache, reuse: reuse.signals })
  reuse?.cache.release()
  const decidedAt = performance.now()
  const run = runBacktest({
    markets: [{ symbol: 'TEST', bars, signals, from: 0, finer: null }],
    config,
    keepOrders: false,
    ...(reuse === undefined ? {} : { reuse: reuse.buffers }),
  })
  const tradedAt = performance.now()
  const { values } = computeMetrics(run, {
    markets: [{ symbol: 'TEST', bars, from: 0, firstUsableBar: signals.first_usable_bar }],
    timeframe: '1m',
    config,
    ...(reuse?.periods === undefined ? {} : { periods: reuse.periods }),
  })
  const steps = {
    signalsMs: decidedAt - startedAt,
    tradingMs: tradedAt - decidedAt,
    metricsMs: performance.now() - tradedAt,
  }
  return { run, sharpe: values.sharpe, steps }
}
