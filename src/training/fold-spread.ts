/** One number of every fold that has it. */
export type FoldSpread = {
  /** Every fold counts alike. */
  readonly mean: number
  /** Of a sample: divided by one less than the folds; null for a single one. */
  readonly deviation: number | null
  readonly least: number
  readonly greatest: number
  readonly folds: number
}

/** @param values one per fold, null where a fold has none  @returns null when no fold has one */
export function spreadOfFolds(values: readonly (number | null | undefined)[]): FoldSpread | null {
  const known = values.filter(value => typeof value === 'number')
  const folds = known.length
  if (folds === 0) return null
  const mean = known.reduce((sum, value) => sum + value, 0) / folds
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    mean,
    deviation: folds === 1 ? null : Math.sqrt(squares / (folds - 1)),
    least: Math.min(...known),
    greatest: Math.max(...known),
    folds,
  }
}
