/** One element per bar of the requested range, at its close. Money is in account currency. */
export type EquityCurve = {
  readonly length: number
  /** Close time of the bar, epoch ms UTC. */
  readonly time: Float64Array
  /** cash + position_units · close. */
  readonly equity: Float64Array
  readonly cash: Float64Array
  /** Below 0 for a short. */
  readonly position_units: Float64Array
  /** (highest equity so far − equity) / highest, where the initial capital is the first high; ≥ 0. */
  readonly drawdown_fraction: Float64Array
}

/** The columns of `EquityCurve`, in the order to show them. */
export const equityColumns = ['time', 'equity', 'cash', 'position_units', 'drawdown_fraction'] as const

/** Fills an equity curve bar by bar. */
export class EquityRecorder {
  readonly curve: EquityCurve
  private readonly equity: Float64Array
  private readonly cash: Float64Array
  private readonly units: Float64Array
  private readonly drawdown: Float64Array
  private peak: number

  /** @param closeTimes of the bars to come, epoch ms UTC */
  constructor(closeTimes: Float64Array, initialCapital: number) {
    const { length } = closeTimes
    this.peak = initialCapital
    this.equity = new Float64Array(length)
    this.cash = new Float64Array(length)
    this.units = new Float64Array(length)
    this.drawdown = new Float64Array(length)
    this.curve = {
      length,
      time: closeTimes.slice(),
      equity: this.equity,
      cash: this.cash,
      position_units: this.units,
      drawdown_fraction: this.drawdown,
    }
  }

  /** Writes point i, with the position valued at the close of its bar. Points are written in order. */
  mark(i: number, account: { readonly cash: number; readonly units: number }, close: number): void {
    const { cash, units } = account
    const equity = cash + units * close
    if (equity > this.peak) this.peak = equity
    this.equity[i] = equity
    this.cash[i] = cash
    this.units[i] = units
    this.drawdown[i] = (this.peak - equity) / this.peak
  }
}
