import type { TradeSignals } from '../backtest/trade-signals.ts'
import type { ColumnCache } from '../features/column-cache.ts'
import { ColumnStream, type ColumnWindow } from '../features/column-stream.ts'
import { type Checkpoint, IndicatorColumns, type SessionBars } from '../features/pipeline-columns.ts'
import { historyOfReference } from '../features/pipeline-recipe.ts'
import { priceFields } from '../market/bars.ts'
import type { BooleanNode } from './ast.ts'
import { compileRules, ruleLookback, ruleNames } from './compile.ts'
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
  /** Called every few thousand bars; it may throw to stop. */
  readonly checkpoint?: Checkpoint
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
  { cache, reuse = new SignalColumns(), checkpoint = () => {} }: SignalOptions = {},
): Signals {
  const ruled = requireRules(strategy)
  const stream = new ColumnStream(ruled, bars, cache)
  const open = (name: string) => (isPriceField(name) ? bars[name] : stream.open(name))
  const rules = rulesOf(ruled)
  const asts = rules.map(({ ast }) => ast)
  const write = compileRules(asts, windowsOf(asts, open), reuse.scratch)
  const distances = startDistances(ruled, { bars, open, reuse })
  const signals = Object.fromEntries(
    ruleKinds.map(kind => [kind, reuse.signals(kind, bars.length)]),
  ) as Record<RuleKind, Uint8Array>
  const written = rules.map(({ kind }) => signals[kind])
  const first_usable_bar = requiredHistory(ruled)
  for (let done = 0; done < bars.length; ) {
    checkpoint()
    const { from, to } = stream.advance()
    write(written, Math.max(from, first_usable_bar), to)
    for (const write of distances.writers) write(from, to)
    done = to
  }
  stream.keep()
  return { ...signals, ...distances.columns, first_usable_bar }
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

/** What a rule or distance reads, by name. */
type Open = (name: string) => Float64Array | ColumnWindow

function windowsOf(asts: readonly BooleanNode[], open: Open): Record<string, Float64Array | ColumnWindow> {
  const names = new Set(asts.flatMap(ast => [...ruleNames(ast)]))
  return Object.fromEntries([...names].map(name => [name, open(name)]))
}

function isPriceField(name: string): name is (typeof priceFields)[number] {
  return priceFields.some(field => field === name)
}

type Distances = Pick<
  TradeSignals,
  'stop_distance' | 'target_distance' | 'limit_distance' | 'entry_stop_distance'
>

type Writer = (from: number, to: number) => void

/** The columns of the distances, and what writes the next bars of them. */
function startDistances(
  strategy: RuleStrategy,
  given: { readonly bars: SessionBars; readonly open: Open; readonly reuse: SignalColumns },
): { readonly columns: Distances; readonly writers: readonly Writer[] } {
  const { stop_loss, take_profit, entry } = strategy.decisions.rules
  const writers: Writer[] = []
  const column = (kind: DistanceKind, written: StrategyDistance | null) => {
    if (written === null) return null
    const into = given.reuse.distances(kind, given.bars.length)
    writers.push(startDistance(written, given, into))
    return into
  }
  const columns = {
    stop_distance: column('stop', stop_loss),
    target_distance: column('target', take_profit),
    limit_distance: column('limit', 'limit' in entry ? entry.limit : null),
    entry_stop_distance: column('entry_stop', 'stop' in entry ? entry.stop : null),
  }
  return { columns, writers }
}

/** One distance per bar, in price and above 0, or NaN. */
function startDistance(
  distance: StrategyDistance,
  { bars, open }: { readonly bars: SessionBars; readonly open: Open },
  into: Float64Array,
): Writer {
  const [factor, column] =
    'percent' in distance
      ? [distance.percent / 100, bars.close]
      : [distance.multiple, open(distance.indicator)]
  const window = column instanceof Float64Array ? { values: column, first: 0 } : column
  return (from, to) => {
    const { values, first } = window
    for (let i = from; i < to; i++) {
      const price = factor * (values[i - first] as number)
      into[i] = price > 0 && price < Number.POSITIVE_INFINITY ? price : Number.NaN
    }
  }
}
