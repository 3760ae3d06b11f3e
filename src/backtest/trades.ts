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
  /** A short had lost all equity. */
  'ruin',
  'end_of_data',
] as const
export type ExitReason = (typeof exitReasons)[number]

export type Side = 'long' | 'short'

/** 1 for long and −1 for short: the sign of the units held. */
export type Direction = 1 | -1

/** The numbers of a trade. Money is in account currency, times are epoch ms UTC. */
export type TradeNumbers = {
  entry_time: number
  /** Raw price, before slippage. */
  entry_price: number
  /** Open time of the bar for a fill at an open; close time of the bar for a fill inside it or at its close. */
  exit_time: number
  exit_price: number
  /** > 0 on both sides. */
  units: number
  /** units · (exit price − entry price), of a short the negative of it; before costs. */
  gross_pnl: number
  /** Both fills, ≥ 0. */
  commission: number
  /** Both fills, ≥ 0. A target has none: it is a limit order. */
  slippage: number
  /** gross − commission − slippage. */
  net_pnl: number
  /** net_pnl / (units · entry price). */
  return_fraction: number
  /** Bars from the entry bar to the exit bar: 1 for an exit at the next bar's open, 0 for one inside the entry bar. */
  bars_held: number
  /**
   * Largest unrealised gain before costs, ≥ 0. Of the bar inside which a stop or target was filled only the fill price
   * counts: what else the bar reached may have come after it.
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
  'slippage',
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
  readonly side: readonly Side[]
  readonly entry_reason: readonly ('enter_long' | 'enter_short')[]
  readonly exit_reason: readonly ExitReason[]
  /** Whether the bar that ended the trade reached stop and target: which came first is not known. */
  readonly ambiguous: readonly boolean[]
}

/** Every column of `Trades`, in the order to show them. */
export const tradeColumns = [
  'trade_id',
  'side',
  ...numberColumns,
  'entry_reason',
  'exit_reason',
  'ambiguous',
] as const satisfies readonly (keyof Trades)[]

/** Columns of trades that grow by doubling, so that adding one allocates almost never. */
export class TradeList {
  /** To be written at the index `add` gives. */
  columns = allocate(64)
  private count = 0
  private marks = new Uint8Array(64)

  /** Adds a trade whose numbers the caller writes. @returns its index in `columns` */
  add(direction: Direction, reason: ExitReason, isAmbiguous: boolean): number {
    if (this.count === this.marks.length) this.grow()
    this.marks[this.count] =
      exitReasons.indexOf(reason) | (direction > 0 ? 0 : shortMark) | (isAmbiguous ? ambiguousMark : 0)
    return this.count++
  }

  build(): Trades {
    const columns = Object.fromEntries(
      numberColumns.map(name => [name, this.columns[name].slice(0, this.count)]),
    )
    const marks = Array.from(this.marks.subarray(0, this.count))
    const isShort = (mark: number) => (mark & shortMark) !== 0
    return {
      ...(columns as Record<keyof TradeNumbers, Float64Array>),
      length: this.count,
      trade_id: Int32Array.from(marks, (_, i) => i + 1),
      side: marks.map(mark => (isShort(mark) ? 'short' : 'long')),
      entry_reason: marks.map(mark => (isShort(mark) ? 'enter_short' : 'enter_long')),
      exit_reason: marks.map(mark => exitReasons[mark & reasonMask] as ExitReason),
      ambiguous: marks.map(mark => (mark & ambiguousMark) !== 0),
    }
  }

  private grow(): void {
    const larger = allocate(this.count * 2)
    for (const name of numberColumns) larger[name].set(this.columns[name])
    this.columns = larger
    const marks = new Uint8Array(this.count * 2)
    marks.set(this.marks)
    this.marks = marks
  }
}

/** A mark is the index of the exit reason and two flags. */
const reasonMask = 15
const shortMark = 16
const ambiguousMark = 32

function allocate(capacity: number): Record<keyof TradeNumbers, Float64Array> {
  const columns = numberColumns.map(name => [name, new Float64Array(capacity)])
  return Object.fromEntries(columns) as Record<keyof TradeNumbers, Float64Array>
}
