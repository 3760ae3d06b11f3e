import type { Bars } from '../market/bars.ts'

/** What a model learns from the bars of one symbol: one element per bar in every column. */
export type Labels = LabelColumns & {
  readonly kind: 'classification' | 'regression'
  /** Names by class index; empty for regression. */
  readonly classes: readonly string[]
  /** How little a label overlaps with others, mean 1 over the labels, NaN where there is none; null: all count alike. */
  readonly weight: Float64Array | null
}

export type LabelColumns = {
  /** Class index or return; NaN where the bar has no label. */
  readonly value: Float64Array
  /** Bar at whose close the label begins: the bar itself. */
  readonly t0: Int32Array
  /** Last bar the label depends on: at its close, and no earlier, the label is known. −1 where there is none. */
  readonly t1: Int32Array
  /** Return from the close of `t0` to the close of `t1`, as a fraction; NaN where there is no label. */
  readonly ret: Float64Array
}

/** Called every few milliseconds; it may throw to stop the work. */
export type Checkpoint = () => void

/** Classes of the labels that trade, in the order of their indexes. */
export const tradeClasses = ['buy', 'hold', 'sell'] as const

export const buy = 0
export const hold = 1
export const sell = 2

/** Bars between two checkpoints of a pass that does little per bar. */
export const checkpointBars = 16_384

/** Columns without any label. */
export function createColumns(length: number): LabelColumns {
  return {
    value: new Float64Array(length).fill(Number.NaN),
    t0: Int32Array.from({ length }, (_, i) => i),
    t1: new Int32Array(length).fill(-1),
    ret: new Float64Array(length).fill(Number.NaN),
  }
}

/** Gives bar `t` a label that is known at the close of bar `t1`. */
export function writeLabel(
  { value, t1, ret }: LabelColumns,
  { close }: Pick<Bars, 'close'>,
  label: { readonly t: number; readonly t1: number; readonly value: number },
): void {
  value[label.t] = label.value
  t1[label.t] = label.t1
  ret[label.t] = (close[label.t1] as number) / (close[label.t] as number) - 1
}
