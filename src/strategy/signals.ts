import { columnOf, type IndicatorSpec } from '../indicators/indicator.ts'
import { findIndicator } from '../indicators/registry.ts'
import { type Bars, priceFields } from '../market/bars.ts'
import type { BooleanNode } from './ast.ts'
import { compileRule, ruleLookback } from './compile.ts'
import { parseRule } from './expression.ts'
import { namesOf } from './indicator-names.ts'
import { ruleKinds, type Strategy, type StrategyIndicator } from './strategy.ts'

/** What a strategy decides at the close of each bar. Every array has one element per bar. */
export type Signals = {
  /** 1 where the rule is true at the bar's close, else 0; 0 before `first_usable_bar`. */
  readonly enter_long: Uint8Array
  readonly exit_long: Uint8Array
  /** Values of the indicators by id (the first output) and, of several outputs, by `id.output`. NaN in the warm-up. */
  readonly indicators: Readonly<Record<string, Float64Array>>
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

/**
 * Computes the indicators and both rules for every bar. The decision at bar i depends on bars 0..i only:
 * deleting later bars changes nothing before them, bit for bit.
 * @param bars oldest first, complete and checked
 */
export function computeSignals(strategy: Strategy, bars: Bars): Signals {
  const indicators: Record<string, Float64Array> = {}
  for (const [id, indicator] of Object.entries(strategy.indicators)) {
    const spec = specOf(indicator)
    const columns = spec.compute(bars, indicator)
    for (const name of namesOf(id, indicator.type)) indicators[name] = columnOf(columns, outputOf(name, spec))
  }
  const columns: Record<string, Float64Array> = { ...indicators }
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
    indicators,
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
