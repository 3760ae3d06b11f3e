import type { MarketInput } from './backtest-run.ts'
import type { OpenTrade } from './open-trade.ts'
import type { Direction, ExitReason, TradeNumbers, Trades } from './trades.ts'

/** A position that is held. Prices are raw; NaN is a stop or target it does not have. */
export type Position = {
  readonly direction: Direction
  /** > 0. */
  readonly units: number
  readonly entryBar: number
  readonly entryTimeMs: number
  readonly entryPrice: number
  readonly stopLoss: number
  readonly target: number
  /** Of the entry. */
  readonly commission: number
  readonly spread: number
  /** Prices reached while it was held. */
  highest: number
  lowest: number
}

export type Leaving = {
  readonly bar: number
  readonly timeMs: number
  readonly price: number
  readonly reason: ExitReason
  readonly isAmbiguous: boolean
  readonly commission: number
}

type Row = TradeNumbers & {
  readonly direction: Direction
  readonly reason: ExitReason
  readonly isAmbiguous: boolean
}

/** Keeps the book of the trades of one market. */
export class BacktestingPyTrades {
  /** Entries so far. */
  entries = 0
  private readonly market: MarketInput
  private readonly rows: Row[] = []

  constructor(market: MarketInput) {
    this.market = market
  }

  enter(entry: Omit<Position, 'highest' | 'lowest'>): Position {
    this.entries++
    return { ...entry, highest: entry.entryPrice, lowest: entry.entryPrice }
  }

  /** Notes what bar i reached while a position was held to its end. */
  reach(position: Position | null, i: number): void {
    if (position === null) return
    position.highest = Math.max(position.highest, this.market.bars.high[i] as number)
    position.lowest = Math.min(position.lowest, this.market.bars.low[i] as number)
  }

  leave(position: Position, { bar, timeMs, price, reason, isAmbiguous, commission }: Leaving): void {
    position.highest = Math.max(position.highest, price)
    position.lowest = Math.min(position.lowest, price)
    const { direction, units, entryPrice } = position
    const costs = { commission: position.commission + commission, spread: position.spread }
    const gross = direction * units * (price - entryPrice)
    const net = gross - costs.commission - costs.spread
    this.rows.push({
      direction,
      reason,
      isAmbiguous,
      entry_time: position.entryTimeMs,
      entry_price: entryPrice,
      exit_time: timeMs,
      exit_price: price,
      units,
      gross_pnl: gross,
      ...costs,
      slippage: 0,
      borrow: 0,
      funding: 0,
      net_pnl: net,
      return_fraction: net / (units * entryPrice),
      // An exit at the close before the last bar can lie before an entry inside that bar.
      bars_held: Math.max(0, bar - position.entryBar),
      ...excursions(position),
      stop_price: position.stopLoss,
      target_price: position.target,
    })
  }

  describeOpen(position: Position): OpenTrade {
    const { direction, units, entryPrice, commission, spread } = position
    const last = this.market.bars.length - 1
    const price = this.market.bars.close[last] as number
    const gross = direction * units * (price - entryPrice)
    return {
      symbol: this.market.symbol,
      side: direction > 0 ? 'long' : 'short',
      entry_time: position.entryTimeMs,
      entry_price: entryPrice,
      units,
      last_price: price,
      gross_pnl: gross,
      commission,
      spread,
      slippage: 0,
      borrow: 0,
      funding: 0,
      net_pnl: gross - commission - spread,
      bars_held: last - position.entryBar,
      ...excursions(position),
      stop_price: orNull(position.stopLoss),
      current_stop_price: orNull(position.stopLoss),
      target_price: orNull(position.target),
    }
  }

  build(): Trades {
    const { rows } = this
    const column = (name: keyof TradeNumbers) => Float64Array.from(rows, row => row[name])
    return {
      length: rows.length,
      trade_id: Int32Array.from(rows, (_, i) => i + 1),
      symbol: rows.map(() => this.market.symbol),
      side: rows.map(({ direction }) => (direction > 0 ? 'long' : 'short')),
      entry_reason: rows.map(({ direction }) => (direction > 0 ? 'enter_long' : 'enter_short')),
      exit_reason: rows.map(({ reason }) => reason),
      ambiguous: rows.map(({ isAmbiguous }) => isAmbiguous),
      entry_time: column('entry_time'),
      entry_price: column('entry_price'),
      exit_time: column('exit_time'),
      exit_price: column('exit_price'),
      units: column('units'),
      gross_pnl: column('gross_pnl'),
      commission: column('commission'),
      spread: column('spread'),
      slippage: column('slippage'),
      borrow: column('borrow'),
      funding: column('funding'),
      net_pnl: column('net_pnl'),
      return_fraction: column('return_fraction'),
      bars_held: column('bars_held'),
      max_favourable_excursion: column('max_favourable_excursion'),
      max_adverse_excursion: column('max_adverse_excursion'),
      stop_price: column('stop_price'),
      target_price: column('target_price'),
    }
  }
}

function excursions({ direction, units, entryPrice, highest, lowest }: Position) {
  const up = units * (highest - entryPrice)
  const down = units * (entryPrice - lowest)
  return direction > 0
    ? { max_favourable_excursion: up, max_adverse_excursion: down }
    : { max_favourable_excursion: down, max_adverse_excursion: up }
}

function orNull(price: number): number | null {
  return Number.isNaN(price) ? null : price
}
