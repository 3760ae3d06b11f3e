import type { TradeSignals } from '../backtest/trade-signals.ts'
import { IndicatorColumns, type SessionBars } from '../features/pipeline-columns.ts'
import { historyOfReference } from '../features/pipeline-recipe.ts'
import { priceFields } from '../market/bars.ts'
import type { BooleanNode } from './ast.ts'
import { compileRule, ruleLookback, ruleNames } from './compile.ts'
import { parseRule } from './expression.ts'
import { namesOf } from './indicator-names.ts'
import {
  type RuleKind,
  type RuleStrategy,
  requireRules,
  ruleKinds,
  type Strategy,
  type StrategyDistance,
} from './strategy.ts'

/**
 * What a strategy with rules decides at the close of each bar; the element at i depends on bars 0..i only. A rule is 0
 * before `first_usable_bar`.
 */
export type Signals = TradeSignals & {
  /** Index of the first bar at whose close a decision is made; it can lie beyond the last bar. */
  readonly first_usable_bar: number
}

/**
 * Bars that must lie before the first decision: the longest look-back of the rules, the stop and the target, or
 * `history_required` where that is more. Load as many before the range that is asked for.
 * @throws {Problem} 'strategy-invalid' when the strategy decides by a model
 */
export function requiredHistory(strategy: Strategy): number {
  return Math.max(strategy.history_required, requiredBars(requireRules(strategy)))
}

/** The longest look-back of the rules, the stop and the target, in bars. */
export function requiredBars(strategy: RuleStrategy): number {
  const lookbackOf = (name: string) => historyOfReference(strategy, name).lookback
  const ofRules = rulesOf(strategy).map(({ ast }) => {
    const names = [...ruleNames(ast)].filter(name => !isPriceField(name))
    return ruleLookback(ast, Object.fromEntries(names.map(name => [name, lookbackOf(name)])))
  })
  const { stop_loss, take_profit } = strategy.decisions.rules
  const ofDistances = [stop_loss, take_profit].map(distance =>
    distance !== null && 'indicator' in distance ? lookbackOf(distance.indicator) : 0,
  )
  return Math.max(0, ...ofRules, ...ofDistances)
}

/**
 * Columns by the names a rule may use: of an indicator `id`, the first output, and `id.output`; NaN in the warm-up.
 * Not to be written to.
 */
export function computeIndicators(
  strategy: Strategy,
  bars: SessionBars,
): Readonly<Record<string, Float64Array>> {
  const columns = new IndicatorColumns(strategy, bars)
  const names = Object.entries(strategy.indicators).flatMap(([id, { type }]) => namesOf(id, type))
  return Object.fromEntries(names.map(name => [name, columns.read(name)]))
}

/**
 * Computes what the rules read, and the rules, for every bar. The decision at bar i depends on bars 0..i only:
 * deleting later bars changes nothing before them, bit for bit.
 * @param bars oldest first, complete and checked
 * @throws {Problem} 'strategy-invalid' when the strategy decides by a model
 */
export function computeSignals(strategy: Strategy, bars: SessionBars): Signals {
  const ruled = requireRules(strategy)
  const { stop_loss, take_profit } = ruled.decisions.rules
  const columns = new IndicatorColumns(ruled, bars)
  const from = requiredHistory(ruled)
  const stop_distance = stop_loss && computeDistance(stop_loss, bars, columns)
  const target_distance = take_profit && computeDistance(take_profit, bars, columns)
  const signals = Object.fromEntries(ruleKinds.map(kind => [kind, new Uint8Array(bars.length)])) as Record<
    RuleKind,
    Uint8Array
  >
  for (const { kind, ast } of rulesOf(ruled)) {
    const rule = compileRule(ast, readColumns(ast, bars, columns))
    const signal = signals[kind]
    for (let i = from; i < signal.length; i++) signal[i] = rule(i) ? 1 : 0
  }
  return { ...signals, stop_distance, target_distance, first_usable_bar: from }
}

function rulesOf(strategy: RuleStrategy): readonly { readonly kind: RuleKind; readonly ast: BooleanNode }[] {
  const ids = Object.entries(strategy.indicators)
  const names = [...ids.flatMap(([id, { type }]) => namesOf(id, type)), ...priceFields]
  return ruleKinds.flatMap(kind => {
    const text = strategy.decisions.rules[kind]
    if (text === null) return []
    const { ast, errors } = parseRule(text, names)
    if (ast === null) throw new TypeError(`the strategy has not been checked: ${kind}: ${errors[0]?.message}`)
    return [{ kind, ast }]
  })
}

function readColumns(
  ast: BooleanNode,
  bars: SessionBars,
  columns: IndicatorColumns,
): Record<string, Float64Array> {
  const names = [...ruleNames(ast)]
  return Object.fromEntries(names.map(name => [name, isPriceField(name) ? bars[name] : columns.read(name)]))
}

function isPriceField(name: string): name is (typeof priceFields)[number] {
  return priceFields.some(field => field === name)
}

/** One distance per bar, in price and above 0, or NaN. */
function computeDistance(
  distance: StrategyDistance,
  bars: SessionBars,
  columns: IndicatorColumns,
): Float64Array {
  const [factor, values] =
    'percent' in distance
      ? [distance.percent / 100, bars.close]
      : [distance.multiple, columns.read(distance.indicator)]
  const result = new Float64Array(bars.length)
  for (let i = 0; i < result.length; i++) {
    const price = factor * (values[i] as number)
    result[i] = price > 0 && price < Number.POSITIVE_INFINITY ? price : Number.NaN
  }
  return result
}
