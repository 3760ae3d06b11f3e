import type { ReadIndicator } from '../strategy/market-input.ts'
import { emptySignals, type ModelSignals } from './model-signals.ts'
import type { Prediction } from './predictor.ts'

/** Who decides in which regime. */
export type Route = {
  /** The regimes in the order of the gate's outputs. */
  readonly classes: readonly string[]
  /** Index of the first base bar on which the gate may propose one; default 0. */
  readonly firstBar?: number
  /** Least probability of a regime that is believed, 0–1. */
  readonly threshold: number
  /** The regime where none is. */
  readonly otherwise: string
  /** Bars in a row that must say so before another regime holds, ≥ 1. */
  readonly stabilityBars: number
  /** Whether a position is closed when another regime begins to hold; else the next member has it. */
  readonly closesAtTransition: boolean
  /** Who decides in a regime; nobody in those that are not named. */
  readonly members: Readonly<Record<string, ModelSignals>>
}

/** What an ensemble decides, and the regime that holds on each bar, as an index of `classes`; NaN before the first. */
export type EnsembleSignals = ModelSignals & { readonly regime: Float64Array }

/**
 * The decisions of whichever member the regime calls for. A bar proposes the most probable regime, the first of equals,
 * or `otherwise` below the threshold; a bar without an answer of the gate proposes the regime that holds, and bars before
 * `firstBar` none. One that is
 * proposed `stabilityBars` times in a row holds from the last of these bars on. Before the first one nobody decides.
 *
 * On the bar on which another regime begins to hold, both exits are set where positions are closed then, and no
 * entry: the new member enters from the next bar on. Where nobody decides, nothing is, exits neither.
 *
 * What stands at bar t depends on answers up to t only.
 * @param gate the gate's answers; members have one element per base bar, as many as `gate.base`
 */
export function routeSignals(gate: Prediction, route: Route): EnsembleSignals {
  const { length } = gate.base
  const regime = regimesOf(gate, route)
  const signals = emptySignals(length)
  const names = ['enter_long', 'exit_long', 'enter_short', 'exit_short'] as const
  let before = Number.NaN
  let first = length
  for (let i = 0; i < length; i++) {
    const now = regime[i] as number
    if (Number.isNaN(now)) continue
    first = Math.min(first, i)
    const isTransition = !Number.isNaN(before) && now !== before
    before = now
    if (isTransition && route.closesAtTransition) {
      signals.exit_long[i] = 1
      signals.exit_short[i] = 1
      continue
    }
    const member = route.members[route.classes[now] ?? '']
    if (member !== undefined) for (const name of names) signals[name][i] = member[name][i] as number
  }
  const outputs: ReadIndicator[] = [{ name: 'regime', unit: 'index', values: regime }]
  return { ...signals, first_usable_bar: first, outputs, regime }
}

/** The regime that holds on each bar. */
function regimesOf({ base, bar, outputs }: Prediction, route: Route): Float64Array {
  const { classes, threshold, otherwise, stabilityBars, firstBar = 0 } = route
  const regime = new Float64Array(base.length).fill(Number.NaN)
  let held = Number.NaN
  let proposed = Number.NaN
  let times = 0
  const after = bar.findIndex(at => at >= firstBar)
  let row = after < 0 ? bar.length : after
  for (let i = 0; i < base.length; i++) {
    if (bar[row] === i) {
      const best = mostProbable(outputs, row * classes.length, classes.length)
      const isSure = (outputs[row * classes.length + best] as number) >= threshold
      const said = isSure ? best : classes.indexOf(otherwise)
      times = said === proposed ? times + 1 : 1
      proposed = said
      if (times >= stabilityBars) held = proposed
      row++
    } else {
      proposed = held
      times = 0
    }
    regime[i] = held
  }
  return regime
}

function mostProbable(outputs: Float32Array, at: number, width: number): number {
  let best = 0
  for (let i = 1; i < width; i++) if ((outputs[at + i] as number) > (outputs[at + best] as number)) best = i
  return best
}
