import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { type IndicatorParams, numberOf, numberParam, type ParamFault } from './params.ts'

/**
 * Parabolic stop and reverse. Source: Wilder 1978, section II. Wilder starts it from a trade; here, as in TA-Lib, the
 * first side is that of the directional movement at bar 1. technicalindicators chooses otherwise and agrees after a turn;
 * trading-signals turns only when a stop is passed, not reached, and moves new stops by a cent.
 */
export const parabolicSar = defineIndicator({
  type: 'parabolic_sar',
  title: 'Parabolic stop and reverse',
  description:
    'A stop, in price units, that moves towards the extreme of its trend by a factor of the distance each bar: ' +
    '`initial_af` after a turn, `step_af` more at each new extreme, `max_af` at most; never beyond the last two lows ' +
    '(highs). It turns when a bar reaches it. First value at bar 1; there the trend falls if the low fell by more than ' +
    'the high rose (Wilder 1978; as TA-Lib). Unbounded memory: the side depends on every turn before.',
  params: {
    initial_af: numberParam(0.02, 0.001, 1, 'Factor after a turn'),
    step_af: numberParam(0.02, 0, 1, 'Added to the factor at each new extreme'),
    max_af: numberParam(0.2, 0.001, 1, 'Greatest factor'),
  },
  outputs: [{ name: 'value', title: 'SAR', unit: 'price' }],
  pane: 'overlay',
  check: checkFactors,
  lookback: () => 1,
  settling: () => null,
  start(params) {
    const advance = createSar(params)
    return input => ({ value: advance(input) })
  },
})

/** A trend and its stop. Falling trends are kept upside down: `side` −1 and every price negated. */
type Trend = {
  readonly side: 1 | -1
  stop: number
  /** The highest high of the trend, or its lowest low negated. */
  extreme: number
  factor: number
}

type HighLow = { readonly high: number; readonly low: number }

/** What the stop may not be beyond: the lows of this bar and the one before, or their highs negated. */
type Near = { readonly now: number; readonly before: number }

function createSar(params: IndicatorParams): (input: IndicatorInput) => Float64Array {
  const factors = {
    initial: numberOf(params, 'initial_af'),
    step: numberOf(params, 'step_af'),
    most: numberOf(params, 'max_af'),
  }
  let previous: HighLow | null = null
  let trend: Trend | null = null
  return ({ length, high: highs, low: lows }) => {
    const output = new Float64Array(length)
    for (let i = 0; i < length; i++) {
      const bar = { high: highs[i] as number, low: lows[i] as number }
      let before = previous
      previous = bar
      if (before === null) {
        output[i] = Number.NaN
        continue
      }
      if (trend === null) {
        trend = beginTrend(bar, before, factors.initial)
        // The first stop is kept off one bar only.
        before = bar
      }
      const turned = turnTrend(trend, bar, before, factors.initial)
      output[i] = (turned ?? trend).side * (turned ?? trend).stop
      if (turned === null) extendTrend(trend, bar, factors)
      else trend = turned
      const near = nearOf(trend.side, bar, before)
      trend.stop = Math.min(trend.stop + trend.factor * (trend.extreme - trend.stop), near.now, near.before)
    }
    return output
  }
}

function beginTrend(bar: HighLow, before: HighLow, factor: number): Trend {
  const fall = before.low - bar.low
  if (fall > 0 && fall > bar.high - before.high)
    return { side: -1, stop: -before.high, extreme: -bar.low, factor }
  return { side: 1, stop: before.low, extreme: bar.high, factor }
}

/** The trend to the other side when the bar reaches the stop, else null. */
function turnTrend(trend: Trend, bar: HighLow, before: HighLow, factor: number): Trend | null {
  if (nearOf(trend.side, bar, before).now > trend.stop) return null
  const side = trend.side === 1 ? -1 : 1
  const near = nearOf(side, bar, before)
  const stop = Math.min(-trend.extreme, near.now, near.before)
  return { side, stop, extreme: extremeOf(side, bar), factor }
}

function extendTrend(
  trend: Trend,
  bar: HighLow,
  factors: { readonly step: number; readonly most: number },
): void {
  const reached = extremeOf(trend.side, bar)
  if (reached <= trend.extreme) return
  trend.extreme = reached
  trend.factor = Math.min(factors.most, trend.factor + factors.step)
}

function extremeOf(side: 1 | -1, bar: HighLow): number {
  return side === 1 ? bar.high : -bar.low
}

function nearOf(side: 1 | -1, bar: HighLow, before: HighLow): Near {
  return side === 1 ? { now: bar.low, before: before.low } : { now: -bar.high, before: -before.high }
}

function checkFactors(params: IndicatorParams): ParamFault | null {
  const most = numberOf(params, 'max_af')
  const initial = numberOf(params, 'initial_af')
  if (initial <= most) return null
  return { param: 'max_af', message: `${most} should be at least initial_af, which is ${initial}` }
}
