import { type Advance, columnOf, type IndicatorInput, type OutputColumns } from '../indicators/indicator.ts'
import type { ColumnCache } from './column-cache.ts'
import { calculationKey, type SessionBars } from './pipeline-columns.ts'
import {
  type FeatureRecipe,
  type ReferredOutput,
  resolveReference,
  sourceReference,
} from './pipeline-recipe.ts'

/** The part of a column that is at hand: `values[k]` is that of bar `first + k`. Not to be written to. */
export type ColumnWindow = { readonly values: Float64Array; first: number }

/** Bars that are calculated at a time: what they take stays in the processor's cache until it has been read. */
export const streamedBars = 4096

/**
 * Indicators on the bars of one timeframe, some bars at a time, for those who look at each value once: nothing is
 * written that is as long as the bars, but where a cache keeps it. The same bits as `IndicatorColumns` gives, and the
 * value at bar i depends on bars 0..i only.
 */
export class ColumnStream {
  private readonly recipe: Pick<FeatureRecipe, 'indicators'>
  private readonly bars: SessionBars
  private readonly cache: ColumnCache | null
  private readonly streamed = new Map<string, StreamedIndicator>()
  private at = 0

  /** @param cache shared with other recipes on the same bars: gives what it has, and keeps whole columns of the rest */
  constructor(
    recipe: Pick<FeatureRecipe, 'indicators'>,
    bars: SessionBars,
    cache: ColumnCache | null = null,
  ) {
    this.recipe = recipe
    this.bars = bars
    this.cache = cache
  }

  /** The window of an indicator's id or `id.output`. To be asked for before the first bars are. */
  open(reference: string): ColumnWindow {
    const referred = resolveReference(this.recipe, reference)
    const known = this.streamed.get(referred.id) ?? this.begin(referred)
    return known.window(referred.output.name)
  }

  /** Moves every window on by at most `streamedBars`. It then holds these bars, and the one before them. @returns the bars */
  advance(): { readonly from: number; readonly to: number } {
    const { bars, at: from } = this
    const to = Math.min(bars.length, from + streamedBars)
    const input = cutInput(bars, from, to)
    for (const indicator of this.streamed.values()) indicator.advance(input, from)
    this.at = to
    return { from, to }
  }

  /** Gives the cache what was calculated. To be called after the last bars. */
  keep(): void {
    for (const indicator of this.streamed.values()) indicator.keep()
  }

  /** What an indicator reads stands before it in the map. */
  private begin(referred: ReferredOutput): StreamedIndicator {
    const { bars, cache, recipe } = this
    const key = calculationKey(recipe, referred)
    const kept = cache?.find(bars, key) ?? null
    const source = kept === null ? sourceReference(referred) : null
    const indicator = new StreamedIndicator(referred, {
      kept,
      whole:
        kept === null && cache !== null ? cache.allocate(referred.spec.outputs.length, bars.length) : null,
      source: source === null ? null : this.open(source),
      keep: columns => cache?.keep(bars, key, columns),
    })
    this.streamed.set(referred.id, indicator)
    return indicator
  }
}

type Given = {
  /** What was calculated before; null: it is to be calculated. */
  readonly kept: OutputColumns | null
  /** Columns as long as the bars to calculate into, one per output; null: only what is at hand is wanted. */
  readonly whole: readonly Float64Array[] | null
  /** What it reads instead of prices, calculated before it. */
  readonly source: ColumnWindow | null
  readonly keep: (columns: OutputColumns) => void
}

/** One indicator, with a window for each of its outputs. */
class StreamedIndicator {
  private readonly given: Given
  private readonly names: readonly string[]
  private readonly calculate: Advance | null
  private readonly windows: readonly ColumnWindow[]

  constructor({ spec, indicator }: ReferredOutput, given: Given) {
    const { kept, whole } = given
    this.given = given
    this.names = spec.outputs.map(({ name }) => name)
    this.calculate = kept === null ? spec.start(indicator) : null
    // One bar more than is calculated at a time: that before the first of them.
    const columnAt = (name: string, k: number) =>
      kept === null ? (whole?.[k] ?? new Float64Array(streamedBars + 1)) : columnOf(kept, name)
    const isWhole = kept !== null || whole !== null
    this.windows = this.names.map((name, k) => ({ values: columnAt(name, k), first: isWhole ? 0 : -1 }))
  }

  window(output: string): ColumnWindow {
    const window = this.windows[this.names.indexOf(output)]
    if (window === undefined) throw new TypeError(`there is no output ${output}`)
    return window
  }

  /** @param input the bars from bar `from` on */
  advance(input: IndicatorInput, from: number): void {
    const { calculate, names, windows, given } = this
    if (calculate === null) return
    if (given.whole === null) for (const window of windows) moveOn(window, from)
    const into: Record<string, Float64Array> = {}
    windows.forEach((window, k) => {
      into[names[k] as string] = partOf(window, from, input.length)
    })
    const { source } = given
    const read = source === null ? input : { ...input, source: partOf(source, from, input.length) }
    const columns = calculate(read, into)
    for (const name of names) {
      const column = columnOf(columns, name)
      if (column !== into[name]) into[name]?.set(column)
    }
  }

  keep(): void {
    const { whole, keep } = this.given
    if (whole === null) return
    keep(Object.fromEntries(this.names.map((name, k) => [name, whole[k] as Float64Array])))
  }
}

/** The last value becomes that of the bar before `from`. */
function moveOn(window: ColumnWindow, from: number): void {
  const before = from - 1 - window.first
  window.values[0] = from === 0 ? Number.NaN : (window.values[before] as number)
  window.first = from - 1
}

function partOf({ values, first }: ColumnWindow, from: number, length: number): Float64Array {
  return values.subarray(from - first, from - first + length)
}

function cutInput(bars: SessionBars, from: number, to: number): IndicatorInput {
  const part = (column: Float64Array) => column.subarray(from, to)
  const { time, open, high, low, close, volume, session } = bars
  return {
    length: to - from,
    time: part(time),
    open: part(open),
    high: part(high),
    low: part(low),
    close: part(close),
    volume: part(volume),
    ...(session === undefined ? {} : { session: part(session) }),
  }
}
