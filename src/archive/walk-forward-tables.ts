import type { WalkForwardResult } from '../operations/walk-forward.ts'
import type { MeasuredWindow } from '../operations/walk-forward-report.ts'
import type { Walked } from '../research/walked.ts'
import { fieldColumn } from './sweep-tables.ts'
import type { Column, Table } from './tables.ts'
import { metricColumns } from './trial-tables.ts'

type Window = WalkForwardResult['windows'][number]

/** The artifact `windows`: one row per window, with the values that were best in training. */
export function walkWindowsTable(paths: readonly string[], windows: readonly Window[]): Table {
  const times = (name: string, timeOf: (window: Window) => string): Column => ({
    name,
    kind: 'time',
    values: Float64Array.from(windows, window => Date.parse(timeOf(window))),
  })
  const numbers = (
    name: 'in_sample' | 'out_of_sample' | 'efficiency' | 'test_return_fraction' | 'test_trades',
  ): Column => ({
    name,
    kind: 'number',
    values: Float64Array.from(windows, window => window[name] ?? Number.NaN),
  })
  return {
    rows: windows.length,
    columns: [
      { name: 'window', kind: 'integer', values: Float64Array.from(windows, ({ index }) => index) },
      times('train_start', ({ train }) => train.start),
      times('train_end', ({ train }) => train.end),
      times('test_start', ({ test }) => test.start),
      times('test_end', ({ test }) => test.end),
      ...paths.map(path =>
        fieldColumn(
          path,
          windows.map(({ values }) => values?.[path] ?? null),
        ),
      ),
      numbers('in_sample'),
      numbers('out_of_sample'),
      numbers('efficiency'),
      numbers('test_return_fraction'),
      numbers('test_trades'),
    ],
  }
}

/** The artifact `trials`: every trial of every window on its training bars. */
export function walkTrialsTable(paths: readonly string[], windows: readonly MeasuredWindow[]): Table {
  const rows = windows.flatMap(({ fold, trials }) => trials.map(trial => ({ ...trial, window: fold.index })))
  return {
    rows: rows.length,
    columns: [
      { name: 'window', kind: 'integer', values: Float64Array.from(rows, ({ window }) => window) },
      { name: 'index', kind: 'integer', values: Float64Array.from(rows, ({ index }) => index) },
      ...paths.map(path =>
        fieldColumn(
          path,
          rows.map(({ values }) => values[path] ?? null),
        ),
      ),
      { name: 'has_score', kind: 'boolean', values: rows.map(({ score }) => score !== null) },
      ...metricColumns(rows),
    ],
  }
}

/** The artifact `curves`: the equity of the tests, one after the other. */
export function walkCurveTable({ time, equity }: Walked): Table {
  return {
    rows: time.length,
    columns: [
      { name: 'time', kind: 'time', values: time },
      { name: 'equity', kind: 'number', unit: 'currency', values: equity },
    ],
  }
}
