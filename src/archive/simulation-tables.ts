import type { Table } from './tables.ts'
import { metricColumns, type TrialRow } from './trial-tables.ts'

/** A run of a simulation and what it was. */
export type SimulationRow = Pick<TrialRow, 'index' | 'metrics'> & {
  readonly kind: string
  /** Of the costs. */
  readonly cost_factor: number
}

/** The artifact `simulations`: every run with its metrics, in the order they were planned. */
export function simulationsTable(rows: readonly SimulationRow[]): Table {
  return {
    rows: rows.length,
    columns: [
      { name: 'index', kind: 'integer', values: Float64Array.from(rows, ({ index }) => index) },
      { name: 'kind', kind: 'text', values: rows.map(({ kind }) => kind) },
      {
        name: 'cost_factor',
        kind: 'number',
        values: Float64Array.from(rows, ({ cost_factor }) => cost_factor),
      },
      ...metricColumns(rows),
    ],
  }
}
