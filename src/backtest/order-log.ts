import {
  type OrderNumbers,
  type OrderStatus,
  type Orders,
  type OrderType,
  orderStatuses,
  orderTypes,
} from './orders.ts'
import { columnOf, countFromOne, type Direction, once } from './trades.ts'

/** What a fill of an order was. */
type Fill = {
  readonly fillCommission: number
  readonly fillSpread: number
  readonly fillSlippage: number
}

const numberColumns = [
  'placed_time',
  'limit_price',
  'stop_price',
  'units',
  'filled_units',
  'fill_price',
  'end_time',
  'commission',
  'spread',
  'slippage',
] as const satisfies readonly (keyof OrderNumbers)[]

/** Every order of a run, as columns that grow by doubling. A log that is not kept forgets all of them. */
export class OrderLog {
  /** Whether it is kept; else every call does nothing. */
  readonly isKept: boolean
  private columns: Record<keyof OrderNumbers, Float64Array>
  private marks: Uint32Array
  private statuses: Uint8Array
  private count = 0

  constructor(isKept: boolean) {
    this.isKept = isKept
    const capacity = isKept ? 512 : 0
    this.columns = allocate(capacity)
    this.marks = new Uint32Array(capacity)
    this.statuses = new Uint8Array(capacity)
  }

  /** Forgets every order and keeps the memory. */
  clear(): void {
    this.count = 0
  }

  /**
   * An order that ends `unfilled` unless more is said.
   * @param direction of the position it opens or closes  @param market index of its symbol  @returns its row
   */
  place(type: OrderType, isEntry: boolean, direction: Direction, market: number, timeMs: number): number {
    if (!this.isKept) return 0
    if (this.count === this.marks.length) this.grow()
    const row = this.count++
    this.marks[row] =
      orderTypes.indexOf(type) |
      (isEntry ? entryMark : 0) |
      (direction < 0 ? shortMark : 0) |
      (market << marketShift)
    this.statuses[row] = unfilled
    const { columns } = this
    columns.placed_time[row] = timeMs
    columns.limit_price[row] = Number.NaN
    columns.stop_price[row] = Number.NaN
    columns.units[row] = Number.NaN
    columns.filled_units[row] = 0
    columns.fill_price[row] = Number.NaN
    columns.end_time[row] = Number.NaN
    columns.commission[row] = 0
    columns.spread[row] = 0
    columns.slippage[row] = 0
    return row
  }

  /** Its prices; NaN for none. */
  price(row: number, limit: number, stop: number): void {
    if (!this.isKept) return
    this.columns.limit_price[row] = limit
    this.columns.stop_price[row] = stop
  }

  /** How many units it asks for. */
  size(row: number, units: number): void {
    if (this.isKept) this.columns.units[row] = units
  }

  /** A fill of it. */
  fill(row: number, units: number, price: number, timeMs: number, fill: Fill): void {
    if (!this.isKept) return
    const { columns } = this
    const before = columns.filled_units[row] as number
    const average = columns.fill_price[row] as number
    const filled = before + units
    columns.filled_units[row] = filled
    columns.fill_price[row] = before === 0 ? price : (average * before + price * units) / filled
    columns.end_time[row] = timeMs
    columns.commission[row] = (columns.commission[row] as number) + fill.fillCommission
    columns.spread[row] = (columns.spread[row] as number) + fill.fillSpread
    columns.slippage[row] = (columns.slippage[row] as number) + fill.fillSlippage
    this.statuses[row] = partlyFilled
  }

  /** Its end; one that has been filled in part keeps the time of the last fill. */
  end(row: number, status: OrderStatus, timeMs: number): void {
    if (!this.isKept) return
    if (status !== 'filled' && (this.columns.filled_units[row] as number) > 0) return
    this.statuses[row] = orderStatuses.indexOf(status)
    if (status !== 'filled') this.columns.end_time[row] = timeMs
  }

  /** The orders so far; columns of texts are made when they are first read. */
  build(symbols: readonly string[]): Orders {
    const { count } = this
    const marks = this.marks.subarray(0, count)
    const statuses = this.statuses.subarray(0, count)
    const columns = Object.fromEntries(
      numberColumns.map(name => [name, this.columns[name].subarray(0, count)]),
    ) as Record<keyof OrderNumbers, Float64Array>
    const read = <T extends string | boolean>(make: (mark: number) => T) => once(() => columnOf(marks, make))
    const symbol = read(mark => symbols[mark >>> marketShift] ?? '')
    const side = read<'buy' | 'sell'>(mark => (isEntry(mark) === isShort(mark) ? 'sell' : 'buy'))
    const type = read(mark => orderTypes[mark & typeMask] as OrderType)
    const purpose = read<'entry' | 'exit'>(mark => (isEntry(mark) ? 'entry' : 'exit'))
    const position = read<'long' | 'short'>(mark => (isShort(mark) ? 'short' : 'long'))
    const status = once(() => columnOf(statuses, code => orderStatuses[code] as OrderStatus))
    return {
      ...columns,
      length: count,
      order_id: countFromOne(count),
      get symbol() {
        return symbol()
      },
      get side() {
        return side()
      },
      get type() {
        return type()
      },
      get purpose() {
        return purpose()
      },
      get position() {
        return position()
      },
      get status() {
        return status()
      },
    }
  }

  private grow(): void {
    const capacity = this.count * 2
    const larger = allocate(capacity)
    for (const name of numberColumns) larger[name].set(this.columns[name])
    this.columns = larger
    const marks = new Uint32Array(capacity)
    const statuses = new Uint8Array(capacity)
    marks.set(this.marks)
    statuses.set(this.statuses)
    this.marks = marks
    this.statuses = statuses
  }
}

const unfilled = orderStatuses.indexOf('unfilled')
const partlyFilled = orderStatuses.indexOf('partly_filled')

/** A mark is the code of the type, two flags, and the index of the market. */
const typeMask = 7
const entryMark = 8
const shortMark = 16
const marketShift = 5

function isEntry(mark: number): boolean {
  return (mark & entryMark) !== 0
}

function isShort(mark: number): boolean {
  return (mark & shortMark) !== 0
}

function allocate(capacity: number): Record<keyof OrderNumbers, Float64Array> {
  const columns = numberColumns.map(name => [name, new Float64Array(capacity)])
  return Object.fromEntries(columns) as Record<keyof OrderNumbers, Float64Array>
}
