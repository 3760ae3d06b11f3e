import { findOptionFaults } from './option-keys.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import { fieldOf, type WrittenLabels } from './written.ts'
import type { Path } from './yaml-source.ts'

/** What the model learns to say, every parameter filled in. */
export type StrategyLabels =
  | {
      readonly source: 'zigzag'
      /** The least turn as a fraction of the price. */
      readonly zigzag_threshold: number
      /** Part of the least turn that has to be left to move for a bar not to be a hold. */
      readonly neutral_fraction: number
    }
  /** In bars. */
  | { readonly source: 'forward_return'; readonly horizon: number }
  | {
      readonly source: 'triple_barrier'
      /** Distances of the barriers in volatilities. */
      readonly pt_multiplier: number
      readonly sl_multiplier: number
      /** In bars. */
      readonly max_holding_period: number
      readonly vol_span: number
      readonly vol_method: 'atr' | 'returns'
      readonly compute_weights: boolean
      /** Summed log return; 0 derives it from volatility; null labels every bar. */
      readonly cusum_threshold: number | null
      /** In volatilities. */
      readonly cusum_multiplier: number
    }
  | {
      readonly source: 'regime'
      /** In average true ranges. */
      readonly macro_atr_mult: number
      readonly micro_atr_mult: number
      /** In bars. */
      readonly atr_period: number
      readonly vol_lookback: number
      readonly vol_crisis_threshold: number
      readonly progression_tolerance: number
    }
  | {
      readonly source: 'context'
      /** In bars. */
      readonly horizon: number
      /** Returns over the horizon, above and below 0. */
      readonly bullish_threshold: number
      readonly bearish_threshold: number
    }

const path: Path = ['training', 'labels']

const keysOfSource = {
  zigzag: ['zigzag_threshold', 'neutral_fraction'],
  forward_return: ['horizon'],
  triple_barrier: [
    ...['pt_multiplier', 'sl_multiplier', 'max_holding_period', 'vol_span', 'vol_method'],
    ...['compute_weights', 'cusum_threshold', 'cusum_multiplier'],
  ],
  regime: [
    ...['macro_atr_mult', 'micro_atr_mult', 'atr_period'],
    ...['vol_lookback', 'vol_crisis_threshold', 'progression_tolerance'],
  ],
  context: ['horizon', 'bullish_threshold', 'bearish_threshold'],
}

/** Decisions about trades, which a model of regimes or contexts does not make. */
const tradingKeys = ['confidence_threshold', 'position_awareness', 'allow_short_from_flat', 'filters']

const { properties: schema } = strategySchema.$defs.StrategyLabels

/** In bars; the schema's default is that of forward_return. */
const defaultContextHorizon = 5

/** Keys that do not go with the source, numbers that do not go together, and sources that cannot be decided on. */
export function findLabelFaults(labels: unknown, decisions: unknown): readonly Fault[] {
  const source = fieldOf(labels, 'source')
  const faults = [...findOptionFaults(path, labels, { option: 'source', value: source, keys: keysOfSource })]
  if (source === 'regime' || source === 'context') faults.push(...findTradingFaults(source, decisions))
  if (source === 'regime') faults.push(...findRegimeFaults(labels))
  const cusum = fieldOf(labels, 'cusum_threshold')
  if (source === 'triple_barrier' && fieldOf(labels, 'cusum_multiplier') !== undefined && cusum !== 0) {
    const message = "'cusum_multiplier' has a meaning with cusum_threshold 0 only"
    faults.push({ path: [...path, 'cusum_multiplier'], part: 'key', code: 'conflict', message })
  }
  const format = fieldOf(decisions, 'output_format') ?? 'classification'
  if (format === 'regression' && source !== 'forward_return' && isSource(source)) {
    const message = `regression learns returns: source '${source}' gives classes, use forward_return`
    faults.push({ path: [...path, 'source'], part: 'value', code: 'conflict', message })
  }
  if (format === 'classification' && source === 'forward_return') {
    const message = 'forward_return gives returns, not classes: it goes with output_format regression'
    faults.push({ path: [...path, 'source'], part: 'value', code: 'conflict', message })
  }
  return faults
}

/** @param written checked */
export function resolveLabels(written: WrittenLabels): StrategyLabels {
  switch (written.source) {
    case 'zigzag':
      return {
        source: 'zigzag',
        zigzag_threshold: written.zigzag_threshold ?? schema.zigzag_threshold.default,
        neutral_fraction: written.neutral_fraction ?? schema.neutral_fraction.default,
      }
    case 'forward_return':
      return { source: 'forward_return', horizon: written.horizon ?? schema.horizon.default }
    case 'triple_barrier':
      return {
        source: 'triple_barrier',
        pt_multiplier: written.pt_multiplier ?? schema.pt_multiplier.default,
        sl_multiplier: written.sl_multiplier ?? schema.sl_multiplier.default,
        max_holding_period: written.max_holding_period ?? schema.max_holding_period.default,
        vol_span: written.vol_span ?? schema.vol_span.default,
        vol_method: written.vol_method ?? schema.vol_method.default,
        compute_weights: written.compute_weights ?? schema.compute_weights.default,
        cusum_threshold: written.cusum_threshold ?? null,
        cusum_multiplier: written.cusum_multiplier ?? schema.cusum_multiplier.default,
      }
    case 'regime':
      return {
        source: 'regime',
        macro_atr_mult: written.macro_atr_mult ?? schema.macro_atr_mult.default,
        micro_atr_mult: written.micro_atr_mult ?? schema.micro_atr_mult.default,
        atr_period: written.atr_period ?? schema.atr_period.default,
        vol_lookback: written.vol_lookback ?? schema.vol_lookback.default,
        vol_crisis_threshold: written.vol_crisis_threshold ?? schema.vol_crisis_threshold.default,
        progression_tolerance: written.progression_tolerance ?? schema.progression_tolerance.default,
      }
    case 'context':
      return {
        source: 'context',
        horizon: written.horizon ?? defaultContextHorizon,
        bullish_threshold: written.bullish_threshold ?? schema.bullish_threshold.default,
        bearish_threshold: written.bearish_threshold ?? schema.bearish_threshold.default,
      }
    default:
      return written.source satisfies never
  }
}

function findTradingFaults(source: 'regime' | 'context', decisions: unknown): Fault[] {
  return tradingKeys
    .filter(key => fieldOf(decisions, key) !== undefined)
    .map(key => ({
      path: ['decisions', key],
      part: 'key',
      code: 'conflict',
      message: `'${key}' is about trades, but a model of ${source}s decides none`,
    }))
}

function findRegimeFaults(labels: unknown): Fault[] {
  const faults: Fault[] = []
  const macro = fieldOf(labels, 'macro_atr_mult') ?? schema.macro_atr_mult.default
  const micro = fieldOf(labels, 'micro_atr_mult') ?? schema.micro_atr_mult.default
  if (typeof macro === 'number' && typeof micro === 'number' && micro >= macro) {
    const key = fieldOf(labels, 'micro_atr_mult') === undefined ? 'macro_atr_mult' : 'micro_atr_mult'
    const message = `micro_atr_mult (${micro}) should be below macro_atr_mult (${macro})`
    faults.push({ path: [...path, key], part: 'value', code: 'conflict', message })
  }
  return faults
}

function isSource(source: unknown): source is string {
  return typeof source === 'string' && Object.hasOwn(keysOfSource, source)
}
