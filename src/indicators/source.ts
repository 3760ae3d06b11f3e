import {
  defineIndicator,
  type IndicatorDefinition,
  type IndicatorInput,
  type IndicatorSpec,
} from './indicator.ts'
import { type IndicatorParams, type ParamSpec, textOf } from './params.ts'
import type { SeriesInto } from './series.ts'

/** Numbers of a bar that an indicator may read; hl2, hlc3 and ohlc4 are means of the named prices. */
export const sourceNames = ['open', 'high', 'low', 'close', 'hl2', 'hlc3', 'ohlc4', 'volume'] as const

type SourceName = (typeof sourceNames)[number]

/** The `source` parameter of indicators that read one number per bar. */
export const sourceParam: ParamSpec = {
  type: 'source',
  default: 'close',
  enum: sourceNames,
  description:
    'What is read: a number of the bar (hl2, hlc3 and ohlc4 are the means of the named prices) or an output of ' +
    'another indicator',
}

/** The column to read: the one handed in, else the one that validated params name. Not to be written to. */
export function sourceColumn(input: IndicatorInput, params: IndicatorParams): Float64Array {
  if (input.source !== undefined) return input.source
  const name = textOf(params, 'source')
  if (isSourceName(name)) return priceColumn(input, name)
  throw new TypeError(`the column of the source ${name} was not handed in`)
}

/** A column of the bars, or the mean of some. Not to be written to. */
export function priceColumn(input: IndicatorInput, name: SourceName): Float64Array {
  switch (name) {
    case 'hl2':
      return meanOfHighLow(input)
    case 'hlc3':
      return typicalPrice(input)
    case 'ohlc4':
      return meanOfAll(input)
    default:
      return input[name]
  }
}

/** Completes an indicator that reads a source and has one output, `value`. */
export function defineOverSource(
  definition: Omit<IndicatorDefinition, 'start' | 'outputs'> & {
    readonly output: Omit<IndicatorDefinition['outputs'][number], 'name'>
    readonly series: (params: IndicatorParams) => SeriesInto
  },
): IndicatorSpec {
  const { output, series, ...rest } = definition
  return defineIndicator({
    ...rest,
    outputs: [{ name: 'value', ...output }],
    start(params) {
      const advance = series(params)
      return (input, into) => ({ value: advance(sourceColumn(input, params), into?.value) })
    },
  })
}

function isSourceName(name: string): name is SourceName {
  return sourceNames.some(known => known === name)
}

function meanOfHighLow({ length, high, low }: IndicatorInput): Float64Array {
  const column = new Float64Array(length)
  for (let i = 0; i < length; i++) column[i] = ((high[i] as number) + (low[i] as number)) / 2
  return column
}

function typicalPrice({ length, high, low, close }: IndicatorInput): Float64Array {
  const column = new Float64Array(length)
  for (let i = 0; i < length; i++)
    column[i] = ((high[i] as number) + (low[i] as number) + (close[i] as number)) / 3
  return column
}

function meanOfAll({ length, open, high, low, close }: IndicatorInput): Float64Array {
  const column = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const sum = (open[i] as number) + (high[i] as number) + (low[i] as number) + (close[i] as number)
    column[i] = sum / 4
  }
  return column
}
