import { findBacktestingPyFaults } from '../backtest/compat-backtesting-py-settings.ts'
import type { FieldError } from '../problems.ts'
import { configOf, planOf, type TradedStrategy } from './backtest-config.ts'
import type { BacktestingParams } from './backtesting.ts'

/** Fields of a request that are called otherwise than in the engine; all others are fields of the same name. */
const fieldOf: Readonly<Record<string, string>> = {
  '/intrabar': '/engine/intrabar',
  '/markets': '/symbols',
  '/markets/0/finer': '/engine/intrabar_timeframe',
}

/** Everything a request asks of `compat: backtesting_py` that the library cannot do, field by field. */
export function findCompatFaults(
  params: BacktestingParams,
  { strategy, symbols }: { readonly strategy: TradedStrategy; readonly symbols: readonly string[] },
): readonly FieldError[] {
  if (params.engine.compat === 'none') return []
  const faults = findBacktestingPyFaults({
    config: configOf(params, strategy),
    plan: planOf(strategy),
    markets: symbols.map(() => ({ finer: params.engine.intrabar_timeframe ?? null })),
  })
  const given = (['strategy', 'model', 'ensemble'] as const).find(name => params[name] !== undefined)
  const ofStrategy = `/${given ?? 'strategy_yaml'}`
  return faults.map(({ pointer, code, message }) => {
    const field = pointer.startsWith('/plan/') ? ofStrategy : (fieldOf[pointer] ?? pointer)
    return { pointer: `/body/params${field}`, code, message: `backtesting.py: ${message}` }
  })
}
