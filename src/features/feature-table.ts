import { Problem } from '../problems.ts'
import type { FeatureMatrix } from './feature-matrix.ts'

/** The matrix of one symbol. */
export type SymbolMatrix = { readonly symbol: string; readonly matrix: FeatureMatrix }

/** Rows `from` ≤ r < `to` of a table belong to one symbol. */
export type SymbolRows = { readonly symbol: string; readonly from: number; readonly to: number }

/** Features of several symbols, keyed by (symbol, time): symbols in code-unit order, each oldest first. */
export type FeatureTable = {
  readonly rows: number
  readonly ids: readonly string[]
  /** Row-major, rows × ids. */
  readonly values: Float32Array
  /** Open and close time of every row's bar, epoch ms UTC. */
  readonly time: Float64Array
  readonly close_time: Float64Array
  /** Index of every row's bar among the base bars of its symbol. */
  readonly bar: Int32Array
  /** One span per symbol, in order, without gaps; empty for a symbol without rows. */
  readonly symbols: readonly SymbolRows[]
}

/**
 * Puts the matrices of several symbols below each other. The order of `matrices` does not matter.
 * @throws {Problem} 'params-invalid' when a symbol occurs twice, ids differ, or times do not increase
 */
export function stackSymbols(matrices: readonly SymbolMatrix[]): FeatureTable {
  const sorted = matrices.toSorted((a, b) => compareText(a.symbol, b.symbol))
  const ids = checkMatrices(sorted)
  const rows = sorted.reduce((sum, { matrix }) => sum + matrix.rows, 0)
  const table = {
    rows,
    ids,
    values: new Float32Array(rows * ids.length),
    time: new Float64Array(rows),
    close_time: new Float64Array(rows),
    bar: new Int32Array(rows),
  }
  const symbols: SymbolRows[] = []
  let from = 0
  for (const { symbol, matrix } of sorted) {
    table.values.set(matrix.values, from * ids.length)
    table.time.set(matrix.time, from)
    table.close_time.set(matrix.close_time, from)
    table.bar.set(matrix.bar, from)
    symbols.push({ symbol, from, to: from + matrix.rows })
    from += matrix.rows
  }
  return { ...table, symbols }
}

/**
 * The rows at which a window of `length` rows ends that holds one symbol and consecutive base bars only: the window of
 * row r is r − length + 1 … r. Windows across two symbols, or across a bar that was left out, are not among them.
 * @param length rows of a window, ≥ 1
 */
export function windowEnds(
  { symbols, bar }: Pick<FeatureTable, 'symbols' | 'bar'>,
  length: number,
): Int32Array {
  if (!Number.isInteger(length) || length < 1)
    throw new RangeError(`a window has at least 1 row, not ${length}`)
  const ends = new Int32Array(bar.length)
  let count = 0
  for (const { from, to } of symbols) {
    let start = from
    for (let row = from; row < to; row++) {
      if (row > from && bar[row] !== (bar[row - 1] as number) + 1) start = row
      if (row - start + 1 >= length) ends[count++] = row
    }
  }
  return ends.slice(0, count)
}

function checkMatrices(sorted: readonly SymbolMatrix[]): readonly string[] {
  const ids = sorted[0]?.matrix.ids
  if (ids === undefined) throw new Problem('params-invalid', 'there is no symbol to make a table of')
  sorted.forEach(({ symbol, matrix }, i) => {
    if (sorted[i - 1]?.symbol === symbol)
      throw new Problem('params-invalid', `the symbol ${symbol} occurs twice`)
    const differs = matrix.ids.length !== ids.length || matrix.ids.some((id, column) => id !== ids[column])
    if (differs) {
      const detail = `${symbol} has other features than ${sorted[0]?.symbol}, or in another order`
      throw new Problem('params-invalid', detail, { hint: 'Build all symbols from one strategy.' })
    }
    for (let row = 1; row < matrix.rows; row++) {
      if ((matrix.time[row] as number) > (matrix.time[row - 1] as number)) continue
      throw new Problem('params-invalid', `the times of ${symbol} do not increase at row ${row}`)
    }
  })
  return ids
}

/** By UTF-16 code unit: the same on every machine, whatever its language. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
