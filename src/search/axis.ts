import type { FieldValue } from './field-path.ts'

/** A field to vary, as asked for: a list of values, or a range of numbers with both ends. */
export type Dimension =
  | { readonly path: string; readonly values: readonly FieldValue[] }
  | {
      readonly path: string
      readonly min: number
      readonly max: number
      /** From `min` on; absent: any number between, or any whole one with `integer`. */
      readonly step?: number
      /** How numbers are spread when they are drawn: `log` gives every order of magnitude the same share. */
      readonly scale?: 'linear' | 'log'
      readonly integer?: boolean
    }

/** A field to vary. Its place is a number from 0 to 1, on which searches work, whatever the field is. */
export type Axis = {
  readonly path: string
  /** Whether values have an order and a distance. */
  readonly numeric: boolean
  /** How many values there are; null where any number of a range is one. */
  readonly count: number | null
  /** @param level 0 to `count` − 1, in the order of the list or upwards */
  levelValue(level: number): FieldValue
  /** Which level a value is, −1 where it is none. */
  levelOf(value: FieldValue): number
  /** The level at a place in [0, 1), of an axis with levels. */
  levelAt(place: number): number
  /** The value at a place in [0, 1); evenly drawn places give the values their shares. */
  valueAt(place: number): FieldValue
  /** The place of a value, 0–1: the middle of its share. Of values without order, by their level. */
  placeOf(value: FieldValue): number
  /** Steps between two values of a numeric axis with levels: 1 for neighbours. */
  stepsBetween(one: FieldValue, other: FieldValue): number
}

/** @param dimension checked by `findDimensionFaults` */
export function createAxis(dimension: Dimension): Axis {
  return 'values' in dimension ? createListAxis(dimension) : createRangeAxis(dimension)
}

function createListAxis({ path, values }: Extract<Dimension, { values: unknown }>): Axis {
  const count = values.length
  const numeric = values.every(value => typeof value === 'number')
  // Numbers have their places in their order, however they are listed.
  const ordered = numeric ? values.filter(value => typeof value === 'number').sort((a, b) => a - b) : values
  const levels = ordered.map(value => values.indexOf(value))
  const ranks = new Map(ordered.map((value, rank) => [value, rank]))
  const rankOf = (value: FieldValue) => ranks.get(value) ?? -1
  return {
    path,
    numeric,
    count,
    levelValue: level => elementAt(values, level),
    levelOf: value => values.indexOf(value),
    levelAt: place => elementAt(levels, Math.min(count - 1, Math.floor(place * count))),
    valueAt: place => elementAt(ordered, Math.min(count - 1, Math.floor(place * count))),
    placeOf: value => (rankOf(value) + 0.5) / count,
    stepsBetween: (one, other) => Math.abs(rankOf(one) - rankOf(other)),
  }
}

function createRangeAxis(dimension: Extract<Dimension, { min: number }>): Axis {
  const { path, min, max, integer = false, scale = 'linear' } = dimension
  const step = dimension.step ?? (integer ? 1 : null)
  const count = step === null ? null : countSteps(min, max, step)
  const decimals = step === null ? 0 : Math.max(decimalsOf(min), decimalsOf(step))
  const round = createRounding(decimals)
  const levelValue = (level: number) => round(min + level * (step ?? 0))
  const levelOf = (value: FieldValue) => {
    if (typeof value !== 'number' || step === null || count === null) return -1
    const level = Math.round((value - min) / step)
    return level >= 0 && level < count && levelValue(level) === value ? level : -1
  }
  // Half a step more at both ends, so that the first and the last value have the same share as the others.
  const margin = (step ?? 0) / 2
  const last = count === null ? max : levelValue(count - 1)
  const warp = scale === 'log' ? Math.log : (value: number) => value
  const unwarp = scale === 'log' ? Math.exp : (value: number) => value
  const from = warp(scale === 'log' ? Math.max(min - margin, min / 2) : min - margin)
  const width = warp(last + margin) - from
  const levelAt = (place: number) => {
    if (step === null || count === null) throw new RangeError(`${path} has no steps`)
    return Math.min(count - 1, Math.max(0, Math.round((unwarp(from + place * width) - min) / step)))
  }
  const clamped = (place: number) => Math.min(max, Math.max(min, unwarp(from + place * width)))
  return {
    path,
    numeric: true,
    count,
    levelValue,
    levelOf,
    levelAt,
    valueAt: count === null ? clamped : place => levelValue(levelAt(place)),
    placeOf: value => (width === 0 ? 0.5 : (warp(Number(value)) - from) / width),
    stepsBetween: (one, other) => Math.abs(levelOf(one) - levelOf(other)),
  }
}

/** Values of a stepped range, both ends included where the step reaches them. */
export function countSteps(min: number, max: number, step: number): number {
  // A step of 0.1 reaches 0.3 from 0, whatever binary fractions make of it.
  return Math.floor((max - min) / step + 1e-9) + 1
}

/** Takes rounding errors away from numbers that have so many digits after the point. */
function createRounding(decimals: number): (value: number) => number {
  const power = 10 ** decimals
  return value => {
    const scaled = Math.round(value * power)
    // Whole numbers and powers of ten up to here are exact, and so the quotient is the number as it is written.
    const isExact = decimals <= 22 && Math.abs(scaled) <= Number.MAX_SAFE_INTEGER
    return isExact ? scaled / power : Number(value.toFixed(decimals))
  }
}

/** Digits after the point of a number as it is written. */
function decimalsOf(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const fraction = mantissa.split('.')[1] ?? ''
  return Math.min(20, Math.max(0, fraction.length - Number(exponent)))
}

function elementAt<T>(values: readonly T[], i: number): T {
  const value = values[i]
  if (value === undefined) throw new RangeError(`there is no value ${i} of ${values.length}`)
  return value
}
