import type { FeatureMatrix } from '../features/feature-matrix.ts'
import type { Labels } from '../labels/label-columns.ts'
import type { Bars } from '../market/bars.ts'
import { formatTime } from '../market/bars.ts'
import { Problem } from '../problems.ts'

/** Rows written between two checkpoints. */
const chunkRows = 16_384

/** One symbol to learn from: its base bars, and the features and labels made of these very bars. */
export type SymbolRows = {
  readonly symbol: string
  readonly bars: Pick<Bars, 'length' | 'close_time'>
  readonly features: FeatureMatrix
  readonly labels: Labels
}

/**
 * Rows for a model: the bars that have both every feature and a label. Symbols follow each other in code-unit order of
 * their names, the rows of one are oldest first.
 */
export type Samples = {
  readonly rows: number
  readonly kind: Labels['kind']
  /** Names by class index; empty for regression. */
  readonly classes: readonly string[]
  readonly symbols: readonly string[]
  /** Ids of the features, in canonical order. */
  readonly ids: readonly string[]
  /** Row-major, rows × ids. */
  readonly features: Float32Array
  /** Index into `symbols`. */
  readonly symbol: Uint16Array
  /** Index of the row's bar among the base bars of its symbol. */
  readonly bar: Int32Array
  /** Close time of the row's bar, epoch ms UTC: when its features are known and its label begins. */
  readonly time: Float64Array
  /** Class index or return. */
  readonly label: Float64Array
  /** Close time of the bar at which the label is known, > `time`. */
  readonly labelEnd: Float64Array
  /** Return from `time` to `labelEnd`, as a fraction. */
  readonly ret: Float64Array
  /** Mean 1 over all rows; null: all count alike. */
  readonly weight: Float32Array | null
  /** Bars that are no rows, over all symbols. */
  readonly left_out: {
    /** With features but no label: not known yet, no event, or its measure was warming up. */
    readonly without_label: number
    /** With a label but not every feature. */
    readonly without_features: number
  }
}

/**
 * Joins features and labels by symbol and bar; a bar that lacks either is left out, and nothing moves into its place.
 * @param parts one per symbol, in any order  @param checkpoint called every few milliseconds; it may throw to stop
 * @throws {Problem} 'params-invalid' without symbols, with one twice, when features or classes differ between symbols,
 * or when no bar has both features and label
 * @throws {RangeError} when labels or features were made of other bars than those given
 */
export function joinSamples(parts: readonly SymbolRows[], checkpoint: () => void = () => {}): Samples {
  const sorted = [...parts].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))
  const first = checkParts(sorted, checkpoint)
  const chosen = sorted.map(part => {
    checkpoint()
    return chooseRows(part)
  })
  const rows = chosen.reduce((sum, kept) => sum + kept.length, 0)
  if (rows === 0) throw nothingToLearn(sorted)
  const width = first.features.ids.length
  const samples = {
    rows,
    kind: first.labels.kind,
    classes: first.labels.classes,
    symbols: sorted.map(part => part.symbol),
    ids: first.features.ids,
    features: new Float32Array(rows * width),
    symbol: new Uint16Array(rows),
    bar: new Int32Array(rows),
    time: new Float64Array(rows),
    label: new Float64Array(rows),
    labelEnd: new Float64Array(rows),
    ret: new Float64Array(rows),
    weight: first.labels.weight === null ? null : new Float32Array(rows),
    left_out: countLeftOut(sorted, rows),
  }
  let row = 0
  for (const [symbol, part] of sorted.entries()) {
    const kept = chosen[symbol] as Int32Array
    for (let from = 0; from < kept.length; from += chunkRows) {
      checkpoint()
      row = writeRows(samples, part, { kept: kept.subarray(from, from + chunkRows), symbol, row })
    }
  }
  if (samples.weight !== null) scaleToMeanOne(samples.weight)
  return samples
}

/**
 * Weights of some rows, scaled to mean 1 among them, so that a part weighs as much as its rows; null where all rows
 * count alike. @param rows at least one
 */
export function weightsOf({ weight }: Samples, rows: Int32Array): Float32Array | null {
  if (weight === null) return null
  const chosen = Float32Array.from(rows, row => weight[row] as number)
  scaleToMeanOne(chosen)
  return chosen
}

function checkParts(parts: readonly SymbolRows[], checkpoint: () => void): SymbolRows {
  const [first] = parts
  if (first === undefined) throw new Problem('params-invalid', 'there is no symbol to learn from')
  for (const [i, part] of parts.entries()) {
    const { symbol, features, labels } = part
    if (i > 0 && parts[i - 1]?.symbol === symbol)
      throw new Problem('params-invalid', `the symbol ${symbol} occurs twice`)
    checkpoint()
    checkBars(part)
    const isAlike =
      String(features.ids) === String(first.features.ids) &&
      String(labels.classes) === String(first.labels.classes) &&
      labels.kind === first.labels.kind &&
      (labels.weight === null) === (first.labels.weight === null)
    if (!isAlike) {
      throw new Problem(
        'params-invalid',
        `${symbol} and ${first.symbol} differ in their features or labels`,
        {
          hint: 'All symbols of a model have the same features in the same order and labels of the same source.',
        },
      )
    }
  }
  return first
}

/** Positions mean nothing between columns of different bars. */
function checkBars({ symbol, bars, features, labels }: SymbolRows): void {
  if (labels.value.length !== bars.length)
    throw new RangeError(`${symbol} has ${labels.value.length} labels for ${bars.length} bars`)
  for (let row = 0; row < features.rows; row++) {
    const own = features.close_time[row] as number
    const at = bars.close_time[features.bar[row] as number]
    if (own === at) continue
    const other = at === undefined ? 'missing' : `closed at ${formatTime(at)}`
    throw new RangeError(`the features of ${symbol} at ${formatTime(own)} are of a bar that is ${other}`)
  }
}

/** Rows of the feature matrix whose bar has a label. */
function chooseRows({ features, labels }: SymbolRows): Int32Array {
  const chosen = new Int32Array(features.rows)
  let count = 0
  for (let row = 0; row < features.rows; row++) {
    if (!Number.isNaN(labels.value[features.bar[row] as number] as number)) chosen[count++] = row
  }
  return chosen.subarray(0, count)
}

function countLeftOut(parts: readonly SymbolRows[], rows: number): Samples['left_out'] {
  let featured = 0
  let labelled = 0
  for (const { features, labels } of parts) {
    featured += features.rows
    for (let t = 0; t < labels.value.length; t++) if (!Number.isNaN(labels.value[t])) labelled++
  }
  return { without_label: featured - rows, without_features: labelled - rows }
}

/** @returns the row after the last one written */
function writeRows(
  samples: Samples,
  { bars, features, labels }: SymbolRows,
  { kept, symbol, row: start }: { kept: Int32Array; symbol: number; row: number },
): number {
  const width = samples.ids.length
  let row = start
  for (const from of kept) {
    const bar = features.bar[from] as number
    const cell = from * width
    for (let column = 0; column < width; column++)
      samples.features[row * width + column] = features.values[cell + column] as number
    samples.symbol[row] = symbol
    samples.bar[row] = bar
    samples.time[row] = bars.close_time[bar] as number
    samples.label[row] = labels.value[bar] as number
    samples.labelEnd[row] = bars.close_time[labels.t1[bar] as number] as number
    samples.ret[row] = labels.ret[bar] as number
    if (samples.weight !== null) samples.weight[row] = labels.weight?.[bar] as number
    row++
  }
  return row
}

function scaleToMeanOne(weights: Float32Array): void {
  let total = 0
  for (let i = 0; i < weights.length; i++) total += weights[i] as number
  for (let i = 0; i < weights.length; i++) weights[i] = ((weights[i] as number) * weights.length) / total
}

function nothingToLearn(parts: readonly SymbolRows[]): Problem {
  const said = parts.slice(0, 5).map(({ symbol, bars, features, labels }) => {
    const labelled = labels.value.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)
    return `${symbol}: ${bars.length} bars, ${features.rows} with features, ${labelled} with labels`
  })
  return new Problem('params-invalid', `no bar has both features and a label: ${said.join('; ')}`, {
    hint: 'Use a longer range, or features and labels that need fewer bars: `explain` says how many features need.',
  })
}
