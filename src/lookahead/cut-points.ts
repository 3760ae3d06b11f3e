import { Random } from '../statistics/random.ts'
import { barsKnownAt } from './market-view.ts'
import type { NamedColumn } from './named-column.ts'

/** Bars at whose close something may be decided. */
export type DecidingBars = {
  /** Close times, epoch ms, strictly increasing. */
  readonly close_time: Float64Array
  /** Those of them that lie in the range that is looked at: indexes `from` to `to − 1`. */
  readonly from: number
  readonly to: number
}

export type CutRequest = {
  /** How many are wanted, at least 2; fewer are given where there are fewer bars. */
  readonly cuts: number
  readonly seed: number
}

/**
 * The instants at which what was known is compared with what is known later: close times of deciding bars, in order.
 * Among them are the last bar of the warm-up (or the first of the range, when that is warm) and the last bar of the
 * range; half of the rest are bars on which a rule has turned true, taken from every rule in turn, so that a decision
 * that is rare is looked at as well; the other half is spread evenly at random. The same bars, columns and seed give the
 * same instants.
 * @param columns of all bars
 */
export function chooseCuts(
  columns: readonly NamedColumn[],
  bars: DecidingBars,
  { cuts, seed }: CutRequest,
): readonly number[] {
  const { close_time, from, to } = bars
  if (to - from <= cuts) return Array.from(close_time.subarray(from, to))
  const warm = barsKnownAt(close_time, lastWarmUpMs(columns)) - 1
  const chosen = new Set([Math.min(Math.max(warm, from), to - 1), to - 1])
  const random = new Random(seed)
  const turned = columns.filter(({ kind }) => kind === 'rule').map(rule => turningBars(rule, bars))
  const wanted = chosen.size + Math.floor((cuts - chosen.size) / 2)
  takeInTurn(turned, { chosen, wanted, random })
  while (chosen.size < cuts) chosen.add(from + random.below(to - from))
  return [...chosen].sort((a, b) => a - b).map(i => close_time[i] as number)
}

/** Close times of the base bars of all symbols, each once. */
export function decidingTimes(base: readonly { readonly close_time: Float64Array }[]): Float64Array {
  const [first] = base
  if (base.length === 1 && first !== undefined) return first.close_time
  const length = base.reduce((sum, { close_time }) => sum + close_time.length, 0)
  const all = new Float64Array(length)
  let at = 0
  for (const { close_time } of base) {
    all.set(close_time, at)
    at += close_time.length
  }
  all.sort()
  let kept = 0
  for (let i = 0; i < length; i++) {
    if (kept === 0 || all[i] !== all[kept - 1]) all[kept++] = all[i] as number
  }
  return all.subarray(0, kept)
}

/** When the last column began to have values: the close of the bar before. −∞ without a warm-up. */
function lastWarmUpMs(columns: readonly NamedColumn[]): number {
  let last = Number.NEGATIVE_INFINITY
  for (const { values, bars } of columns) {
    let first = 0
    while (first < bars.length && Number.isNaN(values[first])) first++
    if (first > 0 && first < bars.length) last = Math.max(last, bars.close_time[first - 1] as number)
  }
  return last
}

/** Deciding bars of the range on which a rule is true and was not on the bar before. */
function turningBars({ values, bars }: NamedColumn, { close_time, from, to }: DecidingBars): number[] {
  const turning: number[] = []
  for (let i = 0; i < bars.length; i++) {
    if (values[i] !== 1 || (i > 0 && values[i - 1] === 1)) continue
    const at = barsKnownAt(close_time, bars.close_time[i] as number) - 1
    if (at >= from && at < to) turning.push(at)
  }
  return turning
}

type Taking = {
  readonly chosen: Set<number>
  readonly wanted: number
  readonly random: Random
}

/** Takes one bar at random from each list in turn until there are enough or none is left. */
function takeInTurn(lists: readonly number[][], { chosen, wanted, random }: Taking): void {
  for (let left = true; left && chosen.size < wanted; ) {
    left = false
    for (const list of lists) {
      if (list.length === 0 || chosen.size >= wanted) continue
      const at = random.below(list.length)
      left = true
      chosen.add(list[at] as number)
      list[at] = list[list.length - 1] as number
      list.pop()
    }
  }
}
