import type { TradeSignals } from '../backtest/trade-signals.ts'
import { ColumnCache } from '../features/column-cache.ts'
import type { Checkpoint, SessionBars } from '../features/pipeline-columns.ts'
import { priceFields } from '../market/bars.ts'
import { ruleNames } from '../strategy/compile.ts'
import { parseRule } from '../strategy/expression.ts'
import { namesOf } from '../strategy/indicator-names.ts'
import { computeSignals, requiredHistory } from '../strategy/signals.ts'
import { type RuleStrategy, ruleKinds, type StrategyDistance } from '../strategy/strategy.ts'
import { declaredHistory, indicatorColumnId, indicatorColumns, type Place } from './indicator-columns.ts'
import type { DeclaredHistory, NamedColumn } from './named-column.ts'

/** Indicators, rules and distances of a strategy with rules on the bars it decides on. */
export function ruleStrategyColumns(
  strategy: RuleStrategy,
  where: Place & { readonly bars: SessionBars; readonly checkpoint: Checkpoint },
): readonly NamedColumn[] {
  // Of these bars alone: the rules read what was calculated for them, and nothing else.
  const cache = new ColumnCache(Number.POSITIVE_INFINITY)
  const indicators = indicatorColumns(strategy, Object.keys(strategy.indicators), { ...where, cache })
  where.checkpoint()
  return [...indicators, ...decisionColumns(strategy, { ...where, cache })]
}

/** Whatever the signals hold: columns of bytes are rules, columns of numbers are distances. */
function decisionColumns(
  strategy: RuleStrategy,
  { bars, symbol, timeframe, cache }: Place & { readonly bars: SessionBars; readonly cache: ColumnCache },
): NamedColumn[] {
  const read = referencesOf(strategy)
  const columns: NamedColumn[] = []
  for (const [name, values] of Object.entries(computeSignals(strategy, bars, { cache }))) {
    const isRule = values instanceof Uint8Array
    if (!isRule && !(values instanceof Float64Array)) continue
    const references = read.get(name) ?? []
    columns.push({
      name,
      kind: isRule ? 'rule' : 'distance',
      symbol,
      timeframe,
      bars,
      values,
      depends_on: [
        ...new Set(
          references.map(reference => indicatorColumnId(strategy, reference, { symbol, timeframe })),
        ),
      ],
      history: historyOfAll(strategy, references, isRule),
    })
  }
  return columns
}

/** Indicators that rules and distances read, by the name of their column. */
function referencesOf({ indicators, decisions: { rules } }: RuleStrategy): ReadonlyMap<string, string[]> {
  const known = Object.entries(indicators).flatMap(([id, { type }]) => namesOf(id, type))
  const references = new Map<string, string[]>()
  for (const kind of ruleKinds) {
    const text = rules[kind]
    const ast = text === null ? null : parseRule(text, [...known, ...priceFields]).ast
    if (ast !== null)
      references.set(
        kind,
        [...ruleNames(ast)].filter(name => known.includes(name)),
      )
  }
  const { stop_loss, take_profit, entry } = rules
  const distances = {
    stop_distance: stop_loss,
    target_distance: take_profit,
    limit_distance: 'limit' in entry ? entry.limit : null,
    entry_stop_distance: 'stop' in entry ? entry.stop : null,
  } satisfies Partial<Record<keyof TradeSignals, StrategyDistance | null>>
  for (const [name, distance] of Object.entries(distances)) {
    if (distance !== null && 'indicator' in distance) references.set(name, [distance.indicator])
  }
  return references
}

/** A rule is 0 until there is the history that the strategy requires; a cross looks one bar further back. */
function historyOfAll(
  strategy: RuleStrategy,
  references: readonly string[],
  isRule: boolean,
): DeclaredHistory {
  const histories = references.map(reference => declaredHistory(strategy, reference))
  const least = isRule ? requiredHistory(strategy) : 0
  const stable = histories.map(({ stableAfter }) => stableAfter)
  const before = isRule ? 1 : 0
  return {
    lookback: Math.max(least, ...histories.map(({ lookback }) => lookback)),
    isLeast: histories.some(({ isLeast }) => isLeast),
    stableAfter: stable.includes(null) ? null : Math.max(least, ...stable.map(bars => (bars ?? 0) + before)),
  }
}
