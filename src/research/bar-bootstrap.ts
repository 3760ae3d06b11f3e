import type { Bars } from '../market/bars.ts'
import { drawBlocks } from '../statistics/bootstrap.ts'
import type { Random } from '../statistics/random.ts'

/** What a history is drawn from, and into. */
type BootstrapPlan = {
  /** First bar that is drawn, 0 ≤ from < length. */
  readonly from: number
  /** Length of a block, ≥ 1. */
  readonly blockBars: number
  /** Memory to write to: the history that was drawn into it before is lost. Default: new memory. */
  readonly into?: DrawnColumns
}

/** Memory of one history, for those who draw one after the other. */
export class DrawnColumns {
  private memory = new Float64Array(0)

  /** Gives it back at once. */
  release(): void {
    this.memory.buffer.transfer(0)
    this.memory = new Float64Array(0)
  }

  /** Open, high, low, close and volume: `length` numbers each, to be overwritten. */
  take(
    length: number,
  ): readonly [
    open: Float64Array,
    high: Float64Array,
    low: Float64Array,
    close: Float64Array,
    volume: Float64Array,
  ] {
    if (this.memory.length < 5 * length) this.memory = new Float64Array(5 * length)
    const column = (k: number) => this.memory.subarray(k * length, (k + 1) * length)
    return [column(0), column(1), column(2), column(3), column(4)]
  }
}

/**
 * Another history of the same market: the moves of the bars from `from` on, drawn in blocks so that what follows what
 * stays, laid one after the other from the open of that bar on. A move is open ÷ close before, and high, low and close
 * ÷ open, with the volume of its bar; the gap of the first bar of all is none. Bars before `from` stay as they were.
 * Times stay, so sessions and annualisation do. Several markets drawn with equal seeds and as many bars from `from` on
 * move together as they did.
 * Source: circular block bootstrap, Politis and Romano 1992.
 */
export function bootstrapBars(bars: Bars, plan: BootstrapPlan, random: Random): Bars {
  const { from, blockBars, into = new DrawnColumns() } = plan
  const { length, time, close_time } = bars
  const [open, high, low, close, volume] = into.take(length)
  const made: Bars = { length, time, close_time, open, high, low, close, volume }
  for (const field of ['open', 'high', 'low', 'close', 'volume'] as const)
    made[field].set(bars[field].subarray(0, from))
  let written = from
  drawBlocks(random, { length: length - from, block: blockBars, kind: 'circular' }, (first, end) => {
    for (let source = from + first; source < from + end; source++)
      layBar(bars, source, made, { at: written++, from })
  })
  return made
}

/** Writes bar `at` with the move of bar `source`. @param place.from where the new history begins */
function layBar(bars: Bars, source: number, made: Bars, { at, from }: { at: number; from: number }): void {
  const sourceOpen = bars.open[source] as number
  const gap = source === 0 ? 1 : sourceOpen / (bars.close[source - 1] as number)
  const open = at === from ? (bars.open[from] as number) : (made.close[at - 1] as number) * gap
  const scale = open / sourceOpen
  const close = (bars.close[source] as number) * scale
  made.open[at] = open
  made.close[at] = close
  // Rounding must not put the open or the close outside of the bar.
  made.high[at] = Math.max(open, close, (bars.high[source] as number) * scale)
  made.low[at] = Math.min(open, close, (bars.low[source] as number) * scale)
  made.volume[at] = bars.volume[source] as number
}
