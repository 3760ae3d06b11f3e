import { Problem } from '../problems.ts'

/** One feature on the bars of the base timeframe. */
export type FeatureColumn = {
  readonly id: string
  /** One per base bar, NaN where there is none. */
  readonly values: Float64Array
  /** Bars of its own timeframe before its first value, as its indicator declares them. */
  readonly lookback: number
}

export type MatrixRequest = {
  /** In canonical order. */
  readonly columns: readonly FeatureColumn[]
  /** Epoch ms UTC, open and close of every base bar, oldest first. */
  readonly bars: { readonly time: Float64Array; readonly close_time: Float64Array }
  /** Index of the first base bar wanted, 0 by default: earlier bars are there to warm indicators up. */
  readonly from?: number
  /** Called again and again during the work, every few milliseconds; it may throw to stop it. */
  readonly checkpoint?: () => void
}

/** Features of one symbol: rows are base bars, oldest first, and every cell is a finite number. */
export type FeatureMatrix = {
  readonly rows: number
  /** Ids of the columns, in canonical order. */
  readonly ids: readonly string[]
  /** Row-major, rows × ids: row r, column c is `values[r * ids.length + c]`. */
  readonly values: Float32Array
  /** Open time of every row's bar, epoch ms UTC. */
  readonly time: Float64Array
  /** Close time of every row's bar: when the row was known. */
  readonly close_time: Float64Array
  /** Index of every row's bar among the base bars: rows belong side by side only where it rises by 1. */
  readonly bar: Int32Array
  readonly dropped: DroppedBars
  readonly features: readonly FeatureStart[]
  readonly warnings: readonly string[]
}

/** Base bars without a row, by reason. */
export type DroppedBars = {
  /** Before `from`. */
  readonly pre_roll: number
  /** From there to the first bar on which every feature has a value. */
  readonly warm_up: number
  /** Later bars on which some feature has none. */
  readonly incomplete: number
}

/** What `explain` tells about a feature. */
export type FeatureStart = {
  readonly id: string
  readonly lookback: number
  /** Index of the first base bar with a value, null when no bar has one. */
  readonly first_usable_bar: number | null
  /** Its missing values after the warm-up: they cost the row for all features. */
  readonly missing_bars: number
}

/** Rows filled at a time: small enough that a block of any strategy's columns stays in the cache. */
const blockRows = 256

/**
 * Puts columns side by side and keeps the bars on which every feature is known. A missing value is never replaced:
 * leading bars are counted as warm-up, later ones as incomplete, with a warning. A row holds what its bar's close
 * knew; deleting later bars leaves it as it is, bit for bit.
 * @throws {Problem} 'params-invalid' without columns, with an id twice, or when a value is beyond float32
 * @throws {RangeError} when a column and the bars differ in length, or `from` is not a bar
 */
export function assembleFeatures(request: MatrixRequest): FeatureMatrix {
  const { columns, bars, from = 0, checkpoint = () => {} } = request
  checkRequest(columns, bars, from)
  const total = bars.time.length
  const complete = findCompleteBars(columns, total, checkpoint)
  const firstComplete = complete.indexOf(1, from)
  const first = firstComplete < 0 ? total : firstComplete
  const bar = barsThatAre(1, complete, first)
  const incomplete = barsThatAre(0, complete, first)
  const features = columns.map(column => {
    checkpoint()
    return describeStart(column, incomplete)
  })
  const dropped = { pre_roll: from, warm_up: first - from, incomplete: incomplete.length }
  return {
    rows: bar.length,
    ids: columns.map(column => column.id),
    values: fillRows(columns, bar, checkpoint),
    time: Float64Array.from(bar, i => bars.time[i] as number),
    close_time: Float64Array.from(bar, i => bars.close_time[i] as number),
    bar,
    dropped,
    features,
    warnings: warnAbout({ rows: bar.length, dropped, features }),
  }
}

function checkRequest(columns: readonly FeatureColumn[], bars: MatrixRequest['bars'], from: number): void {
  const total = bars.time.length
  if (!Number.isInteger(from) || from < 0 || from > total)
    throw new RangeError(`there is no bar ${from} of ${total}`)
  for (const { id, length } of [
    { id: 'close_time', length: bars.close_time.length },
    ...columns.map(({ id, values }) => ({ id, length: values.length })),
  ]) {
    if (length !== total) throw new RangeError(`${id} has ${length} values for ${total} bars`)
  }
  if (columns.length === 0) throw new Problem('params-invalid', 'a feature matrix needs at least one feature')
  const ids = columns.map(column => column.id)
  const repeated = ids.find((id, i) => ids.indexOf(id) < i)
  if (repeated !== undefined) throw new Problem('params-invalid', `the feature ${repeated} occurs twice`)
}

/** 1 on bars where no column is NaN. */
function findCompleteBars(
  columns: readonly FeatureColumn[],
  total: number,
  checkpoint: () => void,
): Uint8Array {
  const complete = new Uint8Array(total).fill(1)
  for (const { values } of columns) {
    checkpoint()
    for (let i = 0; i < total; i++) {
      if (Number.isNaN(values[i] as number)) complete[i] = 0
    }
  }
  return complete
}

/** Indexes from `first` on of the bars that are complete (1) or not (0). */
function barsThatAre(state: 0 | 1, complete: Uint8Array, first: number): Int32Array {
  let count = 0
  for (let i = first; i < complete.length; i++) if (complete[i] === state) count++
  const bars = new Int32Array(count)
  let at = 0
  for (let i = first; i < complete.length; i++) if (complete[i] === state) bars[at++] = i
  return bars
}

function fillRows(columns: readonly FeatureColumn[], bar: Int32Array, checkpoint: () => void): Float32Array {
  const width = columns.length
  const values = new Float32Array(bar.length * width)
  for (let start = 0; start < bar.length; start += blockRows) {
    checkpoint()
    const rows = bar.subarray(start, start + blockRows)
    columns.forEach((column, at) => {
      fillCells(column.values, rows, { values, at: start * width + at, width })
    })
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw tooLarge(columns, bar, i)
  }
  return values
}

/** Writes one column's values at `rows` to every `width`-th cell from `at`. */
function fillCells(
  column: Float64Array,
  rows: Int32Array,
  { values, at, width }: { values: Float32Array; at: number; width: number },
): void {
  let cell = at
  for (let i = 0; i < rows.length; i++, cell += width) {
    // Adding 0 turns −0 into 0, so that equal rows have equal bytes; rounding may give −0, so it comes first.
    values[cell] = Math.fround(column[rows[i] as number] as number) + 0
  }
}

function tooLarge(columns: readonly FeatureColumn[], bar: Int32Array, index: number): Problem {
  const column = columns[index % columns.length]
  const at = bar[Math.floor(index / columns.length)] ?? 0
  return new Problem(
    'params-invalid',
    `${column?.id} is ${column?.values[at]} on bar ${at}: too large for float32`,
    {
      hint: 'Normalise the feature, for example with normalization: zscore, or correct the bar.',
    },
  )
}

function describeStart({ id, lookback, values }: FeatureColumn, incomplete: Int32Array): FeatureStart {
  const first = values.findIndex(value => !Number.isNaN(value))
  let missing = 0
  for (const i of incomplete) if (Number.isNaN(values[i])) missing++
  return { id, lookback, first_usable_bar: first < 0 ? null : first, missing_bars: missing }
}

function warnAbout(matrix: Pick<FeatureMatrix, 'rows' | 'dropped' | 'features'>): string[] {
  const { rows, dropped, features } = matrix
  if (rows === 0) {
    const never = features.filter(feature => feature.first_usable_bar === null).map(feature => feature.id)
    const why =
      never.length === 0 ? 'the bars end within the warm-up' : `no value at all: ${never.join(', ')}`
    return [`no bar has a value for every feature: ${why}`]
  }
  if (dropped.incomplete === 0) return []
  const missing = features
    .filter(feature => feature.missing_bars > 0)
    .map(feature => `${feature.id} on ${feature.missing_bars}`)
  return [
    `${dropped.incomplete} bars after the warm-up are left out because a feature has no value there: ${missing.join(', ')}`,
  ]
}
