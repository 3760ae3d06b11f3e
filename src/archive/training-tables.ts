import type { EpochMetrics } from '../training/epoch-metrics.ts'
import type { Answers } from '../training/part-metrics.ts'
import type { Samples } from '../training/samples.ts'
import type { Column, Table } from './tables.ts'

const historyKinds = {
  epoch: { kind: 'integer' },
  train_loss: { kind: 'number' },
  train_accuracy: { kind: 'number', unit: 'fraction' },
  val_loss: { kind: 'number' },
  val_accuracy: { kind: 'number', unit: 'fraction' },
  learning_rate: { kind: 'number' },
  macro_f1: { kind: 'number', unit: 'fraction' },
  balanced_accuracy: { kind: 'number', unit: 'fraction' },
  mcc: { kind: 'number' },
  brier: { kind: 'number' },
  ece: { kind: 'number', unit: 'fraction' },
  gradient_norm: { kind: 'number' },
} as const satisfies Record<keyof EpochMetrics, { kind: 'integer' | 'number'; unit?: string }>

/** The artifact `history`: one row per epoch. What depends on the machine is in the metrics of the operation. */
export function historyTable(history: readonly EpochMetrics[]): Table {
  const names = Object.keys(historyKinds) as (keyof typeof historyKinds)[]
  return {
    rows: history.length,
    columns: names.map(name => ({
      name,
      ...historyKinds[name],
      values: Float64Array.from(history, epoch => epoch[name] ?? Number.NaN),
    })),
  }
}

/**
 * The artifact `predictions`: a row per sample that was measured, with what the model says.
 * @param rows row numbers of the samples, as many as there are answers
 */
export function predictionsTable(
  { symbols, symbol, time, labelEnd, label, ret, classes }: Samples,
  rows: Int32Array,
  { outputs, predicted }: Answers,
): Table {
  const of = (column: ArrayLike<number>) => Float64Array.from(rows, row => column[row] as number)
  const named = (values: Float64Array) => Array.from(values, value => classes[value] ?? null)
  const isClassified = classes.length > 0
  const said = (name: string, values: Float64Array): Column =>
    isClassified
      ? { name, kind: 'text', values: named(values) }
      : { name, kind: 'number', unit: 'fraction', values }
  const probabilities = classes.map(
    (name, at): Column => ({
      ...{ name: `probability_${name}`, kind: 'number', unit: 'fraction' },
      values: Float64Array.from(predicted, (_, row) => outputs[row * classes.length + at] as number),
    }),
  )
  return {
    rows: rows.length,
    columns: [
      { name: 'close_time', kind: 'time', values: of(time) },
      {
        name: 'symbol',
        kind: 'text',
        values: Array.from(rows, row => symbols[symbol[row] as number] ?? null),
      },
      said('label', of(label)),
      said('predicted', predicted),
      ...probabilities,
      { name: 'label_end', kind: 'time', values: of(labelEnd) },
      { name: 'return_fraction', kind: 'number', unit: 'fraction', values: of(ret) },
    ],
  }
}
