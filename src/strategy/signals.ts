import type { TradeSignals } from '../backtest/trade-signals.ts'
import type { ColumnCache } from '../features/column-cache.ts'
import { IndicatorColumns, type SessionBars } from '../features/pipeline-columns.ts'
import { historyOfReference } from '../features/pipeline-recipe.ts'
import { priceFields } from '../market/bars.ts'
import type { BooleanNode } from './ast.ts'
import { compileRule, ruleLookback, ruleNames } from './compile.ts'
import { distancesOf } from './distance.ts'
import { parseRule } from './expression.ts'
import { namesOf } from './indicator-names.ts'
import { type DistanceKind, SignalColumns } from './signal-columns.ts'
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
 * Bars that must lie before the first decision: the longest look-back of the rules and the distances, or
 * `history_required` where that is more. Load as many before the range that is asked for.
 * @throws {Problem} 'strategy-invalid' when the strategy decides by a model
 */
export function requiredHistory(strategy: Strategy): number {
  return Math.max(strategy.history_required, requiredBars(requireRules(strategy)))
}

/** The longest look-back of the rules and the distances, in bars. */
export function requiredBars(strategy: RuleStrategy): number {
  const lookbackOf = (name: string) => historyOfReference(strategy, name).lookback
  const ofRules = rulesOf(strategy).map(({ ast }) => {
    const names = [...ruleNames(ast)].filter(name => !isPriceField(name))
    return ruleLookback(ast, Object.fromEntries(names.map(name => [name, lookbackOf(name)])))
  })
  const ofDistances = distancesOf(strategy.decisions.rules).map(([, distance]) =>
    'indicator' in distance ? lookbackOf(distance.indicator) : 0,
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

export type SignalOptions = {
  /** Indicators calculated for other strategies on the same bars. Default: none, each is calculated. */
  readonly cache?: ColumnCache
  /**
   * Where to write, for those who compute signals again and again: what was computed with it before is overwritten.
   * Default: new columns.
   */
  readonly reuse?: SignalColumns
}

/**
 * Computes what the rules read, and the rules, for every bar. The decision at bar i depends on bars 0..i only:
 * deleting later bars changes nothing before them, bit for bit.
 * @param bars oldest first, complete and checked
 * @throws {Problem} 'strategy-invalid' when the strategy decides by a model
 */
export function computeSignals(
  strategy: Strategy,
  bars: SessionBars,
  { cache, reuse = new SignalColumns() }: SignalOptions = {},
): Signals {
  const ruled = requireRules(strategy)
  const { stop_loss, take_profit, entry } = ruled.decisions.rules
  const columns = new IndicatorColumns(ruled, bars, undefined, cache)
  const from = requiredHistory(ruled)
  const distance = (kind: DistanceKind, written: StrategyDistance | null) =>
    written && computeDistance(written, { bars, columns, into: reuse.distances(kind, bars.length) })
  const stop_distance = distance('stop', stop_loss)
  const target_distance = distance('target', take_profit)
  const limit_distance = distance('limit', 'limit' in entry ? entry.limit : null)
  const entry_stop_distance = distance('entry_stop', 'stop' in entry ? entry.stop : null)
  const signals = Object.fromEntries(
    ruleKinds.map(kind => [kind, reuse.signals(kind, bars.length)]),
  ) as Record<RuleKind, Uint8Array>
  for (const { kind, ast } of rulesOf(ruled)) {
    compileRule(ast, readColumns(ast, bars, columns), reuse.scratch)(signals[kind], from)
  }
  const distances = { stop_distance, target_distance, limit_distance, entry_stop_distance }
  return { ...signals, ...distances, first_usable_bar: from }
}

/** The indicators and outputs that the rules and distances read, each once, in the order of the rules. */
export function namesRead(strategy: RuleStrategy): readonly string[] {
  const ofRules = rulesOf(strategy).flatMap(({ ast }) => [...ruleNames(ast)])
  const ofDistances = distancesOf(strategy.decisions.rules).flatMap(([, distance]) =>
    'indicator' in distance ? [distance.indicator] : [],
  )
  return [...new Set([...ofRules, ...ofDistances])].filter(name => !isPriceField(name))
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
  { bars, columns, into }: { bars: SessionBars; columns: IndicatorColumns; into: Float64Array },
): Float64Array {
  const [factor, values] =
    'percent' in distance
      ? [distance.percent / 100, bars.close]
      : [distance.multiple, columns.read(distance.indicator)]
  for (let i = 0; i < into.length; i++) {
    const price = factor * (values[i] as number)
    into[i] = price > 0 && price < Number.POSITIVE_INFINITY ? price : Number.NaN
  }
  return into
}
