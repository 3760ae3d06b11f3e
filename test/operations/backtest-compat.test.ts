import { expect, test } from '@jest/globals'
import { faultsOf, makeRooms, run } from '../support/backtesting-rooms.ts'

const compat = { strategy: 'sma_cross', slippage_bps: 0, engine: { compat: 'backtesting_py' } }

test('what backtesting.py can do is taken', async () => {
  const { rooms } = await makeRooms()
  for (const given of [
    compat,
    { ...compat, spread_bps: 4, commission_fixed: 1, leverage: 2, close_open_trades: false },
    { ...compat, sizing: { mode: 'units', units: 10 } },
    { ...compat, engine: { ...compat.engine, fill_on: 'close' } },
  ])
    expect((await run(given, rooms)).params).toMatchObject(given === compat ? {} : given)
})

test.each<[object, string]>([
  [{ slippage_bps: 5 }, 'slippage_bps'],
  [{ commission_per_unit: 1 }, 'commission_per_unit'],
  [{ commission_min: 1 }, 'commission_min'],
  [{ commission_tiers: [{ from_value: 0, rate: 0 }] }, 'commission_tiers'],
  [{ volume_share: { limit_fraction: 0.1, impact: 0 } }, 'volume_share'],
  [{ borrow_rate_annual: 0.1 }, 'borrow_rate_annual'],
  [{ funding_rate_annual: 0.1 }, 'funding_rate_annual'],
  [{ units: 'fractional' }, 'units'],
  [{ lot_size: 2 }, 'lot_size'],
  [{ tick_size: 0.01 }, 'tick_size'],
  [{ maintenance_margin_fraction: 0.1 }, 'maintenance_margin_fraction'],
  [{ sizing: { mode: 'value', value: 1 } }, 'sizing/mode'],
  [{ symbols: ['AAPL', 'MSFT'] }, 'symbols'],
  [{ engine: { ...compat.engine, intrabar: 'ohlc' } }, 'engine/intrabar'],
  [{ engine: { ...compat.engine, intrabar_timeframe: '1h' } }, 'engine/intrabar_timeframe'],
])('what backtesting.py cannot do is refused at its field: %j', async (change, field) => {
  const { rooms } = await makeRooms()
  expect(await faultsOf({ ...compat, ...change }, rooms)).toEqual([`${field} not_supported`])
})

test('a strategy that backtesting.py cannot run is refused as a whole, with every reason', async () => {
  const { rooms } = await makeRooms()
  expect(await faultsOf({ ...compat, strategy: 'volatility_breakout' }, rooms)).toEqual([
    'sizing/mode not_supported',
    'strategy not_supported',
    'strategy not_supported',
  ])
})
