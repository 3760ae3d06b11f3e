import type { Side } from './trades.ts'

/** What an order asked for. */
export const orderTypes = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'] as const
export type OrderType = (typeof orderTypes)[number]

/** How an order ended. */
export const orderStatuses = [
  'filled',
  /** Some units were filled, then it ended. */
  'partly_filled',
  /** Its time was over. */
  'expired',
  /** By its exit rule, the other side, or the fill of the order it was the alternative to. */
  'cancelled',
  /** It reached its price, but nothing could be traded: money, lots, or positions that may be held. */
  'rejected',
  /** The data ended first. */
  'unfilled',
] as const
export type OrderStatus = (typeof orderStatuses)[number]

/** The numbers of an order. NaN is what it does not have; times are epoch ms UTC, money is in account currency. */
export type OrderNumbers = {
  /** When it was decided or, of a stop or target, when the position was opened. */
  placed_time: number
  limit_price: number
  /** Where the stop is at the end; of a trailing stop where it has got to. */
  stop_price: number
  /** Asked for, > 0; NaN of an entry that never reached its price: how many it asks for is said at the fill. */
  units: number
  filled_units: number
  /** Raw, the average of its fills. */
  fill_price: number
  /** Of the last fill, or when it ended without one. */
  end_time: number
  commission: number
  spread: number
  slippage: number
}

/** Orders as columns, in the order they were placed; `order_id` counts from 1. */
export type Orders = { readonly [K in keyof OrderNumbers]: Float64Array } & {
  readonly length: number
  readonly order_id: Int32Array
  readonly symbol: readonly string[]
  readonly side: readonly ('buy' | 'sell')[]
  readonly type: readonly OrderType[]
  readonly purpose: readonly ('entry' | 'exit')[]
  /** Of the position it opens or closes. */
  readonly position: readonly Side[]
  readonly status: readonly OrderStatus[]
}

/** Every column of `Orders`, in the order to show them. */
export const orderColumns = [
  'order_id',
  'symbol',
  'side',
  'type',
  'purpose',
  'position',
  'placed_time',
  'limit_price',
  'stop_price',
  'units',
  'filled_units',
  'fill_price',
  'status',
  'end_time',
  'commission',
  'spread',
  'slippage',
] as const satisfies readonly (keyof Orders)[]
