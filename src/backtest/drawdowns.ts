import { negligible } from '../statistics/moments.ts'
import type { EquityCurve } from './equity.ts'

/** A fall of the equity below its highest so far, until it is reached again. Times are epoch ms UTC. */
export type Drawdown = {
  /** Close of the bar with the high; the open of the first bar for the initial capital. */
  readonly start: number
  /** Close of the bar with the lowest equity, the first of equal ones. */
  readonly trough: number
  /** Close of the first bar that reaches the high again; null when none does. */
  readonly recovered: number | null
  /** (high − lowest) / high, > 0; above 1 where the equity fell below zero. */
  readonly depth_fraction: number
  /** From `start` to `recovered`, or to the end. */
  readonly duration_ms: number
}

/** All drawdowns of a curve in a few numbers. */
export type DrawdownTotals = {
  readonly count: number
  readonly deepest_fraction: number
  /** Mean depth; 0 without any. */
  readonly mean_fraction: number
  readonly longest_ms: number
  readonly mean_ms: number
  /** Whether the equity was zero or below at a close. */
  readonly ruined: boolean
}

/** As much of a curve as this takes. */
export type EquityPoints = Pick<EquityCurve, 'length' | 'time' | 'equity'>

/** What the equity starts from, before the first point of its curve. */
export type Start = { readonly timeMs: number; readonly equity: number }

/** Measures all drawdowns in one pass. */
export function measureDrawdowns(curve: EquityPoints, start: Start): DrawdownTotals {
  let count = 0
  let deepest = 0
  let depths = 0
  let longest = 0
  let durations = 0
  eachDrawdown(curve, start, (depth, startMs, _trough, endMs) => {
    count++
    depths += depth
    durations += endMs - startMs
    if (depth > deepest) deepest = depth
    if (endMs - startMs > longest) longest = endMs - startMs
  })
  return {
    count,
    deepest_fraction: deepest,
    mean_fraction: count === 0 ? 0 : depths / count,
    longest_ms: longest,
    mean_ms: count === 0 ? 0 : durations / count,
    ruined: deepest >= 1,
  }
}

/** The deepest drawdowns, deepest first, the earlier of equal ones first. @param most how many at the most, ≥ 1 */
export function worstDrawdowns(curve: EquityPoints, start: Start, most: number): Drawdown[] {
  const worst: Drawdown[] = []
  eachDrawdown(curve, start, (depth_fraction, startMs, trough, endMs, isOver) => {
    const last = worst[most - 1]
    if (last !== undefined && depth_fraction <= last.depth_fraction) return
    const at = worst.findIndex(other => other.depth_fraction < depth_fraction)
    const drawdown = {
      start: startMs,
      trough,
      recovered: isOver ? endMs : null,
      depth_fraction,
      duration_ms: endMs - startMs,
    }
    worst.splice(at === -1 ? worst.length : at, 0, drawdown)
    if (worst.length > most) worst.pop()
  })
  return worst
}

type Visit = (depth: number, startMs: number, troughMs: number, endMs: number, isOver: boolean) => void

/** Visits every drawdown, oldest first. Falls of less than a trillionth are rounding. */
function eachDrawdown({ equity, time, length }: EquityPoints, start: Start, visit: Visit): void {
  let peak = start.equity
  let floor = peak * (1 - negligible)
  /** Index of the last point at the high, −1 for the start. */
  let high = -1
  const fall = { lowest: 0 }
  for (let i = 0; i < length; i++) {
    const end = passFall(equity, i, length, floor, fall)
    if (end > i) {
      const startMs = high === -1 ? start.timeMs : (time[high] as number)
      const depth = (peak - (equity[fall.lowest] as number)) / peak
      const isOver = end < length
      visit(depth, startMs, time[fall.lowest] as number, time[isOver ? end : length - 1] as number, isOver)
      if (!isOver) return
      i = end
    }
    high = i
    const value = equity[i] as number
    if (value > peak) {
      peak = value
      floor = peak * (1 - negligible)
    }
  }
}

/** @returns the first point from `from` on that is not below the floor, else `length`; `fall` gets the lowest before it */
function passFall(
  equity: Float64Array,
  from: number,
  length: number,
  floor: number,
  fall: { lowest: number },
): number {
  let trough = floor
  let lowest = from
  let i = from
  for (; i < length; i++) {
    const value = equity[i] as number
    if (!(value < floor)) break
    if (value < trough) {
      trough = value
      lowest = i
    }
  }
  fall.lowest = lowest
  return i
}
