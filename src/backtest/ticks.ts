/** Rounds prices of orders to multiples of the tick, never to a better price: a buy up and a sell down. */
export class Ticks {
  private readonly size: number | null
  /** Multiples in one, where that is whole, else 0: dividing by it gives the decimal price, multiplying by the tick need not. */
  private readonly perUnit: number

  /** @param size > 0; null leaves prices as they are */
  constructor(size: number | null) {
    this.size = size
    const perUnit = size === null ? 0 : Math.round(1 / size)
    this.perUnit = size !== null && Math.abs(perUnit * size - 1) < rounding ? perUnit : 0
  }

  /** @param price may be NaN @param direction 1 for a buy, −1 for a sell */
  round(price: number, direction: 1 | -1): number {
    if (this.size === null) return price
    const exact = this.perUnit > 0 ? price * this.perUnit : price / this.size
    const ticks = direction > 0 ? Math.ceil(exact - rounding) : Math.floor(exact + rounding)
    return this.perUnit > 0 ? ticks / this.perUnit : ticks * this.size
  }

  /** The first multiple above the price, for direction 1, or below it; the price itself without ticks. */
  beyond(price: number, direction: 1 | -1): number {
    if (this.size === null) return price
    const exact = this.perUnit > 0 ? price * this.perUnit : price / this.size
    const ticks = direction > 0 ? Math.floor(exact + rounding) + 1 : Math.ceil(exact - rounding) - 1
    return this.perUnit > 0 ? ticks / this.perUnit : ticks * this.size
  }
}

/** Ticks by which a multiple may be missed and still be one: what the arithmetic of decimals leaves. */
const rounding = 1e-7
