/** Validated parameters of one indicator, defaults filled in. */
export type IndicatorParams = Readonly<Record<string, number | string | boolean>>

/** What a parameter may be. */
export type ParamSpec =
  | NumericParam<'integer'>
  | NumericParam<'number'>
  | NamedParam<'string'>
  /** One of the numbers of a bar, or an output of another indicator, whose column is then handed in. */
  | NamedParam<'source'>
  | { readonly type: 'boolean'; readonly default: boolean; readonly description: string }

/** Bounds are inclusive. */
type NumericParam<T extends string> = {
  readonly type: T
  readonly default: number
  readonly min: number
  readonly max: number
  readonly description: string
}

type NamedParam<T extends string> = {
  readonly type: T
  readonly default: string
  readonly enum: readonly string[]
  readonly description: string
}

/** What is wrong with one parameter, seen beside the others. */
export type ParamFault = { readonly param: string; readonly message: string }

/** Longest window and average, in bars. */
const maxPeriod = 5000

/** A length in bars. */
export function periodParam(
  defaultBars: number,
  minBars: number,
  description = 'Length, in bars',
): ParamSpec {
  return { type: 'integer', default: defaultBars, min: minBars, max: maxPeriod, description }
}

/** A factor or another number that need not be whole. */
export function numberParam(value: number, min: number, max: number, description: string): ParamSpec {
  return { type: 'number', default: value, min, max, description }
}

/** Which of two conventions is followed. @param difference what TA-Lib does otherwise */
export function conventionParam(difference: string): ParamSpec {
  return {
    type: 'string',
    default: 'standard',
    enum: ['standard', 'talib'],
    description: `standard: as described; talib: as TA-Lib, which ${difference}`,
  }
}

/** A number of validated params. */
export function numberOf(params: IndicatorParams, name: string): number {
  const value = params[name]
  if (typeof value !== 'number')
    throw new TypeError(`params have not been validated: ${name} is not a number`)
  return value
}

/** A flag of validated params. */
export function flagOf(params: IndicatorParams, name: string): boolean {
  const value = params[name]
  if (typeof value !== 'boolean')
    throw new TypeError(`params have not been validated: ${name} is not a boolean`)
  return value
}

/** A text of validated params. */
export function textOf(params: IndicatorParams, name: string): string {
  const value = params[name]
  if (typeof value !== 'string') throw new TypeError(`params have not been validated: ${name} is not a text`)
  return value
}

/** The period of validated params. */
export function periodOf(params: IndicatorParams): number {
  return numberOf(params, 'period')
}

/** Whether TA-Lib's numbers are wanted where they differ. */
export function isTalib(params: IndicatorParams): boolean {
  return textOf(params, 'convention') === 'talib'
}

/** Refuses a slow average that is not longer than the fast one. */
export function checkFastBelowSlow(params: IndicatorParams): ParamFault | null {
  const fast = numberOf(params, 'fast_period')
  const slow = numberOf(params, 'slow_period')
  if (fast < slow) return null
  return { param: 'slow_period', message: `${slow} should be longer than fast_period, which is ${fast}` }
}
