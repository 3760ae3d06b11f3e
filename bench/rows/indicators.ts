import * as technical from 'technicalindicators'
import * as signals from 'trading-signals'
import type { IndicatorInput } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { findIndicator, indicators } from '../../src/indicators/registry.ts'
import { ms, whole } from '../numbers.ts'
import type { Finding, Report, Row } from '../row.ts'

/** How many times faster than the best npm library a kernel shall be. */
const targetRatio = 10

/** Every indicator over the same bars, six of them beside two npm libraries. */
export const indicatorKernels: Row = {
  name: 'indicators',
  run: async ({ pick }) => {
    const bars = createBars(pick(1_000_000, 20_000))
    const rounds = pick(7, 2)
    const durations = indicators.map(({ type }) => ({ type, durationMs: timeOurs(type, bars, rounds) }))
    const plain = toPlain(bars)
    return report(
      bars.length,
      durations,
      kernels.map(kernel => compare(kernel, bars, plain, rounds)),
    )
  },
}

/** The columns as the libraries want them, made outside the measurement. */
type Plain = {
  readonly high: number[]
  readonly low: number[]
  readonly close: number[]
  readonly candles: readonly { readonly high: number; readonly low: number; readonly close: number }[]
}

type Kernel = {
  readonly type: string
  readonly tradingSignals: (plain: Plain) => void
  readonly technicalIndicators: (plain: Plain) => void
}

/** Feeds an indicator value by value, which is all that trading-signals offers. */
function feed<T>(indicator: { update(input: T, replace: boolean): unknown }, inputs: readonly T[]): void {
  for (const input of inputs) indicator.update(input, false)
}

const kernels: readonly Kernel[] = [
  {
    type: 'sma',
    tradingSignals: ({ close }) => feed(new signals.SMA(20), close),
    technicalIndicators: ({ close }) => technical.sma({ period: 20, values: close }),
  },
  {
    type: 'ema',
    tradingSignals: ({ close }) => feed(new signals.EMA(20), close),
    technicalIndicators: ({ close }) => technical.ema({ period: 20, values: close }),
  },
  {
    type: 'rsi',
    tradingSignals: ({ close }) => feed(new signals.RSI(14), close),
    technicalIndicators: ({ close }) => technical.rsi({ period: 14, values: close }),
  },
  {
    type: 'atr',
    tradingSignals: ({ candles }) => feed(new signals.ATR(14), candles),
    technicalIndicators: ({ high, low, close }) => technical.atr({ period: 14, high, low, close }),
  },
  {
    type: 'macd',
    tradingSignals: ({ close }) =>
      feed(new signals.MACD(new signals.EMA(12), new signals.EMA(26), new signals.EMA(9)), close),
    technicalIndicators: ({ close }) =>
      technical.macd({
        values: close,
        fastPeriod: 12,
        slowPeriod: 26,
        signalPeriod: 9,
        SimpleMAOscillator: false,
        SimpleMASignal: false,
      }),
  },
  {
    type: 'bollinger_bands',
    tradingSignals: ({ close }) => feed(new signals.BollingerBands(20, 2), close),
    technicalIndicators: ({ close }) => technical.bollingerbands({ period: 20, stdDev: 2, values: close }),
  },
]

function timeOurs(type: string, bars: IndicatorInput, rounds: number): number {
  const spec = findIndicator(type)
  if (spec === undefined) throw new Error(`there is no indicator ${type}`)
  const params: IndicatorParams = Object.fromEntries(
    Object.entries(spec.params).map(([name, param]) => [name, param.default]),
  )
  return timeBest(() => spec.compute(bars, params), rounds)
}

/** The best of some runs: what the machine does to others is not measured. */
function timeBest(run: () => unknown, rounds: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) {
    const startedAt = performance.now()
    run()
    best = Math.min(best, performance.now() - startedAt)
  }
  return best
}

function compare(kernel: Kernel, bars: IndicatorInput, plain: Plain, rounds: number): Finding {
  const oursMs = timeOurs(kernel.type, bars, rounds)
  const signalsMs = timeBest(() => kernel.tradingSignals(plain), 2)
  const technicalMs = timeBest(() => kernel.technicalIndicators(plain), 2)
  const ratio = Math.min(signalsMs, technicalMs) / oursMs
  return {
    what: `${kernel.type}, ${whole(bars.length)} bars`,
    target: `${targetRatio} × the best npm library`,
    measured: `${ms(oursMs)}, ${whole(bars.length / oursMs / 1000)} M bars/s`,
    peer: `trading-signals ${ms(signalsMs)}, technicalindicators ${ms(technicalMs)}`,
    ratio: `${ratio.toFixed(1)} ×`,
    met: ratio >= targetRatio,
  }
}

function report(
  bars: number,
  durations: readonly { readonly type: string; readonly durationMs: number }[],
  findings: readonly Finding[],
): Report {
  const total = durations.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const each = durations.map(({ type, durationMs }) => `${type} ${ms(durationMs)}`).join(', ')
  return {
    findings: [
      {
        what: `all ${durations.length} indicators, ${whole(bars)} bars`,
        target: '–',
        measured: ms(total),
        met: null,
      },
      ...findings,
    ],
    notes: [`Best of the runs, default parameters, one thread, outputs allocated anew: ${each}.`],
  }
}

/** Minute bars of a random walk, the same every time. Source of the generator: mulberry32. */
function createBars(length: number): IndicatorInput {
  const random = createRandom()
  const column = () => new Float64Array(length)
  const [time, open, high, low, close, volume] = [column(), column(), column(), column(), column(), column()]
  let last = 100
  for (let i = 0; i < length; i++) {
    const now = Math.min(1_000, Math.max(10, last * (1 + (random() - 0.5) * 0.002)))
    time[i] = i * 60_000
    open[i] = last
    close[i] = now
    high[i] = Math.max(last, now) * (1 + 0.0005 * random())
    low[i] = Math.min(last, now) * (1 - 0.0005 * random())
    volume[i] = 1 + Math.floor(random() * 1_000)
    last = now
  }
  return { length, time, open, high, low, close, volume }
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

function toPlain({ length, high, low, close }: IndicatorInput): Plain {
  const candles = Array.from({ length }, (_, i) => ({
    high: high[i] as number,
    low: low[i] as number,
    close: close[i] as number,
  }))
  return { high: [...high], low: [...low], close: [...close], candles }
}
