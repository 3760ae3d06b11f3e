import type { Labels } from './label-columns.ts'

/** What the labels of one symbol look like. */
export type LabelReport = {
  readonly bars: number
  readonly labelled: number
  /** Bars from a label's bar to the one it is known at; null without labels. */
  readonly mean_label_bars: number | null
  /** Of `ret`, over all labels. */
  readonly mean_return_fraction: number | null
  /** By class index; empty for regression. */
  readonly classes: readonly ClassReport[]
  /**
   * Where the label goes when it changes from one labelled bar to the next: row from, column to. Rows add up to 1, a
   * class that is never left has a row of zeros.
   */
  readonly transitions: readonly (readonly number[])[]
}

export type ClassReport = {
  readonly name: string
  readonly count: number
  readonly share_fraction: number
  /** Labelled bars in a row with this class; null where it does not occur. */
  readonly mean_run_bars: number | null
  /** Of `ret`; null where the class does not occur. */
  readonly mean_return_fraction: number | null
}

/** Bars without a label are passed over: runs and changes go from one labelled bar to the next. */
export function reportLabels(labels: Labels): LabelReport {
  const { classes, value, t0, t1, ret } = labels
  const counts = classes.map(() => ({ count: 0, runs: 0, returned: 0 }))
  const changes = classes.map(() => classes.map(() => 0))
  let labelled = 0
  let lengths = 0
  let returned = 0
  let previous = -1
  for (let t = 0; t < value.length; t++) {
    if (Number.isNaN(value[t])) continue
    labelled++
    lengths += (t1[t] as number) - (t0[t] as number)
    returned += ret[t] as number
    const own = counts[value[t] as number]
    if (labels.kind === 'regression' || own === undefined) continue
    const index = value[t] as number
    own.count++
    own.returned += ret[t] as number
    if (index !== previous) own.runs++
    const row = changes[previous]
    if (row !== undefined && index !== previous) row[index] = (row[index] ?? 0) + 1
    previous = index
  }
  return {
    bars: value.length,
    labelled,
    mean_label_bars: divide(lengths, labelled),
    mean_return_fraction: divide(returned, labelled),
    classes: classes.map((name, i) => describeClass(name, counts[i], labelled)),
    transitions: changes.map(row => {
      const total = row.reduce((sum, count) => sum + count, 0)
      return row.map(count => (total === 0 ? 0 : count / total))
    }),
  }
}

function describeClass(
  name: string,
  { count, runs, returned } = { count: 0, runs: 0, returned: 0 },
  labelled: number,
): ClassReport {
  return {
    name,
    count,
    share_fraction: labelled === 0 ? 0 : count / labelled,
    mean_run_bars: divide(count, runs),
    mean_return_fraction: divide(returned, count),
  }
}

function divide(sum: number, count: number): number | null {
  return count === 0 ? null : sum / count
}
