import type { Bars } from '../market/bars.ts'

/** Validated parameters of one indicator, defaults filled in. */
export type IndicatorParams = Readonly<Record<string, number | string>>

/** What a parameter may be. Bounds are inclusive. */
export type ParamSpec =
  | {
      readonly type: 'integer'
      readonly default: number
      readonly min: number
      readonly max: number
      readonly description: string
    }
  | {
      readonly type: 'string'
      readonly default: string
      readonly enum: readonly string[]
      readonly description: string
    }

/** The prices and volume of one complete bar, for calculation bar by bar. */
export type IndicatorBar = {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

/** Everything the engine, the validator, the API and the docs know about an indicator. */
export type IndicatorSpec = {
  readonly type: string
  readonly title: string
  /** Formula, unit, range and source. */
  readonly description: string
  readonly params: Readonly<Record<string, ParamSpec>>
  /** Names of the output columns; the first is what the indicator's id alone stands for. */
  readonly outputs: readonly ['value']
  /** Where a chart draws it: over the prices, or below on its own scale. */
  readonly pane: 'overlay' | 'separate'
  /** Index of the first value that is not NaN, given at least that many bars. */
  lookback(params: IndicatorParams): number
  /** One value per bar, NaN in the warm-up; the value at i depends on bars 0..i only. */
  compute(bars: Bars, params: IndicatorParams): { readonly value: Float64Array }
  /** The same numbers, bit for bit, one bar at a time and oldest first. */
  incremental(params: IndicatorParams): { next(bar: IndicatorBar): number }
}

/** The period of validated params. */
export function periodOf(params: IndicatorParams): number {
  const period = params.period
  if (typeof period !== 'number')
    throw new TypeError('params have not been validated: period is not a number')
  return period
}

/** The `period` parameter every averaging indicator has. */
export function periodParam(defaultBars: number, minBars: number): ParamSpec {
  return {
    type: 'integer',
    default: defaultBars,
    min: minBars,
    max: 5000,
    description: 'Length of the average, in bars',
  }
}
