import { type Orders, orderStatuses } from '../backtest/orders.ts'
import type { BacktestingResult } from './backtesting.ts'

/** How many orders a run placed, and how they ended. */
export function countOrders({ length, status }: Orders): BacktestingResult['orders'] {
  const counts = new Map(orderStatuses.map(name => [name, 0]))
  for (const name of status) counts.set(name, (counts.get(name) ?? 0) + 1)
  const count = (name: (typeof orderStatuses)[number]) => counts.get(name) ?? 0
  return {
    placed: length,
    filled: count('filled'),
    partly_filled: count('partly_filled'),
    expired: count('expired'),
    cancelled: count('cancelled'),
    rejected: count('rejected'),
    unfilled: count('unfilled'),
  }
}
