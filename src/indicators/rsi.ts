import { createWilder, wilderSettling } from './average.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import { eachPiece, pieceLength, type Series } from './series.ts'
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
export function createRsi(period: number, flat: number): Series {
  const split = createSplit()
  const [averageGain, averageLoss] = [createWilder(period), createWilder(period)]
  return input => {
    const output = new Float64Array(input.length)
    const held = new Float64Array(Math.min(input.length, pieceLength))
    eachPiece(input.length, (from, to) => {
      const gains = output.subarray(from, to)
      const losses = held.subarray(0, to - from)
      split(input.subarray(from, to), gains, losses)
      toPercent(averageGain(gains, gains), averageLoss(losses, losses), flat)
    })
    return output
  }
}

/** Changes to the value before, as gains and losses ≥ 0. NaN where there is no value, or none before. */
function createSplit(): (input: Float64Array, gains: Float64Array, losses: Float64Array) => void {
  let held = Number.NaN
  return (input, gains, losses) => {
    let previous = held
    for (let i = 0; i < input.length; i++) {
      const value = input[i] as number
      const change = value - previous
      // The larger of change and 0 without a branch, which would be guessed wrong every second time.
      const size = Math.abs(change)
      gains[i] = (size + change) / 2
      losses[i] = (size - change) / 2
      if (!Number.isNaN(value)) previous = value
    }
    held = previous
  }
}

/**
 * Gains become 100·gain / (gain + loss), which is 100 − 100 / (1 + RS) without the division by a loss of zero.
 * @param flat value where nothing moved
 */
function toPercent(gains: Float64Array, losses: Float64Array, flat: number): void {
  for (let i = 0; i < gains.length; i++) {
    const gain = gains[i] as number
    const sum = gain + (losses[i] as number)
    gains[i] = sum === 0 ? flat : 100 * (gain / sum)
  }
}
