/**
 * Takes the next values of a column and gives as many of its own; what came before is remembered, so that cutting
 * the column into calls elsewhere changes no bit. NaN is passed over: the result is NaN there and all else is as if
 * the value had not been. So a source that begins with NaN just begins later.
 */
export type Series = (input: Float64Array) => Float64Array

/** One that writes into a column of the same length if it is given one, which may be the input itself. */
export type SeriesInto = (input: Float64Array, output?: Float64Array) => Float64Array

/**
 * What is computed in several steps goes through its column in pieces of so many values: what one step leaves for the
 * next is still in the processor's cache, and takes no fresh memory the size of the column.
 */
export const pieceLength = 4_096

/** Calls with the bounds of each piece of a column, in order. */
export function eachPiece(length: number, run: (from: number, to: number) => void): void {
  for (let from = 0; from < length; from += pieceLength) run(from, Math.min(length, from + pieceLength))
}

/** a − b, element by element. @param output may be one of the two */
export function subtract(
  a: Float64Array,
  b: Float64Array,
  output = new Float64Array(a.length),
): Float64Array {
  for (let i = 0; i < output.length; i++) output[i] = (a[i] as number) - (b[i] as number)
  return output
}

/**
 * factor · a / b, element by element; `whenZero` where b is 0, or so near to 0 that the quotient is beyond all numbers.
 * NaN where a or b is.
 */
export function divide(a: Float64Array, b: Float64Array, factor: number, whenZero: number): Float64Array {
  const output = new Float64Array(a.length)
  for (let i = 0; i < output.length; i++) {
    const quotient = (factor * (a[i] as number)) / (b[i] as number)
    const isKnown = !Number.isNaN((a[i] as number) + (b[i] as number))
    output[i] = isKnown && !Number.isFinite(quotient) ? whenZero : quotient
  }
  return output
}

/** Lines `factor` times the reach above and below a centre. The column `reach` is used up: it becomes the lower one. */
export function spread(
  centre: Float64Array,
  factor: number,
  reach: Float64Array,
): { readonly upper: Float64Array; readonly lower: Float64Array } {
  const upper = new Float64Array(centre.length)
  for (let i = 0; i < upper.length; i++) {
    const distance = factor * (reach[i] as number)
    upper[i] = (centre[i] as number) + distance
    reach[i] = (centre[i] as number) - distance
  }
  return { upper, lower: reach }
}

/** (a + b) / 2, element by element. */
export function midpoint(a: Float64Array, b: Float64Array): Float64Array {
  const output = new Float64Array(a.length)
  for (let i = 0; i < output.length; i++) output[i] = ((a[i] as number) + (b[i] as number)) / 2
  return output
}

/** The value of so many values before. @param bars ≥ 0 */
export function createDelay(bars: number): Series {
  const held = new Float64Array(bars).fill(Number.NaN)
  let at = 0
  return input => {
    if (bars === 0) return input.slice()
    const output = new Float64Array(input.length)
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      if (Number.isNaN(value)) {
        output[i] = Number.NaN
        continue
      }
      output[i] = held[at] as number
      held[at] = value
      at = at + 1 === bars ? 0 : at + 1
    }
    return output
  }
}

/** The series over a column whose first `bars` values are left out. */
export function startLater(bars: number, series: SeriesInto): SeriesInto {
  let left = bars
  return (input, output) => {
    if (left === 0) return series(input, output)
    const later = input.slice()
    for (let i = 0; i < later.length && left > 0; i++) {
      if (Number.isNaN(later[i] as number)) continue
      later[i] = Number.NaN
      left--
    }
    return series(later, output)
  }
}

/** Difference to the value before. First at value 1. */
export function createChange(): Series {
  let previous = Number.NaN
  return input => {
    const output = new Float64Array(input.length)
    for (let i = 0; i < output.length; i++) {
      const value = input[i] as number
      output[i] = value - previous
      if (!Number.isNaN(value)) previous = value
    }
    return output
  }
}
