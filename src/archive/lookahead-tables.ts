import type { Finding } from '../lookahead/findings.ts'
import type { WarmupColumn } from '../lookahead/warmup-verdict.ts'
import type { Column, Table } from './tables.ts'

/** The artifact `findings`: one row per column that looks ahead or reads one that does, roots first. */
export function findingsTable(findings: readonly Finding[]): Table {
  const text = textOf(findings)
  const number = numberOf(findings)
  return {
    rows: findings.length,
    columns: [
      text('column', ({ name }) => name),
      text('kind', ({ kind }) => kind),
      text('symbol', ({ symbol }) => symbol),
      text('timeframe', ({ timeframe }) => timeframe),
      text('role', ({ role }) => role),
      text('because_of', ({ because_of }) => because_of.join('; ')),
      time(
        'cut_time',
        findings.map(({ first }) => first.cut_time),
      ),
      time(
        'bar_time',
        findings.map(({ first }) => first.bar_time),
      ),
      number('value', ({ first }) => first.whole),
      number('truncated_value', ({ first }) => first.truncated),
      number('bars_ahead', ({ bars_back }) => bars_back + 1, 'bar'),
      number('bars_differing', ({ bars_differing }) => bars_differing, 'bar'),
      number('cuts_differing', ({ cuts_differing }) => cuts_differing),
      number('largest_difference', ({ largest_difference }) => largest_difference),
      text('reading', ({ reading }) => reading),
    ],
  }
}

/** The artifact `columns`: one row per column of the strategy, those with a flag first. */
export function warmupColumnsTable(columns: readonly WarmupColumn[]): Table {
  const text = textOf(columns)
  const number = numberOf(columns)
  return {
    rows: columns.length,
    columns: [
      text('column', ({ name }) => name),
      text('kind', ({ kind }) => kind),
      text('symbol', ({ symbol }) => symbol),
      text('timeframe', ({ timeframe }) => timeframe),
      text('flag', ({ flag }) => flag),
      number('lookback_bars', ({ lookback }) => lookback, 'bar'),
      number('stable_after_bars', ({ stable_after }) => stable_after, 'bar'),
      number('settled_from_bars', ({ settled_from }) => settled_from, 'bar'),
    ],
  }
}

/** The artifact `lengths`: one row per column and length of history, columns in the order of `columns`. */
export function warmupLengthsTable(columns: readonly WarmupColumn[]): Table {
  const rows = columns.flatMap(column => column.lengths.map(length => ({ column, length })))
  const text = textOf(rows)
  const number = numberOf(rows)
  return {
    rows: rows.length,
    columns: [
      text('column', ({ column }) => column.name),
      text('kind', ({ column }) => column.kind),
      text('symbol', ({ column }) => column.symbol),
      text('timeframe', ({ column }) => column.timeframe),
      number('history_bars', ({ length }) => length.history_bars, 'bar'),
      number('compared', ({ length }) => length.compared),
      number('changed', ({ length }) => length.changed),
      number('missing', ({ length }) => length.missing),
      number('largest_relative_difference', ({ length }) => length.largest_relative_difference, 'fraction'),
    ],
  }
}

function time(name: string, values: readonly number[]): Column {
  return { name, kind: 'time', values: Float64Array.from(values) }
}

const textOf =
  <Row>(rows: readonly Row[]) =>
  (name: string, read: (row: Row) => string): Column => ({ name, kind: 'text', values: rows.map(read) })

const numberOf =
  <Row>(rows: readonly Row[]) =>
  (name: string, read: (row: Row) => number | null, unit?: string): Column => ({
    name,
    kind: 'number',
    ...(unit === undefined ? {} : { unit }),
    values: Float64Array.from(rows, row => read(row) ?? Number.NaN),
  })
