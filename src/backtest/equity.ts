/** One element per bar of the requested range, at its close. Money is in account currency. */
export type EquityCurve = {
  readonly length: number
  /** Close time of the bar, epoch ms UTC. */
  readonly time: Float64Array
  /** cash + units · close. */
  readonly equity: Float64Array
  readonly cash: Float64Array
  readonly position_units: Float64Array
  /** (highest equity so far − equity) / highest, where the initial capital is the first high; ≥ 0. */
  readonly drawdown_fraction: Float64Array
}

/** The columns of `EquityCurve`, in the order to show them. */
export const equityColumns = ['time', 'equity', 'cash', 'position_units', 'drawdown_fraction'] as const

/** Fills an equity curve bar by bar. */
export class EquityRecorder {
  readonly curve: EquityCurve
  private peak: number
  private count = 0

  constructor(length: number, initialCapital: number) {
    const column = () => new Float64Array(length)
    this.peak = initialCapital
    this.curve = {
      length,
      time: column(),
      equity: column(),
      cash: column(),
      position_units: column(),
      drawdown_fraction: column(),
    }
  }

  /** Adds the point of the next bar, with the position valued at its close. */
  mark(account: { readonly cash: number; readonly units: number }, timeMs: number, close: number): void {
    const i = this.count++
    const equity = account.cash + account.units * close
    if (equity > this.peak) this.peak = equity
    this.curve.time[i] = timeMs
    this.curve.equity[i] = equity
    this.curve.cash[i] = account.cash
    this.curve.position_units[i] = account.units
    this.curve.drawdown_fraction[i] = (this.peak - equity) / this.peak
  }
}
