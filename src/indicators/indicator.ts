import type { IndicatorParams, ParamFault, ParamSpec } from './params.ts'

/**
 * Columns of one value per bar, oldest first. Bars are such columns.
 * `source` replaces what the parameter `source` names: the values of another indicator, whose warm-up may be NaN.
 * `session` tells sessions apart: any number that is the same for all bars of a session, such as the epoch ms of
 * its date. Where it is absent, a session is the UTC day of `time`.
 */
export type IndicatorInput = {
  readonly length: number
  /** Opening times, epoch ms. */
  readonly time: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array
  readonly source?: Float64Array
  readonly session?: Float64Array
}

/** One complete bar, for calculation bar by bar; fields as in `IndicatorInput`. */
export type IndicatorBar = {
  readonly time: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly source?: number
  readonly session?: number
}

/** Columns by output name. */
export type OutputColumns = Readonly<Record<string, Float64Array>>

/**
 * Takes the next bars and gives as many values per output; what came before is remembered. Cutting the bars into
 * calls elsewhere changes no bit. The input is neither kept nor changed.
 * @param into one column per output, as long as the input and no part of it: a calculation may write its values there
 * and give these columns back. What it gives otherwise is new.
 */
export type Advance = (input: IndicatorInput, into?: OutputColumns) => OutputColumns

export type OutputSpec = {
  readonly name: string
  readonly title: string
  /** `source`: that of what the indicator reads. `percent`: 0–100 is one whole. `sign`: −1 or 1. */
  readonly unit: 'source' | 'price' | 'percent' | 'ratio' | 'volume' | 'sign' | 'number'
  /** Least and greatest possible value, where there is one. */
  readonly min?: number
  readonly max?: number
}

/** Everything the engine, the validator, the API and the docs know about an indicator. */
export type IndicatorSpec = {
  readonly type: string
  readonly title: string
  /** Formula, unit, range, source, and what happens where the formula divides by zero. */
  readonly description: string
  readonly params: Readonly<Record<string, ParamSpec>>
  /** The first is what the indicator's id alone stands for. */
  readonly outputs: readonly OutputSpec[]
  /** Where a chart draws it: over the prices, or below on its own scale. */
  readonly pane: 'overlay' | 'separate'
  /** `first_session`: the warm-up ends with the first session; `lookback` then is the least number of bars. */
  readonly warmUp: 'bars' | 'first_session'
  /** What is wrong with parameters that are each within their bounds but do not go together, or null. */
  check(params: IndicatorParams): ParamFault | null
  /**
   * Index of the first value that is not NaN, of the first output unless one is named. With a `source` that begins
   * with NaN, counted from its first number.
   */
  lookback(params: IndicatorParams, output?: string): number
  /**
   * Bars of history from which more history changes no output by over 1e-6 of its greatest magnitude. Windows forget
   * at once: their look-back. Averages that never end forget (1 − weight) per bar: the bars until 1e-8 of the
   * disagreement at their start is left, added up over averages of averages. null: the first bar is never forgotten,
   * or there is no bound.
   */
  stableAfter(params: IndicatorParams): number | null
  /** One value per bar and output, NaN in the warm-up; the value at i depends on bars 0..i only. */
  compute(input: IndicatorInput, params: IndicatorParams): OutputColumns
  /** The same numbers, bit for bit, some bars at a time and oldest first. */
  start(params: IndicatorParams): Advance
  /** The same numbers, bit for bit, one bar at a time and oldest first. */
  incremental(params: IndicatorParams): { next(bar: IndicatorBar): Readonly<Record<string, number>> }
}

/** What an indicator's own file says of it. */
export type IndicatorDefinition = Pick<
  IndicatorSpec,
  'type' | 'title' | 'description' | 'params' | 'outputs' | 'pane'
> & {
  readonly warmUp?: IndicatorSpec['warmUp']
  check?(params: IndicatorParams): ParamFault | null
  /** One number where all outputs begin together, else one for each. */
  lookback(params: IndicatorParams): number | Readonly<Record<string, number>>
  /** Bars after the look-back that averages take to forget their start; absent where windows do. */
  settling?(params: IndicatorParams): number | null
  start(params: IndicatorParams): Advance
}

/** Completes a definition: batch and bar by bar run the same calculation. */
export function defineIndicator(definition: IndicatorDefinition): IndicatorSpec {
  const { lookback, settling, start, check, ...rest } = definition
  return {
    warmUp: 'bars',
    ...rest,
    check: params => check?.(params) ?? null,
    lookback: (params, output = rest.outputs[0]?.name ?? '') => lookbackOf(lookback(params), output),
    stableAfter(params) {
      const bars = settling === undefined ? 0 : settling(params)
      if (bars === null) return null
      const lookbacks = lookback(params)
      const longest = rest.outputs.map(({ name }) => lookbackOf(lookbacks, name))
      return Math.max(...longest) + bars
    },
    compute: (input, params) => bounded(start(params), rest.outputs)(input),
    start: params => bounded(start(params), rest.outputs),
    incremental: params => stepBarByBar(bounded(start(params), rest.outputs)),
  }
}

/** Keeps outputs within what they can be: rounding may carry a value beyond its bound by the last digit. */
function bounded(advance: Advance, outputs: readonly OutputSpec[]): Advance {
  const limits = outputs.filter(({ min, max }) => min !== undefined || max !== undefined)
  if (limits.length === 0) return advance
  return (input, into) => {
    const columns = advance(input, into)
    for (const { name, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } of limits)
      clamp(columnOf(columns, name), min, max)
    return columns
  }
}

function clamp(column: Float64Array, min: number, max: number): void {
  for (let i = 0; i < column.length; i++) {
    const value = column[i] as number
    if (value > max) column[i] = max
    else if (value < min) column[i] = min
  }
}

/** The column of an output. @throws {TypeError} when there is no such output */
export function columnOf(columns: OutputColumns, output: string): Float64Array {
  const column = Object.hasOwn(columns, output) ? columns[output] : undefined
  if (column === undefined) throw new TypeError(`there is no output ${output}`)
  return column
}

function lookbackOf(lookbacks: number | Readonly<Record<string, number>>, output: string): number {
  if (typeof lookbacks === 'number') return lookbacks
  const bars = Object.hasOwn(lookbacks, output) ? lookbacks[output] : undefined
  if (bars === undefined) throw new TypeError(`there is no output ${output}`)
  return bars
}

const barFields = ['time', 'open', 'high', 'low', 'close', 'volume', 'source', 'session'] as const

function stepBarByBar(advance: Advance): { next(bar: IndicatorBar): Readonly<Record<string, number>> } {
  let columns: Record<string, Float64Array> | null = null
  let input: IndicatorInput | null = null
  return {
    next(bar) {
      const held = columns ?? createColumns(bar)
      columns = held
      for (const field of barFields) {
        const column = held[field]
        if (column !== undefined) column[0] = bar[field] ?? Number.NaN
      }
      input ??= toInput(held)
      const values: Record<string, number> = {}
      for (const [name, column] of Object.entries(advance(input))) values[name] = column[0] ?? Number.NaN
      return values
    },
  }
}

/** Columns of length 1 for the fields that the first bar has. */
function createColumns(bar: IndicatorBar): Record<string, Float64Array> {
  const present = barFields.filter(field => bar[field] !== undefined)
  return Object.fromEntries(present.map(field => [field, new Float64Array(1)]))
}

function toInput(columns: OutputColumns): IndicatorInput {
  const { source, session } = columns
  return {
    length: 1,
    time: columnOf(columns, 'time'),
    open: columnOf(columns, 'open'),
    high: columnOf(columns, 'high'),
    low: columnOf(columns, 'low'),
    close: columnOf(columns, 'close'),
    volume: columnOf(columns, 'volume'),
    ...(source === undefined ? {} : { source }),
    ...(session === undefined ? {} : { session }),
  }
}
