import { createTrueRange } from '../indicators/true-range.ts'
import type { Bars } from '../market/bars.ts'
import { type Checkpoint, checkpointBars } from './label-columns.ts'

/**
 * Size of a usual move per bar as a fraction of the price, known at the bar's close: `atr`, the exponentially weighted
 * mean of the true range over the close; `returns`, the exponentially weighted sample standard deviation of log
 * returns. Weights decay by 1 − 2 / (span + 1) a bar. Both need the bar before, so the first value, after `span` of
 * them, is at bar `span`.
 * Sources: López de Prado 2018, snippet 3.1; weights and bias as `ewm(span, adjust=True)` of pandas;
 * updating by West 1979.
 */
export function measureVolatility(
  bars: Bars,
  { method, span }: { readonly method: 'atr' | 'returns'; readonly span: number },
  checkpoint: Checkpoint,
): Float64Array {
  const moves = method === 'atr' ? rangesOf(bars) : returnsOf(bars)
  const output = new Float64Array(bars.length).fill(Number.NaN)
  const keep = 1 - 2 / (span + 1)
  let weight = 0
  let squaredWeight = 0
  let mean = 0
  let squares = 0
  for (let i = 1; i < moves.length; i++) {
    if (i % checkpointBars === 0) checkpoint()
    const move = moves[i] as number
    const distance = move - mean
    weight = weight * keep + 1
    squaredWeight = squaredWeight * keep * keep + 1
    mean += distance / weight
    squares = squares * keep + distance * (move - mean)
    if (i < span) continue
    output[i] = method === 'atr' ? mean : Math.sqrt(squares / (weight - squaredWeight / weight))
  }
  return output
}

function rangesOf(bars: Bars): Float64Array {
  const ranges = createTrueRange()(bars)
  for (let i = 0; i < ranges.length; i++) ranges[i] = (ranges[i] as number) / (bars.close[i] as number)
  return ranges
}

/** NaN on bar 0. */
function returnsOf({ close }: Bars): Float64Array {
  return close.map((price, i) => Math.log(price / (close[i - 1] ?? Number.NaN)))
}
