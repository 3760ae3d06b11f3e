import type { OrderPlan, Sizing } from '../backtest/backtest-config.ts'
import type { Feature, FeatureInput } from '../features/feature-id.ts'
import type { SetDefinition } from '../fuzzy/quantile-set.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { StrategyLabels } from './labels.ts'
import type { StrategyTraining } from './training.ts'

/** An indicator as it runs: its type and every parameter, defaults filled in. */
export type StrategyIndicator = Readonly<Record<string, number | string | boolean>> & {
  readonly type: string
}

/** A valid strategy as it runs: what was written plus every default. */
export type Strategy = RuleStrategy | ModelStrategy

/** It decides by conditions over indicators. */
export type RuleStrategy = Common & {
  readonly kind: 'rules'
  readonly decisions: { readonly rules: StrategyRules }
}

/** It decides by the output of a model. */
export type ModelStrategy = Common & {
  readonly kind: 'model'
  /** By id. */
  readonly fuzzy_sets: Readonly<Record<string, SetDefinition>>
  readonly nn_inputs: readonly FeatureInput[]
  /** What `nn_inputs` come to, in the canonical order: the columns of the matrix, the inputs of the model. */
  readonly features: readonly Feature[]
  readonly model: StrategyModel
  readonly decisions: ModelDecisions
  readonly training: StrategyTraining & { readonly labels: StrategyLabels }
}

type Common = {
  readonly name: string
  readonly description?: string
  readonly version: '3.0'
  /** In the order written. */
  readonly symbols: readonly [string, ...string[]]
  /** In the order written; strategies with rules have one. */
  readonly timeframes: readonly [Timeframe, ...Timeframe[]]
  /** The timeframe decisions are made on; one of `timeframes`. */
  readonly base_timeframe: Timeframe
  /** Bars before the first decision, at least. */
  readonly history_required: number
  /** By id, each after the indicators that it reads. */
  readonly indicators: Readonly<Record<string, StrategyIndicator>>
}

/** The conditions a strategy may have. */
export const ruleKinds = ['enter_long', 'exit_long', 'enter_short', 'exit_short'] as const

export type RuleKind = (typeof ruleKinds)[number]

/** Rules by decision, as text of the rule language, and how positions end and how large they are. */
export type StrategyRules = { readonly [Kind in RuleKind]: string | null } & {
  readonly entry: StrategyEntry
  readonly stop_loss: (StrategyDistance & { readonly trailing: boolean }) | null
  readonly take_profit: StrategyDistance | null
  /** Bars a position is held at most. */
  readonly max_bars: number | null
  /** Null: the operation says. */
  readonly sizing: Sizing | null
}

/** How long an order waits to be filled. */
export type GoodTill = OrderPlan['good_till']

/**
 * The order that enters, with its distances from the close of the deciding bar. The limit of `stop_limit` lies beyond
 * its stop.
 */
export type StrategyEntry =
  | { readonly type: 'market' }
  | { readonly type: 'limit'; readonly limit: StrategyDistance; readonly good_till: GoodTill }
  | { readonly type: 'stop'; readonly stop: StrategyDistance; readonly good_till: GoodTill }
  | {
      readonly type: 'stop_limit'
      readonly stop: StrategyDistance
      readonly limit: StrategyDistance
      readonly good_till: GoodTill
    }

/** In percent of the close of the deciding bar, or as a multiple of an indicator (`id` or `id.output`) there. */
export type StrategyDistance =
  | { readonly percent: number }
  | { readonly indicator: string; readonly multiple: number }

export type StrategyModel =
  | {
      readonly type: 'mlp'
      readonly architecture: {
        readonly hidden_layers: readonly number[]
        readonly activation: 'relu' | 'leaky_relu' | 'tanh' | 'sigmoid'
        readonly dropout: number
      }
    }
  | {
      readonly type: 'lstm' | 'gru'
      readonly architecture: {
        /** Bars. */
        readonly sequence_length: number
        readonly hidden_size: number
        readonly num_layers: number
        readonly dropout: number
      }
    }

/** How a model's output becomes trades. */
export type ModelDecisions = {
  readonly position_awareness: boolean
  /** `min_signal_separation` in bars of the base timeframe, between entries only. */
  readonly filters: { readonly min_signal_separation: number }
} & (
  | {
      readonly output_format: 'classification'
      readonly confidence_threshold: number
      readonly allow_short_from_flat: boolean
    }
  | {
      readonly output_format: 'regression'
      /** A trade needs an expected return above the product. */
      readonly cost_model: { readonly round_trip_cost: number; readonly min_edge_multiplier: number }
    }
)

/** @throws {Problem} 'strategy-invalid' when the strategy decides by a model */
export function requireRules(strategy: Strategy): RuleStrategy {
  if (strategy.kind === 'rules') return strategy
  throw new Problem('strategy-invalid', `${strategy.name} decides by a model, but rules are needed here`, {
    hint: 'Train the model first, or give a strategy with decisions.rules.',
    errors: [{ pointer: '/decisions/rules', code: 'required', message: 'the strategy has no rules' }],
  })
}
