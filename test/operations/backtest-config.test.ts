import { expect, test } from '@jest/globals'
import { runBacktestingPy } from '../../src/backtest/compat-backtesting-py.ts'
import { runBacktest } from '../../src/backtest/engine.ts'
import { configOf, engineOf, planOf, sizingOf } from '../../src/operations/backtest-config.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { requireRules } from '../../src/strategy/strategy.ts'
import { backtestingParams } from '../support/backtesting-params.ts'
import { strategyText } from '../support/strategy-text.ts'

const ruled = (lines: string) =>
  requireRules(
    parseStrategy(strategyText(`    enter_long: close > fast\n    exit_long: close < fast\n${lines}`))
      .strategy,
  )

test('every setting of a request reaches the engine as it is', () => {
  const settings = {
    initial_capital: 5_000,
    commission_rate: 0.002,
    commission_fixed: 1,
    commission_per_unit: 0.01,
    commission_min: 2,
    commission_tiers: [{ from_value: 1_000, rate: 0.001 }],
    spread_bps: 3,
    slippage_bps: 4,
    volume_share: { limit_fraction: 0.1, impact: 0.2 },
    borrow_rate_annual: 0.03,
    funding_rate_annual: 0.05,
    sizing: { mode: 'value', value: 700 },
    units: 'fractional',
    lot_size: 0.5,
    tick_size: 0.01,
    leverage: 3,
    maintenance_margin_fraction: 0.2,
    max_positions: 4,
    close_open_trades: false,
  }
  const engine = { fill_on: 'close', intrabar: 'adaptive' }
  const config = configOf(backtestingParams({ ...settings, engine }), ruled(''))
  expect(config).toEqual({ ...settings, ...engine })
})

test('the size of the request goes before the strategy’s, and all there is where neither says', () => {
  const sized = ruled('    sizing: { mode: units, units: 3 }')
  const kelly = { mode: 'kelly', cap: 0.5, min_trades: 10, fraction: 0.1 }
  expect(sizingOf(backtestingParams({ sizing: kelly }), sized)).toEqual(kelly)
  expect(sizingOf(backtestingParams({}), sized)).toEqual({ mode: 'units', units: 3 })
  expect(sizingOf(backtestingParams({}), ruled(''))).toEqual({ mode: 'all_in' })
})

test('the plan of orders is the strategy’s', () => {
  expect(planOf(ruled(''))).toEqual({
    entry: 'market',
    good_till: 'cancel',
    trailing_stop: false,
    max_bars: null,
  })
  const planned = ruled(
    '    entry: { type: stop, stop: { percent: 1 }, good_till: { bars: 3 } }\n    stop_loss: { percent: 5, trailing: true }\n    max_bars: 9',
  )
  expect(planOf(planned)).toEqual({
    entry: 'stop',
    good_till: { bars: 3 },
    trailing_stop: true,
    max_bars: 9,
  })
})

test('the engine is the one that is asked for', () => {
  expect(engineOf(backtestingParams({}))).toBe(runBacktest)
  expect(engineOf(backtestingParams({ engine: { compat: 'backtesting_py' } }))).toBe(runBacktestingPy)
})
