import { historyOfReference } from '../features/pipeline-recipe.ts'
import { createFuzzySet } from '../fuzzy/fuzzy-set.ts'
import { isQuantileSet, type SetDefinition } from '../fuzzy/quantile-set.ts'
import { findIndicator } from '../indicators/registry.ts'
import { distancesOf } from './distance.ts'
import { findOutput, indicatorOf } from './indicator-names.ts'
import { requiredBars } from './signals.ts'
import { sourceIdOf } from './sources.ts'
import type { ModelStrategy, RuleStrategy, Strategy } from './strategy.ts'
import type { WrittenStrategy } from './written.ts'

/** Remarks that do not stop a strategy: parts without effect, and parts that are likely to be a mistake. */
export function findRemarks(
  strategy: Strategy,
  written: WrittenStrategy,
  namesInRules: ReadonlySet<string>,
): readonly string[] {
  return strategy.kind === 'rules'
    ? [...unusedIndicators(strategy, namesInRules), ...ofRules(strategy)]
    : [...unusedIndicators(strategy, namesOfInputs(strategy)), ...ofModel(strategy, written)]
}

function unusedIndicators({ indicators, kind }: Strategy, names: ReadonlySet<string>): string[] {
  const used = new Set<string>()
  const mark = (id: string): void => {
    const indicator = Object.hasOwn(indicators, id) ? indicators[id] : undefined
    if (indicator === undefined || used.has(id)) return
    used.add(id)
    const source = sourceIdOf(indicator)
    if (source !== null) mark(source)
  }
  for (const name of names) mark(indicatorOf(name))
  return Object.keys(indicators)
    .filter(id => !used.has(id))
    .map(id => `indicator '${id}' is not used by any ${kind === 'rules' ? 'rule' : 'input'}`)
}

function ofRules(strategy: RuleStrategy): string[] {
  const { rules } = strategy.decisions
  const remarks: string[] = []
  for (const side of ['long', 'short'] as const) {
    if (rules[`exit_${side}`] !== null && rules[`enter_${side}`] === null)
      remarks.push(`'exit_${side}' is never asked: there is no enter_${side}`)
  }
  for (const [key, distance] of distancesOf(rules)) {
    if ('percent' in distance) continue
    const { unit, isLevel } = measureOf(distance.indicator, strategy)
    if (unit !== 'price')
      remarks.push(`the distance of ${key}, '${distance.indicator}', is a ${unit}, not a price`)
    else if (isLevel) {
      const measure = `${distance.multiple} × '${distance.indicator}'`
      remarks.push(
        `the distance of ${key}, ${measure}, is measured by the price itself: a range such as atr is meant`,
      )
    }
  }
  return [...remarks, ...shortHistory(strategy, requiredBars(strategy))]
}

/** Outputs of overlays that are no level although they are in units of the price: they are drawn as a difference to it. */
const differences: ReadonlySet<string> = new Set(['ichimoku.chikou'])

type Measure = { readonly unit: string; readonly isLevel: boolean }

/**
 * The unit of what a name stands for, followed through sources, and whether it is a level of the price rather than a
 * distance. What a chart draws over the prices is at their level, but for `differences`; what it draws below them is not:
 * a moving average of the price is one, the average true range and a moving average of that are none.
 */
export function measureOf(name: string, { indicators }: Pick<Strategy, 'indicators'>): Measure {
  const indicator = indicators[indicatorOf(name)]
  const output = findOutput(name, indicator?.type)
  const unit = output?.unit ?? 'number'
  const isOverlay =
    findIndicator(indicator?.type ?? '')?.pane === 'overlay' &&
    !differences.has(`${indicator?.type}.${output?.name}`)
  if (indicator === undefined || unit !== 'source') return { unit, isLevel: unit === 'price' && isOverlay }
  const { source } = indicator
  const read =
    sourceIdOf(indicator) === null
      ? { unit: source === 'volume' ? 'volume' : 'price', isLevel: true }
      : measureOf(String(source), { indicators })
  return { unit: read.unit, isLevel: read.isLevel && isOverlay }
}

function ofModel(strategy: ModelStrategy, { decisions }: WrittenStrategy): string[] {
  const { fuzzy_sets: sets, nn_inputs: inputs } = strategy
  const remarks = Object.keys(sets)
    .filter(id => !inputs.some(input => 'fuzzy_set' in input && input.fuzzy_set === id))
    .map(id => `fuzzy set '${id}' is not used by any input`)
  for (const timeframe of strategy.timeframes) {
    const isRead = strategy.features.some(feature => feature.timeframe === timeframe)
    if (!isRead && timeframe !== strategy.base_timeframe)
      remarks.push(`timeframe ${timeframe} is not read by any input`)
  }
  if (strategy.decisions.output_format === 'regression' && decisions.confidence_threshold !== undefined)
    remarks.push('confidence_threshold has no effect in regression')
  for (const [id, set] of Object.entries(sets)) remarks.push(...gapsOf(id, set, strategy))
  const lookbacks = [...namesOfInputs(strategy)].map(name => historyOfReference(strategy, name).lookback)
  return [...remarks, ...shortHistory(strategy, Math.max(0, ...lookbacks))]
}

function shortHistory({ history_required: history }: Strategy, lookback: number): string[] {
  if (history === 0 || history >= lookback) return []
  return [`history_required is ${history}, but the longest look-back is ${lookback} bars: that is waited for`]
}

function namesOfInputs({ nn_inputs: inputs, fuzzy_sets: sets }: ModelStrategy): ReadonlySet<string> {
  return new Set(
    inputs.map(input =>
      'fuzzy_set' in input ? (sets[input.fuzzy_set]?.indicator ?? '') : input.raw_indicator,
    ),
  )
}

/**
 * Ranges of values that no term of a set covers, between its terms and towards the ends of what is possible. A fitted set
 * has none: its outer terms are open.
 */
function gapsOf(id: string, set: SetDefinition, { indicators }: Strategy): string[] {
  if (isQuantileSet(set)) return []
  const { indicator, terms } = set
  const output = findOutput(indicator, indicators[indicatorOf(indicator)]?.type)
  const supports = createFuzzySet(terms).terms.map(({ membership: { support } }) => ({
    min: support.min ?? Number.NEGATIVE_INFINITY,
    max: support.max ?? Number.POSITIVE_INFINITY,
  }))
  supports.sort((a, b) => a.min - b.min)
  const gaps: string[] = []
  let covered = output?.min ?? supports[0]?.min ?? Number.NEGATIVE_INFINITY
  for (const { min, max } of supports) {
    if (min > covered) gaps.push(`${covered} to ${min}`)
    covered = Math.max(covered, max)
  }
  if (output?.max !== undefined && covered < output.max) gaps.push(`${covered} to ${output.max}`)
  return gaps.map(gap => `fuzzy set '${id}': no term covers ${gap} of '${indicator}'`)
}
