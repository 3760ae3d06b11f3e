import { type Bars, barFields } from './bars.ts'
import { fewestReturns, spikeMultiple, staleRunLength, volumeBlock } from './quality-checks.ts'
import { medianInPlace } from './quality-median.ts'
import { isDate, type QualityTally } from './quality-tally.ts'
import type { Timeframe } from './timeframe.ts'

/** Checks of each bar alone and of the order of times. */
export function checkRows(bars: Bars, tally: QualityTally): void {
  for (let i = 0; i < bars.length; i++) {
    checkTime(bars, i, tally)
    if (isFiniteBar(bars, i)) checkPrices(bars, i, tally)
    else reportNotFinite(bars, i, tally)
  }
  if (bars.length > 0 && tally.countOf('zero_volume') === bars.length) tally.judge('zero_volume', 'info')
}

function checkTime({ time: times }: Bars, i: number, tally: QualityTally): void {
  const time = times[i] as number
  const previous = i === 0 ? Number.NEGATIVE_INFINITY : (times[i - 1] as number)
  if (time === previous)
    tally.add('duplicate_time', { time, value: time }, () => 'has the open time of the bar before')
  if (time < previous)
    tally.add('not_increasing', { time, value: time }, () => `is ${previous - time} ms before the bar before`)
}

function isFiniteBar(bars: Bars, i: number): boolean {
  // The sum is finite only when every part is; it overflows for prices that no market has.
  const prices = (bars.open[i] as number) + (bars.high[i] as number) + (bars.low[i] as number)
  const others = (bars.close[i] as number) + (bars.volume[i] as number) + (bars.time[i] as number)
  return Number.isFinite(prices + others + (bars.close_time[i] as number)) && isDate(bars.time[i] as number)
}

function reportNotFinite(bars: Bars, i: number, tally: QualityTally): void {
  const time = bars.time[i] as number
  const field = barFields.find(name => !Number.isFinite(bars[name][i])) ?? 'time'
  tally.add('not_finite', { time, value: Number.NaN }, () => `${field} is ${bars[field][i]}`)
}

function checkPrices(bars: Bars, i: number, tally: QualityTally): void {
  const time = bars.time[i] as number
  const [open, high] = [bars.open[i] as number, bars.high[i] as number]
  const [low, close] = [bars.low[i] as number, bars.close[i] as number]
  const volume = bars.volume[i] as number
  const lowest = Math.min(open, high, low, close)
  if (lowest <= 0) tally.add('not_positive', { time, value: lowest }, () => `a price is ${lowest}`)
  if (high < low || open < low || open > high || close < low || close > high) {
    const outlying = high < low ? high : open < low || open > high ? open : close
    tally.add(
      'ohlc_order',
      { time, value: outlying },
      () => `open ${open}, high ${high}, low ${low}, close ${close}`,
    )
  }
  if (volume < 0) tally.add('negative_volume', { time, value: volume }, () => `the volume is ${volume}`)
  if (volume === 0) tally.add('zero_volume', { time, value: 0 }, () => 'nothing was traded')
}

/** Runs of bars that repeat the one before. */
export function checkStaleRuns(bars: Bars, timeframe: Timeframe, tally: QualityTally): void {
  const shortest = staleRunLength(timeframe)
  const repeats = (i: number) =>
    bars.close[i] === bars.close[i - 1] &&
    bars.open[i] === bars.open[i - 1] &&
    bars.high[i] === bars.high[i - 1] &&
    bars.low[i] === bars.low[i - 1]
  let first = 0
  for (let i = 1; i <= bars.length; i++) {
    if (i < bars.length && repeats(i)) continue
    const run = i - first
    if (run >= shortest)
      tally.add(
        'stale_run',
        { time: bars.time[first] as number, value: run, bars: run },
        () => `${run} bars in a row have the same prices`,
      )
    first = i
  }
}

/** Volumes against the median of their block: a global median would flag whatever a market grew into. */
export function checkVolumeSpikes({ length, time, volume }: Bars, tally: QualityTally): void {
  const block = new Float64Array(volumeBlock)
  for (let from = 0; from < length; from += volumeBlock) {
    const to = Math.min(length, from + volumeBlock)
    let traded = 0
    for (let i = from; i < to; i++) {
      const units = volume[i] as number
      if (units > 0 && units < Number.POSITIVE_INFINITY) block[traded++] = units
    }
    if (traded < fewestReturns) continue
    const median = medianInPlace(block, traded)
    for (let i = from; i < to; i++) {
      const multiple = (volume[i] as number) / median
      if (multiple > spikeMultiple)
        tally.add(
          'volume_spike',
          { time: time[i] as number, value: multiple },
          () => `the volume ${volume[i]} is ${multiple.toFixed(0)} times the median ${median}`,
        )
    }
  }
}
