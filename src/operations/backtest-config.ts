import { type BacktestConfig, type OrderPlan, plainPlan, type Sizing } from '../backtest/backtest-config.ts'
import { runBacktestingPy } from '../backtest/compat-backtesting-py.ts'
import { runBacktest } from '../backtest/engine.ts'
import { resolveSizing } from '../strategy/sizing.ts'
import type { ModelStrategy, RuleStrategy } from '../strategy/strategy.ts'
import type { BacktestingParams } from './backtesting.ts'

/** As much of a strategy as says how its decisions are traded. */
export type TradedStrategy =
  | Pick<RuleStrategy, 'kind' | 'name' | 'decisions'>
  | (Pick<ModelStrategy, 'kind' | 'name'> & {
      readonly decisions: Pick<ModelStrategy['decisions'], 'filters'>
    })

type Parameters = Omit<BacktestingParams, 'symbol' | 'symbols'>

/**
 * How a strategy is traded under the parameters of a backtest.
 * @param params checked; where they have no sizing, the strategy's own holds, else `all_in`
 */
export function configOf(params: Parameters, strategy: TradedStrategy): BacktestConfig {
  const { fill_on, intrabar } = params.engine
  return {
    initial_capital: params.initial_capital,
    commission_rate: params.commission_rate,
    commission_fixed: params.commission_fixed,
    commission_per_unit: params.commission_per_unit,
    commission_min: params.commission_min,
    commission_tiers: params.commission_tiers,
    spread_bps: params.spread_bps,
    slippage_bps: params.slippage_bps,
    volume_share: params.volume_share,
    borrow_rate_annual: params.borrow_rate_annual,
    funding_rate_annual: params.funding_rate_annual,
    sizing: sizingOf(params, strategy),
    units: params.units,
    lot_size: params.lot_size,
    tick_size: params.tick_size,
    leverage: params.leverage,
    maintenance_margin_fraction: params.maintenance_margin_fraction,
    max_positions: params.max_positions,
    fill_on,
    intrabar,
    close_open_trades: params.close_open_trades,
  }
}

/** The engine that runs a backtest. */
export function engineOf({ engine }: Pick<BacktestingParams, 'engine'>): typeof runBacktest {
  return engine.compat === 'backtesting_py' ? runBacktestingPy : runBacktest
}

/** The size of entries: that of the request, else the strategy's, else all there is. @param params checked */
export function sizingOf({ sizing }: Pick<BacktestingParams, 'sizing'>, strategy: TradedStrategy): Sizing {
  if (sizing !== undefined) return resolveSizing(sizing)
  const own = strategy.kind === 'rules' ? strategy.decisions.rules.sizing : null
  return own ?? { mode: 'all_in' }
}

/** The orders a strategy enters with, and how its positions end beside its rules. Those of a model are plain. */
export function planOf(strategy: TradedStrategy): OrderPlan {
  if (strategy.kind === 'model') {
    const { min_signal_separation } = strategy.decisions.filters
    return { ...plainPlan, entry_separation_bars: min_signal_separation }
  }
  const { entry, stop_loss, max_bars } = strategy.decisions.rules
  return {
    entry: entry.type,
    good_till: entry.type === 'market' ? 'cancel' : entry.good_till,
    trailing_stop: stop_loss?.trailing ?? false,
    max_bars,
  }
}
