import type { Bars } from '../market/bars.ts'
import { drawBlocks } from '../statistics/bootstrap.ts'
import type { Random } from '../statistics/random.ts'

/**
 * Another history of the same market: the moves of the bars, drawn in blocks so that what follows what stays, laid one
 * after the other from the first open on. A move is open ÷ close before, and high, low and close ÷ open, with the
 * volume of its bar; the first bar's gap is none. Times stay, so sessions and annualisation do.
 * Several markets drawn with equal seeds and lengths move together as they did.
 * Source: circular block bootstrap, Politis and Romano 1992.
 * @param blockBars length of a block, ≥ 1
 */
export function bootstrapBars(bars: Bars, blockBars: number, random: Random): Bars {
  const { length, time, close_time } = bars
  const column = () => new Float64Array(length)
  const [open, high, low, close, volume] = [column(), column(), column(), column(), column()]
  const made: Bars = { length, time, close_time, open, high, low, close, volume }
  let written = 0
  drawBlocks(random, { length, block: blockBars, kind: 'circular' }, (from, to) => {
    for (let source = from; source < to; source++) layBar(bars, source, made, written++)
  })
  return made
}

/** Writes bar `at` with the move of bar `source`. */
function layBar(bars: Bars, source: number, made: Bars, at: number): void {
  const sourceOpen = bars.open[source] as number
  const gap = source === 0 ? 1 : sourceOpen / (bars.close[source - 1] as number)
  const open = at === 0 ? (bars.open[0] as number) : (made.close[at - 1] as number) * gap
  const scale = open / sourceOpen
  const close = (bars.close[source] as number) * scale
  made.open[at] = open
  made.close[at] = close
  // Rounding must not put the open or the close outside of the bar.
  made.high[at] = Math.max(open, close, (bars.high[source] as number) * scale)
  made.low[at] = Math.min(open, close, (bars.low[source] as number) * scale)
  made.volume[at] = bars.volume[source] as number
}
