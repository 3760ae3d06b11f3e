import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MetricName, metricDefinitions, metricNames } from '../backtest/metric-definitions.ts'
import type { FieldValues } from '../search/field-path.ts'
import { attemptFolder, checkedName } from './layout.ts'
import { type Column, decodeTable, type Table } from './tables.ts'

/** A trial as its batch leaves it: `variant` is its place in the batch. */
export type TrialRow = {
  readonly variant: number
  readonly index: number
  readonly values: FieldValues
  /** Why it was not run, or null. */
  readonly invalid: string | null
  /** Null when it was not run. */
  readonly metrics: Readonly<Record<MetricName, number | null>> | null
}

/** Sums of the returns of a trial over blocks of time. */
export type BlocksRow = {
  readonly index: number
  readonly periods: number
  readonly sum: Float64Array
  readonly square: Float64Array
}

/** A point of the equity of a variant. */
export type CurveColumns = {
  readonly variant: Float64Array
  readonly index: Float64Array
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly return_fraction: Float64Array
}

/** The artifact `trials` of a batch. */
export function trialRowsTable(rows: readonly TrialRow[]): Table {
  return {
    rows: rows.length,
    columns: [
      integers(
        'variant',
        rows.map(({ variant }) => variant),
      ),
      integers(
        'index',
        rows.map(({ index }) => index),
      ),
      { name: 'values', kind: 'text', values: rows.map(({ values }) => JSON.stringify(values)) },
      { name: 'invalid', kind: 'text', values: rows.map(({ invalid }) => invalid) },
      ...metricColumns(rows),
    ],
  }
}

/** One column per metric, with its unit; null where it is not defined. */
export function metricColumns(rows: readonly Pick<TrialRow, 'metrics'>[]): Column[] {
  return metricNames.map(name => {
    const { unit } = metricDefinitions[name]
    const values = Float64Array.from(rows, ({ metrics }) => metrics?.[name] ?? Number.NaN)
    return { name, kind: 'number', unit, values }
  })
}

export function readTrialRows(table: Table): readonly TrialRow[] {
  const [variant, index] = [numbersOf(table, 'variant'), numbersOf(table, 'index')]
  const [values, invalid] = [textsOf(table, 'values'), textsOf(table, 'invalid')]
  const metrics = metricNames.map(name => [name, numbersOf(table, name)] as const)
  return Array.from({ length: table.rows }, (_, row) => ({
    variant: variant[row] as number,
    index: index[row] as number,
    values: JSON.parse(values[row] ?? '{}') as FieldValues,
    invalid: invalid[row] ?? null,
    metrics:
      invalid[row] == null
        ? (Object.fromEntries(
            metrics.map(([name, column]) => [name, nullIfNaN(column[row] as number)]),
          ) as TrialRow['metrics'])
        : null,
  }))
}

/** The artifact `blocks` of a batch: trials with returns. Those with fewer blocks have null in the last columns. */
export function blocksTable(rows: readonly BlocksRow[]): Table {
  const blocks = rows.reduce((most, { sum }) => Math.max(most, sum.length), 0)
  const column = (kind: 'sum' | 'square', block: number): Column => ({
    name: `${kind}_${block}`,
    kind: 'number',
    values: Float64Array.from(rows, row => row[kind][block] ?? Number.NaN),
  })
  return {
    rows: rows.length,
    columns: [
      integers(
        'index',
        rows.map(({ index }) => index),
      ),
      integers(
        'periods',
        rows.map(({ periods }) => periods),
      ),
      ...Array.from({ length: blocks }, (_, block) => [column('sum', block), column('square', block)]).flat(),
    ],
  }
}

export function readBlocks(table: Table): readonly BlocksRow[] {
  const [index, periods] = [numbersOf(table, 'index'), numbersOf(table, 'periods')]
  const columns = (kind: 'sum' | 'square') =>
    table.columns.filter(({ name }) => name.startsWith(`${kind}_`)).map(({ name }) => numbersOf(table, name))
  const [sums, squares] = [columns('sum'), columns('square')]
  return Array.from({ length: table.rows }, (_, row) => ({
    index: index[row] as number,
    periods: periods[row] as number,
    sum: Float64Array.from(sums, column => column[row] as number).filter(isNumber),
    square: Float64Array.from(squares, column => column[row] as number).filter(isNumber),
  }))
}

/** The artifact `curves` of a batch. */
export function curvesTable(columns: CurveColumns): Table {
  const { variant, index, time, equity, return_fraction } = columns
  return {
    rows: time.length,
    columns: [
      { name: 'variant', kind: 'integer', values: variant },
      { name: 'index', kind: 'integer', values: index },
      { name: 'time', kind: 'time', values: time },
      { name: 'equity', kind: 'number', unit: 'currency', values: equity },
      { name: 'return_fraction', kind: 'number', unit: 'fraction', values: return_fraction },
    ],
  }
}

export function readCurves(table: Table): CurveColumns {
  return {
    variant: numbersOf(table, 'variant'),
    index: numbersOf(table, 'index'),
    time: numbersOf(table, 'time'),
    equity: numbersOf(table, 'equity'),
    return_fraction: numbersOf(table, 'return_fraction'),
  }
}

/** The artifact `trade_profits` of a batch. @param variants net P&L of the closed trades of each */
export function tradeProfitsTable(
  variants: readonly { readonly variant: number; readonly net_pnl: Float64Array }[],
): Table {
  const profits = variants.flatMap(({ variant, net_pnl }) => Array.from(net_pnl, pnl => ({ variant, pnl })))
  return {
    rows: profits.length,
    columns: [
      { name: 'variant', kind: 'integer', values: Float64Array.from(profits, ({ variant }) => variant) },
      {
        name: 'net_pnl',
        kind: 'number',
        unit: 'currency',
        values: Float64Array.from(profits, ({ pnl }) => pnl),
      },
    ],
  }
}

/** Net P&L of the trades of one variant. */
export function readTradeProfits(table: Table, wanted: number): Float64Array {
  const variant = numbersOf(table, 'variant')
  return numbersOf(table, 'net_pnl').filter((_, row) => variant[row] === wanted)
}

/** A table that a child has stored. Blocks: for worker threads. */
export function readChildTable(
  home: string,
  { operation_id, attempt }: { readonly operation_id: string; readonly attempt: number },
  name: string,
): Table {
  const path = join(attemptFolder(home, operation_id, attempt), checkedName('artifact', `${name}.arrow`))
  return decodeTable(readFileSync(path))
}

function integers(name: string, values: readonly number[]): Column {
  return { name, kind: 'integer', values: Float64Array.from(values) }
}

function numbersOf(table: Table, name: string): Float64Array {
  const column = table.columns.find(one => one.name === name)
  if (column === undefined || column.kind === 'text' || column.kind === 'boolean')
    throw new Error(`the table has no numbers ${name}`)
  return column.values
}

function textsOf(table: Table, name: string): readonly (string | null)[] {
  const column = table.columns.find(one => one.name === name)
  if (column?.kind !== 'text') throw new Error(`the table has no texts ${name}`)
  return column.values
}

const isNumber = (value: number): boolean => !Number.isNaN(value)
const nullIfNaN = (value: number): number | null => (Number.isNaN(value) ? null : value)
