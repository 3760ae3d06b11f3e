import type { Bars } from '../market/bars.ts'
import type { IntrabarMode } from './backtest-config.ts'
import type { Broker } from './broker.ts'
import { ambiguousOutcome, IntrabarPath, outcomes, type PathEntry } from './intrabar.ts'
import { exitCodes } from './trades.ts'

/** How a position gets into a bar; `price` is looked at where it is entered inside it. */
export type Begin = { readonly entered: PathEntry; readonly price: number }

/** Held from the open. */
export const fromOpen: Begin = { entered: 'held', price: Number.NaN }

/** Ends the positions of one market at their levels, inside a bar. */
export class LevelExits {
  private readonly broker: Broker
  private readonly bars: Bars
  private readonly mode: IntrabarMode
  private readonly path = new IntrabarPath()

  constructor(broker: Broker, bars: Bars, mode: IntrabarMode) {
    this.broker = broker
    this.bars = bars
    this.mode = mode
  }

  /** Ends the position at the level it meets in bar j of `view`, which is bar i or lies inside it. */
  pass(view: Bars, j: number, i: number, { entered, price }: Begin): void {
    const { broker, path } = this
    const { position } = broker
    const { bracket } = position
    const isLong = position.units > 0
    const sign = isLong ? 1 : -1
    path.isLong = isLong
    path.entered = entered
    path.entry = sign * price
    path.open = sign * (view.open[j] as number)
    path.best = isLong ? (view.high[j] as number) : -(view.low[j] as number)
    path.worst = isLong ? (view.low[j] as number) : -(view.high[j] as number)
    path.close = sign * (view.close[j] as number)
    path.adverse = sign * bracket.adverse
    // What the open has of the target is filled there.
    const isTargetPast = entered === 'held' && path.open >= sign * bracket.target
    path.favourable = broker.isStopping() || isTargetPast ? Number.NaN : sign * bracket.target
    const kind = this.resolve()
    const timeMs = this.bars.close_time[i] as number
    if (kind === outcomes.favourable) broker.leave(i, timeMs, bracket.target, exitCodes.target)
    if (kind !== outcomes.adverse) return
    this.leaveAt(bracket.adverse, i)
    if (position.units === 0 || !bracket.isClosedOutAt(sign * path.worst)) return
    // The volume did not fill the stop: the price goes on with what is left.
    path.adverse = sign * bracket.closeout
    path.favourable = Number.NaN
    if (this.resolve() === outcomes.adverse) this.leaveAt(bracket.closeout, i)
  }

  /** What ends the position on the path that is set. */
  private resolve(): number {
    const outcome = this.path.resolve(this.mode)
    if (outcome >= ambiguousOutcome) this.broker.position.isAmbiguous = true
    return outcome % ambiguousOutcome
  }

  /** Leaves at an adverse level, or where the path begins if that is worse: then the level was behind it from the start. */
  private leaveAt(level: number, i: number): void {
    const { broker, path } = this
    const { bracket, units } = broker.position
    const begin = path.entered === 'held' ? path.open : path.entry
    const price = units > 0 ? Math.min(level, begin) : Math.max(level, 0 - begin)
    broker.leave(i, this.bars.close_time[i] as number, price, bracket.stopReason(price))
  }
}
