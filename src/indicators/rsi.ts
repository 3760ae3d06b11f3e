import {
  fuseThrough,
  isBeforePair,
  type Smoothing,
  seriesOf,
  startWilder,
  wilderSettling,
} from './average.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import { pieceLength, type SeriesInto } from './series.ts'
import { defineOverSource, sourceParam } from './source.ts'

/**
 * Wilder's relative strength index, 0–100. Source: Wilder 1978, section VI; test/fixtures/rsi.ts.
 * technicalindicators rounds it to two decimals; indicatorts seeds the averages otherwise.
 */
export const rsi = defineOverSource({
  type: 'rsi',
  title: 'Relative strength index (Wilder)',
  description:
    'Share of gains in all changes of the source, 0–100, smoothed by Wilder’s average. First value at bar `period`, ' +
    'from the simple means of the first `period` gains and losses. 100 without losses; 50 when nothing moved.',
  params: {
    period: periodParam(14, 2),
    source: sourceParam,
    convention: conventionParam('gives 0 when nothing moved'),
  },
  output: { title: 'RSI', unit: 'percent', min: 0, max: 100 },
  pane: 'separate',
  lookback: periodOf,
  settling: params => wilderSettling(periodOf(params)),
  series: params => createRsi(periodOf(params), isTalib(params) ? 0 : 50),
})

/** @param flat value when nothing moved, 0–100 */
export function createRsi(period: number, flat: number): SeriesInto {
  const held: Strength = { gain: startWilder(period), loss: startWilder(period), previous: Number.NaN, flat }
  const [averageGain, averageLoss] = [seriesOf(held.gain), seriesOf(held.loss)]
  let losses = new Float64Array(0)
  return (input, output = new Float64Array(input.length)) => {
    const longest = Math.min(input.length, pieceLength)
    if (losses.length < longest) losses = new Float64Array(longest)
    const fuse = (from: number) => fusePairs(held, input, output, from)
    fuseThrough(input.length, [held.gain], fuse, (from, to) => {
      const gains = output.subarray(from, to)
      const rest = losses.subarray(0, to - from)
      split(held, input.subarray(from, to), gains, rest)
      toPercent(averageGain(gains, gains), averageLoss(rest, rest), flat)
    })
    return output
  }
}

/** The averages of gains and losses, which take and miss the same values, and the value before. */
type Strength = {
  readonly gain: Smoothing
  readonly loss: Smoothing
  previous: number
  readonly flat: number
}

/**
 * All steps at once for pairs of values without a NaN: the same bits as `split`, two averages and `toPercent`, of
 * which the processor does both chains together.
 * @returns index of the first value that is left
 */
function fusePairs(held: Strength, input: Float64Array, output: Float64Array, from: number): number {
  if (!isBeforePair(held.gain)) return from
  const { weight, both, newer } = held.gain
  const { flat } = held
  let { previous } = held
  let gain = held.gain.average
  let loss = held.loss.average
  let i = from
  for (; i + 1 < input.length; i += 2) {
    const first = input[i] as number
    const second = input[i + 1] as number
    const change = first - previous
    const size = Math.abs(change)
    const up = (size + change) / 2
    const down = (size - change) / 2
    const change2 = second - first
    const size2 = Math.abs(change2)
    const up2 = (size2 + change2) / 2
    const down2 = (size2 - change2) / 2
    const nextGain = gain + both * (up + newer * (up2 - up) - gain)
    const nextLoss = loss + both * (down + newer * (down2 - down) - loss)
    if (Number.isNaN(nextGain + nextLoss)) break
    output[i] = percentOf(gain + weight * (up - gain), loss + weight * (down - loss), flat)
    output[i + 1] = percentOf(nextGain, nextLoss, flat)
    gain = nextGain
    loss = nextLoss
    previous = second
  }
  held.gain.average = gain
  held.loss.average = loss
  held.previous = previous
  return i
}

/** Changes to the value before, as gains and losses ≥ 0. NaN where there is no value, or none before. */
function split(held: Strength, input: Float64Array, gains: Float64Array, losses: Float64Array): void {
  let { previous } = held
  for (let i = 0; i < input.length; i++) {
    const value = input[i] as number
    const change = value - previous
    // The larger of change and 0 without a branch, which would be guessed wrong every second time.
    const size = Math.abs(change)
    gains[i] = (size + change) / 2
    losses[i] = (size - change) / 2
    if (!Number.isNaN(value)) previous = value
  }
  held.previous = previous
}

/** @param flat value where nothing moved */
function toPercent(gains: Float64Array, losses: Float64Array, flat: number): void {
  for (let i = 0; i < gains.length; i++) gains[i] = percentOf(gains[i] as number, losses[i] as number, flat)
}

/** 100·gain / (gain + loss), which is 100 − 100 / (1 + RS) without the division by a loss of zero. */
function percentOf(gain: number, loss: number, flat: number): number {
  const sum = gain + loss
  return sum === 0 ? flat : 100 * (gain / sum)
}
