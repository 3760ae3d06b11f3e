import type { TestedRows } from '../training/out-of-sample.ts'
import type { Column, Table } from './tables.ts'

/**
 * The artifact `predictions` of a cross-validation: those of its folds, symbol after symbol and oldest first, with the fold
 * whose model answered.
 * @param tables of the folds in their order, at least one, with the same columns  @param checkpoint it may throw to stop
 */
export function joinPredictions(tables: readonly Table[], checkpoint: () => void = () => {}): Table {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const fold = new Float64Array(rows)
  let at = 0
  for (const [index, table] of tables.entries()) {
    fold.fill(index, at, at + table.rows)
    at += table.rows
  }
  const [first] = tables
  if (first === undefined) throw new RangeError('there are no predictions to join')
  const columns = first.columns.map((column): Column => {
    checkpoint()
    return stackColumns(tables.map(table => findColumn(table, column.name)))
  })
  const joined: Table = { rows, columns: [{ name: 'fold', kind: 'integer', values: fold }, ...columns] }
  const order = orderRows(joined)
  return {
    rows,
    columns: joined.columns.map(column => {
      checkpoint()
      return pickRows(column, order)
    }),
  }
}

/** What is measured of joined predictions. */
export function readTested(table: Table): TestedRows {
  const { rows, columns } = table
  const prefix = 'probability_'
  const probabilities = columns.filter(({ name }) => name.startsWith(prefix))
  const classes = probabilities.map(({ name }) => name.slice(prefix.length))
  const symbols = textsOf(table, 'symbol')
  const names = [...new Set(symbols)]
  const outputs = new Float32Array(rows * Math.max(1, classes.length))
  const said = classes.length > 0 ? probabilities : [findColumn(table, 'predicted')]
  for (const [at, column] of said.entries()) {
    const values = numbersOf(column)
    for (let row = 0; row < rows; row++) outputs[row * said.length + at] = values[row] as number
  }
  const indexOf = (name: string) =>
    classes.length === 0
      ? numbersOf(findColumn(table, name))
      : Float64Array.from(textsOf(table, name), value => classes.indexOf(value))
  const symbolIndex = new Map(names.map((name, index) => [name, index]))
  return {
    ...{ rows, classes },
    symbol: Uint16Array.from(symbols, name => symbolIndex.get(name) ?? 0),
    fold: numbersOf(findColumn(table, 'fold')),
    time: numbersOf(findColumn(table, 'close_time')),
    labelEnd: numbersOf(findColumn(table, 'label_end')),
    label: indexOf('label'),
    ret: numbersOf(findColumn(table, 'return_fraction')),
    answers: { outputs, predicted: indexOf('predicted') },
  }
}

/** By symbol, then by time. @throws {Error} when a row is there twice: the folds overlap */
function orderRows(table: Table): Int32Array {
  const symbols = textsOf(table, 'symbol')
  const rank = new Map([...new Set(symbols)].sort().map((name, index) => [name, index]))
  const ranks = Int32Array.from(symbols, name => rank.get(name) ?? 0)
  const time = numbersOf(findColumn(table, 'close_time'))
  const order = Int32Array.from({ length: table.rows }, (_, row) => row)
  order.sort(
    (a, b) => (ranks[a] as number) - (ranks[b] as number) || (time[a] as number) - (time[b] as number),
  )
  for (let i = 1; i < order.length; i++) {
    const [a, b] = [order[i - 1] as number, order[i] as number]
    if (ranks[a] === ranks[b] && time[a] === time[b])
      throw new Error(`${symbols[a]} at ${time[a]} was tested twice`)
  }
  return order
}

function stackColumns(columns: readonly Column[]): Column {
  const [first] = columns
  if (first === undefined) throw new RangeError('there is no column to stack')
  if (first.kind === 'text') return { ...first, values: columns.flatMap(column => textValues(column)) }
  if (first.kind === 'boolean') throw noNumbers(first)
  const parts = columns.map(numbersOf)
  const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    values.set(part, at)
    at += part.length
  }
  return { ...first, values }
}

function pickRows(column: Column, order: Int32Array): Column {
  if (column.kind === 'text')
    return { ...column, values: Array.from(order, row => column.values[row] ?? null) }
  if (column.kind === 'boolean') throw noNumbers(column)
  return { ...column, values: Float64Array.from(order, row => column.values[row] as number) }
}

function findColumn({ columns }: Table, name: string): Column {
  const column = columns.find(known => known.name === name)
  if (column === undefined) throw new Error(`the predictions have no column ${name}`)
  return column
}

function numbersOf(column: Column): Float64Array {
  if (column.kind === 'text' || column.kind === 'boolean') throw noNumbers(column)
  return column.values
}

const noNumbers = ({ name }: Column): Error => new Error(`predictions have no numbers in ${name}`)

function textValues(column: Column): readonly (string | null)[] {
  if (column.kind !== 'text') throw new Error(`${column.name} has no texts`)
  return column.values
}

const textsOf = (table: Table, name: string): readonly string[] =>
  textValues(findColumn(table, name)).map(text => text ?? '')
