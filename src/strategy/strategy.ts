import type { Timeframe } from '../market/timeframe.ts'

/** An indicator as it runs: its type and every parameter, defaults filled in. */
export type StrategyIndicator = Readonly<Record<string, number | string | boolean>> & {
  readonly type: string
}

/** A valid strategy as it runs: what was written plus every default. */
export type Strategy = {
  readonly name: string
  readonly description?: string
  readonly version: '3.0'
  readonly training_data: {
    readonly symbols: { readonly mode: 'single'; readonly symbol: string }
    readonly timeframes: { readonly mode: 'single'; readonly timeframe: Timeframe }
    /** Bars before the first decision, at least. */
    readonly history_required: number
  }
  /** By id. */
  readonly indicators: Readonly<Record<string, StrategyIndicator>>
  readonly decisions: { readonly rules: StrategyRules }
}

/** Rules by decision, as text of the rule language. */
export type StrategyRules = { readonly enter_long: string; readonly exit_long: string }

/** The decisions a rule may make. */
export const ruleKinds = ['enter_long', 'exit_long'] as const
