/** Why a trade ended. The order is that of the reports. */
export const exitReasons = [
  /** Its exit rule. */
  'signal',
  /** The entry rule of the other side, without its own exit rule. */
  'reversal',
  /** The stop, where the entry had placed it. */
  'stop',
  /** The stop, after it had moved. */
  'trailing_stop',
  'target',
  /** It had been held for as many bars as the strategy allows. */
  'max_bars',
  /** The equity had fallen below the maintenance margin. */
  'liquidation',
  /** Nothing was left of the equity. */
  'ruin',
  'end_of_data',
] as const
export type ExitReason = (typeof exitReasons)[number]

/** Index of each reason in `exitReasons`: how the bar loop knows it. */
export const exitCodes = Object.fromEntries(exitReasons.map((reason, code) => [reason, code])) as Readonly<
  Record<ExitReason, number>
>

export type Side = 'long' | 'short'

/** 1 for long and −1 for short: the sign of the units held. */
export type Direction = 1 | -1

/** The numbers of a trade. Money is in account currency, times are epoch ms UTC. */
export type TradeNumbers = {
  entry_time: number
  /** Raw price, before spread and slippage; of several fills the average, as is the exit price. */
  entry_price: number
  /** Of the last fill. Open time of the bar at an open; close time of the bar inside it or at its close; so is the entry. */
  exit_time: number
  exit_price: number
  /** > 0 on both sides. */
  units: number
  /** units · (exit price − entry price), of a short the negative of it; before costs. */
  gross_pnl: number
  /** All fills, ≥ 0. */
  commission: number
  /** Half the spread of every fill that is not of a limit order, ≥ 0. */
  spread: number
  /** All fills, ≥ 0. A target has none: it is a limit order. */
  slippage: number
  /** For the short while it was held, ≥ 0. */
  borrow: number
  /** Its share of the interest on borrowed cash while it was held, ≥ 0. */
  funding: number
  /** gross − commission − slippage − spread − borrow − funding. */
  net_pnl: number
  /** net_pnl / (units · entry price). */
  return_fraction: number
  /** Bars from the entry bar to the exit bar: 1 for an exit at the next bar's open, 0 for one inside the entry bar. */
  bars_held: number
  /**
   * Largest unrealised gain before costs, ≥ 0. Of the bar inside which a stop or target was filled only the fill price
   * counts: what else the bar reached may have come after it. Of the bar inside which it was entered, only the close.
   */
  max_favourable_excursion: number
  /** Largest unrealised loss before costs, as a positive number; the same holds for the last bar. */
  max_adverse_excursion: number
  /** Where the entry placed its stop; NaN for none. */
  stop_price: number
  target_price: number
}

const numberColumns = [
  'entry_time',
  'entry_price',
  'exit_time',
  'exit_price',
  'units',
  'gross_pnl',
  'commission',
  'spread',
  'slippage',
  'borrow',
  'funding',
  'net_pnl',
  'return_fraction',
  'bars_held',
  'max_favourable_excursion',
  'max_adverse_excursion',
  'stop_price',
  'target_price',
] as const satisfies readonly (keyof TradeNumbers)[]

/** Closed trades as columns, in the order of their exits; `trade_id` counts from 1. */
export type Trades = { readonly [K in keyof TradeNumbers]: Float64Array } & {
  readonly length: number
  readonly trade_id: Int32Array
  readonly symbol: readonly string[]
  readonly side: readonly Side[]
  readonly entry_reason: readonly ('enter_long' | 'enter_short')[]
  readonly exit_reason: readonly ExitReason[]
  /**
   * Whether a bar left open what came first and the mode decided: stop or target, or an entry and a level that was
   * reached on the same bar. Finer bars that show it leave no doubt.
   */
  readonly ambiguous: readonly boolean[]
}

/** Every column of `Trades`, in the order to show them. */
export const tradeColumns = [
  'trade_id',
  'symbol',
  'side',
  ...numberColumns,
  'entry_reason',
  'exit_reason',
  'ambiguous',
] as const satisfies readonly (keyof Trades)[]

/** Trades there is room for from the beginning. */
const firstCapacity = 256
/** By how much the room grows at most: trades may come in one part of the bars alone. */
const mostGrowth = 64

/** Columns of trades that grow to as many as are to be expected, at least by doubling: adding one allocates almost never. */
export class TradeList {
  /** To be written at the index `add` gives. */
  columns = allocate(firstCapacity)
  /** Share of the run that is over, 0–1: how many trades are still to come is told by those so far. */
  share = 0
  private count = 0
  private marks = new Uint32Array(firstCapacity)

  /** Forgets every trade and keeps the memory. */
  clear(): void {
    this.count = 0
    this.share = 0
  }

  /** Forgets every trade and gives the memory back at once. */
  release(): void {
    releaseColumns(this.columns)
    this.columns = allocate(0)
    this.marks = new Uint32Array(0)
    this.count = 0
  }

  /** Adds a trade whose numbers the caller writes. @param market index of its symbol  @returns its index in `columns` */
  add(market: number, direction: Direction, exitCode: number, isAmbiguous: boolean): number {
    if (this.count === this.marks.length) this.grow()
    this.marks[this.count] =
      exitCode | (direction > 0 ? 0 : shortMark) | (isAmbiguous ? ambiguousMark : 0) | (market << marketShift)
    return this.count++
  }

  /** The trades so far, as views of this memory; columns of texts are made when they are first read. */
  build(symbols: readonly string[]): Trades {
    const { count } = this
    const marks = this.marks.subarray(0, count)
    const columns = Object.fromEntries(
      numberColumns.map(name => [name, this.columns[name].subarray(0, count)]),
    ) as Record<keyof TradeNumbers, Float64Array>
    const read = <T extends string | boolean>(make: (mark: number) => T) => once(() => columnOf(marks, make))
    const ids = once(() => countFromOne(count))
    const symbol = read(mark => symbols[mark >>> marketShift] ?? '')
    const side = read<Side>(mark => (isShort(mark) ? 'short' : 'long'))
    const entry_reason = read(mark => (isShort(mark) ? 'enter_short' : 'enter_long'))
    const exit_reason = read(mark => exitReasons[mark & reasonMask] as ExitReason)
    const ambiguous = read(mark => (mark & ambiguousMark) !== 0)
    return {
      ...columns,
      length: count,
      get trade_id() {
        return ids()
      },
      get symbol() {
        return symbol()
      },
      get side() {
        return side()
      },
      get entry_reason() {
        return entry_reason()
      },
      get exit_reason() {
        return exit_reason()
      },
      get ambiguous() {
        return ambiguous()
      },
    }
  }

  private grow(): void {
    const { count, share } = this
    const expected = share > 0 ? Math.ceil((1.1 * count) / share) : 0
    const capacity = Math.max(firstCapacity, count * 2, Math.min(expected, count * mostGrowth))
    const larger = allocate(capacity)
    for (const name of numberColumns) larger[name].set(this.columns[name])
    releaseColumns(this.columns)
    this.columns = larger
    const marks = new Uint32Array(capacity)
    marks.set(this.marks)
    this.marks = marks
  }
}

/** 1, 2, 3 … `length`. */
export function countFromOne(length: number): Int32Array {
  const ids = new Int32Array(length)
  for (let i = 0; i < length; i++) ids[i] = i + 1
  return ids
}

/** A column of anything by its marks, which are few: `make` is asked once for each. */
export function columnOf<T extends string | boolean>(
  marks: Uint32Array | Uint8Array,
  make: (mark: number) => T,
): T[] {
  const { length } = marks
  const made: T[] = []
  const column = new Array<T>(length)
  for (let i = 0; i < length; i++) {
    const mark = marks[i] as number
    let value = made[mark]
    if (value === undefined) {
      value = make(mark)
      made[mark] = value
    }
    column[i] = value
  }
  return column
}

/** Calculates a value when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** A mark is the code of the exit reason, two flags, and the index of the market. */
const reasonMask = 15
const shortMark = 16
const ambiguousMark = 32
const marketShift = 6

function isShort(mark: number): boolean {
  return (mark & shortMark) !== 0
}

/** A garbage collector that sees small objects alone would let such columns pile up. */
function releaseColumns(columns: Record<keyof TradeNumbers, Float64Array<ArrayBuffer>>): void {
  for (const name of numberColumns) columns[name].buffer.transfer(0)
}

function allocate(capacity: number): Record<keyof TradeNumbers, Float64Array<ArrayBuffer>> {
  const columns = numberColumns.map(name => [name, new Float64Array(capacity)])
  return Object.fromEntries(columns) as Record<keyof TradeNumbers, Float64Array<ArrayBuffer>>
}
