import type { Bars } from '../market/bars.ts'
import {
  type IndicatorBar,
  type IndicatorParams,
  type IndicatorSpec,
  type ParamSpec,
  periodOf,
} from './indicator.ts'

/** The number of a bar that an indicator reads; hl2, hlc3 and ohlc4 are means of the named prices. */
const sources = {
  open: (bar: IndicatorBar) => bar.open,
  high: (bar: IndicatorBar) => bar.high,
  low: (bar: IndicatorBar) => bar.low,
  close: (bar: IndicatorBar) => bar.close,
  hl2: (bar: IndicatorBar) => (bar.high + bar.low) / 2,
  hlc3: (bar: IndicatorBar) => (bar.high + bar.low + bar.close) / 3,
  ohlc4: (bar: IndicatorBar) => (bar.open + bar.high + bar.low + bar.close) / 4,
  volume: (bar: IndicatorBar) => bar.volume,
} as const

type Source = keyof typeof sources

/** The `source` parameter of indicators that read one number per bar. */
export const sourceParam: ParamSpec = {
  type: 'string',
  default: 'close',
  enum: Object.keys(sources),
  description: 'Which number of a bar is read; hl2, hlc3 and ohlc4 are the means of the named prices',
}

/**
 * Both forms of an indicator that reads one number per bar and has one output, from one step: batch and incremental
 * cannot differ.
 * @param create makes a step for a period: takes the next value of the source, gives that of the indicator
 */
export function overSource(
  create: (period: number) => (value: number) => number,
): Pick<IndicatorSpec, 'compute' | 'incremental'> {
  return {
    compute(bars, params) {
      const input = sourceColumn(bars, params)
      const step = create(periodOf(params))
      const value = new Float64Array(bars.length)
      for (let i = 0; i < value.length; i++) value[i] = step(input[i] as number)
      return { value }
    },
    incremental(params) {
      const source = sourceOf(params)
      const step = create(periodOf(params))
      return { next: bar => step(source(bar)) }
    },
  }
}

/** Takes the source of validated params out of a bar. */
function sourceOf(params: IndicatorParams): (bar: IndicatorBar) => number {
  return sources[sourceName(params)]
}

/** Takes the source of validated params out of bars: a view where a column holds it, else a new column. */
function sourceColumn(bars: Bars, params: IndicatorParams): Float64Array {
  const name = sourceName(params)
  if (name === 'hl2' || name === 'hlc3' || name === 'ohlc4') return meanColumn(bars, sources[name])
  return bars[name]
}

function meanColumn(bars: Bars, mean: (bar: IndicatorBar) => number): Float64Array {
  const column = new Float64Array(bars.length)
  const bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 }
  for (let i = 0; i < bars.length; i++) {
    bar.open = bars.open[i] as number
    bar.high = bars.high[i] as number
    bar.low = bars.low[i] as number
    bar.close = bars.close[i] as number
    column[i] = mean(bar)
  }
  return column
}

function sourceName(params: IndicatorParams): Source {
  const name = params.source
  if (typeof name === 'string' && Object.hasOwn(sources, name)) return name as Source
  throw new TypeError(`params have not been validated: there is no source ${String(name)}`)
}
