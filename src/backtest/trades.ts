/** Why a trade ended: its rule, or the end of the data. */
export type ExitReason = 'exit_long' | 'end_of_data'

/** The numbers of a trade. Money is in account currency, times are epoch ms UTC. */
export type TradeNumbers = {
  entry_time: number
  /** Raw price, before slippage. */
  entry_price: number
  exit_time: number
  exit_price: number
  units: number
  /** units · (exit price − entry price), before costs. */
  gross_pnl: number
  /** Both sides, ≥ 0. */
  commission: number
  /** Both sides, ≥ 0. */
  slippage: number
  /** gross − commission − slippage. */
  net_pnl: number
  /** net_pnl / (units · entry price). */
  return_fraction: number
  /** Bars from the entry bar to the exit bar: 1 for an exit at the next bar's open. */
  bars_held: number
  /** Largest unrealised gain before costs, ≥ 0. */
  max_favourable_excursion: number
  /** Largest unrealised loss before costs, as a positive number. */
  max_adverse_excursion: number
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
] as const satisfies readonly (keyof TradeNumbers)[]

/** Closed trades as columns, in the order of their exits; `trade_id` counts from 1. */
export type Trades = { readonly [K in keyof TradeNumbers]: Float64Array } & {
  readonly length: number
  readonly trade_id: Int32Array
  readonly side: readonly 'long'[]
  readonly entry_reason: readonly 'enter_long'[]
  readonly exit_reason: readonly ExitReason[]
}

/** Every column of `Trades`, in the order to show them. */
export const tradeColumns = [
  'trade_id',
  'side',
  ...numberColumns,
  'entry_reason',
  'exit_reason',
] as const satisfies readonly (keyof Trades)[]

/** Columns of trades that grow by doubling, so that adding one allocates almost never. */
export class TradeList {
  private count = 0
  private columns = allocate(64)
  private readonly reasons: ExitReason[] = []

  append(trade: Readonly<TradeNumbers>, reason: ExitReason): void {
    if (this.count === this.columns.units.length) this.grow()
    for (const name of numberColumns) this.columns[name][this.count] = trade[name]
    this.reasons.push(reason)
    this.count++
  }

  build(): Trades {
    const columns = Object.fromEntries(
      numberColumns.map(name => [name, this.columns[name].slice(0, this.count)]),
    )
    return {
      ...(columns as Record<keyof TradeNumbers, Float64Array>),
      length: this.count,
      trade_id: Int32Array.from({ length: this.count }, (_, i) => i + 1),
      side: Array.from({ length: this.count }, () => 'long' as const),
      entry_reason: Array.from({ length: this.count }, () => 'enter_long' as const),
      exit_reason: this.reasons,
    }
  }

  private grow(): void {
    const larger = allocate(this.count * 2)
    for (const name of numberColumns) larger[name].set(this.columns[name])
    this.columns = larger
  }
}

function allocate(capacity: number): Record<keyof TradeNumbers, Float64Array> {
  const columns = numberColumns.map(name => [name, new Float64Array(capacity)])
  return Object.fromEntries(columns) as Record<keyof TradeNumbers, Float64Array>
}
