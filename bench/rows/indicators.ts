import * as technical from 'technicalindicators'
import * as signals from 'trading-signals'
import { columnOf, type IndicatorInput, type IndicatorSpec } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { findIndicator, indicators } from '../../src/indicators/registry.ts'
import { type TaLibTime, taLib, timeTaLib } from '../c/ta-lib.ts'
import { compilation, type Measured, measuredOrWhy } from '../c-peer.ts'
import { millionsPerSecond, ms, whole } from '../numbers.ts'
import type { Finding, Report, Row } from '../row.ts'

/** How many times faster than the best npm library a kernel shall be. */
const npmTarget = 10

/** How many times longer than TA-Lib it may take. */
const cTarget = 2

/** Every indicator over the same bars, six of them beside two npm libraries and TA-Lib in C. */
export const indicatorKernels: Row = {
  name: 'indicators',
  run: async ({ pick }) => {
    const bars = createBars(pick(5_000_000, 20_000))
    const rounds = pick(9, 2)
    const ours = kernels.map(({ type }) => timeKernel(type, bars, rounds))
    const all = indicators.map(spec => ({ type: spec.type, ...time(spec, bars, pick(3, 1)) }))
    const taLibTimes = await measuredOrWhy(() => timeTaLib(bars, rounds))
    const plain = toPlain(bars)
    const findings = kernels.map((kernel, i) =>
      compare(kernel, { bars: bars.length, ours: ours[i] as Timed, plain, taLibTimes }),
    )
    return report(bars.length, all, findings, taLibTimes)
  },
}

/** Best of the runs, and the last value of the first output. */
type Timed = { readonly durationMs: number; readonly last: number }

/** The columns as the libraries want them, made outside the measurement. */
type Plain = {
  readonly high: number[]
  readonly low: number[]
  readonly close: number[]
  readonly candles: readonly { readonly high: number; readonly low: number; readonly close: number }[]
}

type Kernel = {
  readonly type: string
  readonly tradingSignals: (plain: Plain) => unknown
  readonly technicalIndicators: (plain: Plain) => unknown
}

const kernels: readonly Kernel[] = [
  {
    type: 'sma',
    tradingSignals: ({ close }) => new signals.SMA(20).updates(close, false),
    technicalIndicators: ({ close }) => technical.sma({ period: 20, values: close }),
  },
  {
    type: 'ema',
    tradingSignals: ({ close }) => new signals.EMA(20).updates(close, false),
    technicalIndicators: ({ close }) => technical.ema({ period: 20, values: close }),
  },
  {
    type: 'rsi',
    tradingSignals: ({ close }) => new signals.RSI(14).updates(close, false),
    technicalIndicators: ({ close }) => technical.rsi({ period: 14, values: close }),
  },
  {
    type: 'atr',
    tradingSignals: ({ candles }) => new signals.ATR(14).updates(candles, false),
    technicalIndicators: ({ high, low, close }) => technical.atr({ period: 14, high, low, close }),
  },
  {
    type: 'macd',
    tradingSignals: ({ close }) =>
      new signals.MACD(new signals.EMA(12), new signals.EMA(26), new signals.EMA(9)).updates(close, false),
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
    tradingSignals: ({ close }) => new signals.BollingerBands(20, 2).updates(close, false),
    technicalIndicators: ({ close }) => technical.bollingerbands({ period: 20, stdDev: 2, values: close }),
  },
]

function timeKernel(type: string, bars: IndicatorInput, rounds: number): Timed {
  const spec = findIndicator(type)
  if (spec === undefined) throw new Error(`there is no indicator ${type}`)
  return time(spec, bars, rounds)
}

function time(spec: IndicatorSpec, bars: IndicatorInput, rounds: number): Timed {
  const params: IndicatorParams = Object.fromEntries(
    Object.entries(spec.params).map(([name, param]) => [name, param.default]),
  )
  const columns = spec.compute(bars, params)
  const last = columnOf(columns, spec.outputs[0]?.name ?? '').at(-1) ?? Number.NaN
  return { durationMs: timeBest(() => spec.compute(bars, params), rounds), last }
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

type Contest = {
  readonly bars: number
  readonly ours: Timed
  readonly plain: Plain
  readonly taLibTimes: Measured<readonly TaLibTime[]>
}

function compare(kernel: Kernel, { bars, ours, plain, taLibTimes }: Contest): Finding {
  const signalsMs = timeBest(() => kernel.tradingSignals(plain), 2)
  const technicalMs = timeBest(() => kernel.technicalIndicators(plain), 2)
  const overNpm = Math.min(signalsMs, technicalMs) / ours.durationMs
  const inC = taLibTimes.kind === 'measured' ? sameInC(kernel.type, ours, taLibTimes.value) : null
  const overC = inC === null ? Number.NaN : ours.durationMs / inC.fresh_ms
  const rate = (durationMs: number) => `${ms(durationMs)}, ${millionsPerSecond(bars, durationMs)} bars/s`
  const c =
    inC === null ? 'not measured' : `${rate(inC.fresh_ms)} (into memory used before ${ms(inC.reused_ms)})`
  return {
    what: `${kernel.type}, ${whole(bars)} bars`,
    target: `≥ ${npmTarget} × the best npm library, ≤ ${cTarget} × the time of C`,
    measured: rate(ours.durationMs),
    peer: `trading-signals ${rate(signalsMs)}; technicalindicators ${rate(technicalMs)}; TA-Lib ${c}`,
    ratio: `${overNpm.toFixed(1)} × npm, ${inC === null ? '–' : overC.toFixed(2)} × C`,
    met: overNpm < npmTarget || overC > cTarget ? false : inC === null ? null : true,
  }
}

/** @throws when C came to another value: then it did something else */
function sameInC(type: string, ours: Timed, times: readonly TaLibTime[]): TaLibTime {
  const found = times.find(time => time.type === type)
  if (found === undefined) throw new Error(`TA-Lib was not asked for ${type}`)
  const distance = Math.abs(found.last - ours.last)
  if (!(distance <= 1e-6 * Math.max(1, Math.abs(ours.last))))
    throw new Error(`the last ${type} is ${ours.last}, in TA-Lib ${found.last}`)
  return found
}

function report(
  bars: number,
  all: readonly (Timed & { readonly type: string })[],
  findings: readonly Finding[],
  taLibTimes: Measured<readonly TaLibTime[]>,
): Report {
  const total = all.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const each = all.map(({ type, durationMs }) => `${type} ${millionsPerSecond(bars, durationMs)}`).join(', ')
  const inC =
    taLibTimes.kind === 'measured'
      ? `TA-Lib is the C source in ${taLib.name} ${taLib.version} of the npm registry, compiled by \`${compilation}\`, in a process of its own over the same bars; its last values are ours. It is timed as we are, giving new columns; the time into columns it has written before stands in brackets.`
      : `TA-Lib was not measured: ${taLibTimes.reason}.`
  return {
    findings: [
      {
        what: `all ${all.length} indicators, ${whole(bars)} bars`,
        target: '–',
        measured: ms(total),
        met: null,
      },
      ...findings,
    ],
    notes: [
      `Best of the runs, default parameters, one thread, outputs in new memory, bars per second: ${each}.`,
      `Columns in new memory have a price: ${ms(copyMs(bars))} per column for a mere copy of ${whole(bars)} values, of which most is the kernel’s, page by page.`,
      inC,
    ],
  }
}

/** What no calculation that gives a new column can do without. */
function copyMs(bars: number): number {
  const column = new Float64Array(bars).fill(1)
  return timeBest(() => column.slice(), 9)
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
