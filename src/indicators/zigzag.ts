import type { IndicatorInput } from './indicator.ts'
import { type IndicatorParams, numberOf, numberParam, type ParamSpec } from './params.ts'
import { sourceColumn, sourceParam } from './source.ts'

/**
 * A calculation that needs later bars. It may label the past, for training and charts; a feature or a rule must not
 * read it.
 */
export type LabelTool = {
  readonly type: string
  readonly title: string
  readonly description: string
  readonly params: Readonly<Record<string, ParamSpec>>
  /** Values change when bars are added. */
  readonly repaints: true
  compute(input: IndicatorInput, params: IndicatorParams): { readonly value: Float64Array }
}

/** A turn of the source. */
export type Pivot = {
  /** Index of its bar. */
  readonly index: number
  /** Index of the bar at whose close it was first known to be one. */
  readonly confirmedAt: number
  readonly kind: 'high' | 'low'
}

/** Turns of at least `threshold`. Source: StockCharts “ZigZag”; the last, unconfirmed leg is left out. */
export const zigzag: LabelTool = {
  type: 'zigzag',
  title: 'ZigZag',
  description:
    'The source at its turns and NaN between: a high from which it fell by the fraction `threshold` before it rose above ' +
    'it, and the reverse. A turn is known only when that has happened, so this repaints: it labels, and is no feature.',
  params: {
    threshold: numberParam(0.05, 0.0001, 0.9999, 'Fraction of the price that makes a turn'),
    source: sourceParam,
  },
  repaints: true,
  compute(input, params) {
    const column = sourceColumn(input, params)
    const value = new Float64Array(column.length).fill(Number.NaN)
    for (const { index } of findPivots(column, numberOf(params, 'threshold')))
      value[index] = column[index] as number
    return { value }
  },
}

/**
 * Confirmed turns, oldest first, highs and lows in turn; of equal extremes the first. The first turn is the extreme
 * before the first move of `threshold`.
 * @param values > 0, one per bar @param threshold fraction, between 0 and 1
 */
export function findPivots(values: Float64Array, threshold: number): readonly Pivot[] {
  const pivots: Pivot[] = []
  let high = 0
  let low = 0
  let direction: 'up' | 'down' | 'unknown' = 'unknown'
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number
    if (direction !== 'down' && value > (values[high] as number)) high = i
    if (direction !== 'up' && value < (values[low] as number)) low = i
    if (direction !== 'down' && value <= (values[high] as number) * (1 - threshold)) {
      pivots.push({ index: high, confirmedAt: i, kind: 'high' })
      direction = 'down'
      low = i
    } else if (direction !== 'up' && value >= (values[low] as number) * (1 + threshold)) {
      pivots.push({ index: low, confirmedAt: i, kind: 'low' })
      direction = 'up'
      high = i
    }
  }
  return pivots
}
