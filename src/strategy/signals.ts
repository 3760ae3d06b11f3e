import { columnOf, type IndicatorSpec } from '../indicators/indicator.ts'
import { findIndicator } from '../indicators/registry.ts'
import { type Bars, priceFields } from '../market/bars.ts'
import type { BooleanNode } from './ast.ts'
import { compileRule, ruleLookback } from './compile.ts'
import { parseRule } from './expression.ts'
import { namesOf } from './indicator-names.ts'
import { ruleKinds, type Strategy, type StrategyIndicator } from './strategy.ts'

/**
 * What a strategy with rules decides at the close of each bar. Every array has one element per bar, and the element at
 * i depends on bars 0..i only.
 */
export type Signals = {
  /** 1 where the rule is true at the bar's close, else 0; 0 before `first_usable_bar` and where there is no such rule. */
  readonly enter_long: Uint8Array
  readonly exit_long: Uint8Array
  readonly enter_short: Uint8Array
  readonly exit_short: Uint8Array
  /**
   * How far from the entry price a stop of an entry decided on this bar lies, in price, above 0. NaN where the distance
   * is not known, or not above 0; null when the strategy has no stop.
   */
  readonly stop_distance: Float64Array | null
  /** The same for the target. */
  readonly target_distance: Float64Array | null
  /** Index of the first bar at whose close a decision is made; it can lie beyond the last bar. */
  readonly first_usable_bar: number
}

/**
 * Bars that must lie before the first decision: the longest look-back of either rule, or
 * `history_required` where that is more. Load as many before the range that is asked for.
 */
export function requiredHistory(strategy: Strategy): number {
  const lookbacks: Record<string, number> = {}
  for (const [id, indicator] of Object.entries(strategy.indicators)) {
    const spec = specOf(indicator)
    for (const name of namesOf(id, indicator.type))
      lookbacks[name] = spec.lookback(indicator, outputOf(name, spec))
  }
  const ofRules = ruleKinds.map(kind => ruleLookback(ruleOf(strategy, kind), lookbacks))
  return Math.max(strategy.training_data.history_required, ...ofRules)
}

/** Columns by the names a rule may use: of an indicator `id`, the first output, and `id.output`; NaN in the warm-up. */
export function computeIndicators(strategy: Strategy, bars: Bars): Readonly<Record<string, Float64Array>> {
  const indicators: Record<string, Float64Array> = {}
  for (const [id, indicator] of Object.entries(strategy.indicators)) {
    const spec = specOf(indicator)
    const columns = spec.compute(bars, indicator)
    for (const name of namesOf(id, indicator.type)) indicators[name] = columnOf(columns, outputOf(name, spec))
  }
  return indicators
}

/**
 * Computes the indicators and both rules for every bar. The decision at bar i depends on bars 0..i only:
 * deleting later bars changes nothing before them, bit for bit.
 * @param bars oldest first, complete and checked
 */
export function computeSignals(strategy: Strategy, bars: Bars): Signals {
  const columns: Record<string, Float64Array> = { ...computeIndicators(strategy, bars) }
  for (const field of priceFields) columns[field] = bars[field]
  const from = requiredHistory(strategy)
  const decide = (kind: (typeof ruleKinds)[number]): Uint8Array => {
    const rule = compileRule(ruleOf(strategy, kind), columns)
    const signal = new Uint8Array(bars.length)
    for (let i = from; i < signal.length; i++) signal[i] = rule(i) ? 1 : 0
    return signal
  }
  return {
    enter_long: decide('enter_long'),
    exit_long: decide('exit_long'),
    enter_short: new Uint8Array(bars.length),
    exit_short: new Uint8Array(bars.length),
    stop_distance: null,
    target_distance: null,
    first_usable_bar: from,
  }
}

function ruleOf(strategy: Strategy, kind: (typeof ruleKinds)[number]): BooleanNode {
  const ids = Object.entries(strategy.indicators)
  const names = [...ids.flatMap(([id, indicator]) => namesOf(id, indicator.type)), ...priceFields]
  const { ast, errors } = parseRule(strategy.decisions.rules[kind], names)
  if (ast === null) throw new TypeError(`the strategy has not been checked: ${kind}: ${errors[0]?.message}`)
  return ast
}

/** The output that a name of `namesOf` stands for. */
function outputOf(name: string, spec: IndicatorSpec): string {
  return name.split('.')[1] ?? spec.outputs[0]?.name ?? ''
}

function specOf(indicator: StrategyIndicator): IndicatorSpec {
  const spec = findIndicator(indicator.type)
  if (spec === undefined)
    throw new TypeError(`the strategy has not been checked: there is no ${indicator.type}`)
  return spec
}
