import { atr } from './atr.ts'
import { ema } from './ema.ts'
import type { IndicatorSpec } from './indicator.ts'
import { rsi } from './rsi.ts'
import { sma } from './sma.ts'

/** THE list of indicators: the engine, the validator, the API and the docs all read it. */
export const indicators: readonly IndicatorSpec[] = [sma, ema, rsi, atr]

/** Every indicator type. */
export const indicatorTypes: readonly string[] = indicators.map(spec => spec.type)

/** The indicator of that type, or undefined. */
export function findIndicator(type: string): IndicatorSpec | undefined {
  return indicators.find(spec => spec.type === type)
}
