import type { MetricName } from '../backtest/metric-definitions.ts'
import type { FieldValue } from '../search/field-path.ts'
import type { Heatmap } from '../search/heatmap.ts'
import { metricOf } from '../search/objective.ts'
import type { Column, Table } from './tables.ts'
import { type CurveColumns, metricColumns, type TrialRow } from './trial-tables.ts'

/** A trial with what it is worth. */
export type SweepRow = TrialRow & { readonly score: number | null }

/** The artifact `trials` of a sweep: every trial with its values and metrics, in the order they were planned. */
export function sweepTrialsTable(paths: readonly string[], rows: readonly SweepRow[]): Table {
  return {
    rows: rows.length,
    columns: [
      { name: 'index', kind: 'integer', values: Float64Array.from(rows, ({ index }) => index) },
      ...paths.map(path =>
        fieldColumn(
          path,
          rows.map(({ values }) => values[path] ?? null),
        ),
      ),
      { name: 'invalid', kind: 'text', values: rows.map(({ invalid }) => invalid) },
      { name: 'has_score', kind: 'boolean', values: rows.map(({ score }) => score !== null) },
      ...metricColumns(rows),
    ],
  }
}

/** The artifact `curves` of a sweep. @param isOutside whether a variant ran on the part that was held out */
export function sweepCurvesTable(
  { variant, index, time, equity }: CurveColumns,
  isOutside: (variant: number) => boolean,
): Table {
  return {
    rows: time.length,
    columns: [
      { name: 'index', kind: 'integer', values: index },
      {
        name: 'sample',
        kind: 'text',
        values: Array.from(variant, one => (isOutside(one) ? 'out_of_sample' : 'in_sample')),
      },
      { name: 'time', kind: 'time', values: time },
      { name: 'equity', kind: 'number', unit: 'currency', values: equity },
    ],
  }
}

/** The artifact `heatmaps` of a sweep: one row per cell with a trial. */
export function heatmapsTable(maps: readonly Heatmap[], metric: MetricName): Table {
  const rows = maps.flatMap(({ x, y, cells }) =>
    cells.map(cell => ({
      ...cell,
      paths: [x.path, y.path] as const,
      values: [x.values[cell.x], y.values[cell.y]] as const,
    })),
  )
  const numbers = (name: string, kind: 'integer' | 'number', values: readonly (number | null)[]): Column => ({
    name,
    kind,
    values: Float64Array.from(values, value => value ?? Number.NaN),
  })
  const inMetric = (score: number | null) => (score === null ? null : metricOf(score, metric))
  return {
    rows: rows.length,
    columns: [
      { name: 'x_path', kind: 'text', values: rows.map(({ paths }) => paths[0]) },
      { name: 'y_path', kind: 'text', values: rows.map(({ paths }) => paths[1]) },
      numbers(
        'x',
        'integer',
        rows.map(({ x }) => x),
      ),
      numbers(
        'y',
        'integer',
        rows.map(({ y }) => y),
      ),
      { name: 'x_value', kind: 'text', values: rows.map(({ values }) => String(values[0])) },
      { name: 'y_value', kind: 'text', values: rows.map(({ values }) => String(values[1])) },
      numbers(
        'trials',
        'integer',
        rows.map(({ trials }) => trials),
      ),
      numbers(
        'best',
        'number',
        rows.map(({ best }) => inMetric(best)),
      ),
      numbers(
        'median',
        'number',
        rows.map(({ median }) => inMetric(median)),
      ),
    ],
  }
}

/** A column of numbers, flags or texts, whichever fits all values. */
export function fieldColumn(name: string, values: readonly (FieldValue | null)[]): Column {
  if (values.every(value => typeof value === 'number'))
    return { name, kind: 'number', values: Float64Array.from(values) }
  if (values.every(value => typeof value === 'boolean')) return { name, kind: 'boolean', values }
  return { name, kind: 'text', values: values.map(value => (value === null ? null : String(value))) }
}
