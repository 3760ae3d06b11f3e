import type { BacktestConfig } from './backtest-config.ts'

/**
 * Units the sizing asks for, before the money is counted: infinite where it asks for as many as the budget pays.
 * @param equity of the account without a position
 * @param stopDistance from the entry to the stop, in price; NaN when there is no stop, and then `risk` asks for nothing
 */
export function wantedUnits(config: BacktestConfig, equity: number, stopDistance: number): number {
  const { sizing, units } = config
  switch (sizing.mode) {
    case 'all_in':
    case 'fraction':
      return Number.POSITIVE_INFINITY
    case 'units':
      return roundUnits(sizing.units, units)
    case 'risk': {
      const wanted = (equity * sizing.risk_percent) / 100 / stopDistance
      return wanted > 0 ? roundUnits(wanted, units) : 0
    }
    default:
      sizing satisfies never
      return 0
  }
}

/**
 * The most units whose price, slippage and commission the budget pays; 0 when not even the least. A short is bounded
 * in the same way: what it sells is worth no more than the equity.
 * @param equity of the account without a position, so it is all cash
 * @param price raw fill price
 */
export function affordableUnits(config: BacktestConfig, equity: number, price: number): number {
  const { sizing, units, commission_rate, commission_fixed, slippage_bps } = config
  const budget = sizing.mode === 'fraction' ? Math.min(equity, equity * sizing.fraction) : equity
  const unitCost = price * (1 + slippage_bps / 10_000) * (1 + commission_rate)
  let count = roundUnits((budget - commission_fixed) / unitCost, units)
  if (!(count > 0) || !Number.isFinite(count)) return 0
  // Rounding may have made it cost a little more than there is: give back units, in steps that double.
  for (let step = 1; entryCost(config, count, price) > equity; step *= 2) {
    count = units === 'whole' ? count - step : count * (1 - step * Number.EPSILON)
    if (!(count > 0)) return 0
  }
  return count
}

/** Whether a position could be closed at the price it is entered at, both sides paid, with something left of the equity. */
export function isRoundTripPayable(config: BacktestConfig, equity: number, value: number): boolean {
  const { commission_rate, commission_fixed, slippage_bps } = config
  return equity > 2 * (value * (slippage_bps / 10_000 + commission_rate) + commission_fixed)
}

function roundUnits(exact: number, units: BacktestConfig['units']): number {
  return units === 'whole' ? Math.floor(exact) : exact
}

function entryCost(config: BacktestConfig, units: number, price: number): number {
  const value = units * price
  const slippage = value * (config.slippage_bps / 10_000)
  return value + slippage + (value + slippage) * config.commission_rate + config.commission_fixed
}
