import { wilderSettling } from './average.ts'
import { conventionParam, isTalib, periodOf, periodParam } from './params.ts'
import type { Series } from './series.ts'
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
  const held: Averages = { previous: Number.NaN, changes: -1, gain: 0, loss: 0 }
  return input => {
    const output = new Float64Array(input.length)
    const from = seed(held, { period, flat }, input, output)
    follow(held, { period, flat }, input, output, from)
    return output
  }
}

/** Wilder’s averages; `changes` counts up to the seed, and is −1 before the first value. */
type Averages = { previous: number; changes: number; gain: number; loss: number }

type Settings = { readonly period: number; readonly flat: number }

/** Takes changes for the seed until it is complete. @returns index of the first value that is left */
function seed(held: Averages, { period, flat }: Settings, input: Float64Array, output: Float64Array): number {
  let i = 0
  for (; i < input.length && held.changes < period; i++) {
    output[i] = Number.NaN
    const value = input[i] as number
    if (Number.isNaN(value)) continue
    const change = value - held.previous
    held.previous = value
    held.changes++
    if (held.changes === 0) continue
    held.gain += (Math.max(change, 0) - held.gain) / held.changes
    held.loss += (Math.max(-change, 0) - held.loss) / held.changes
    if (held.changes === period) output[i] = percentOf(held.gain, held.loss, flat)
  }
  return i
}

/** Runs without a look at each value; a NaN among them shows at the end, and then they are gone through again. */
function follow(
  held: Averages,
  settings: Settings,
  input: Float64Array,
  output: Float64Array,
  from: number,
): void {
  const { flat } = settings
  const weight = 1 / settings.period
  let { previous, gain, loss } = held
  for (let i = from; i < input.length; i++) {
    const change = (input[i] as number) - previous
    previous = input[i] as number
    gain += weight * (Math.max(change, 0) - gain)
    loss += weight * (Math.max(-change, 0) - loss)
    output[i] = percentOf(gain, loss, flat)
  }
  if (Number.isNaN(gain)) passOver(held, settings, input, output, from)
  else Object.assign(held, { previous, gain, loss })
}

function passOver(
  held: Averages,
  { period, flat }: Settings,
  input: Float64Array,
  output: Float64Array,
  from: number,
): void {
  const weight = 1 / period
  for (let i = from; i < input.length; i++) {
    const value = input[i] as number
    output[i] = value
    if (Number.isNaN(value)) continue
    const change = value - held.previous
    held.previous = value
    held.gain += weight * (Math.max(change, 0) - held.gain)
    held.loss += weight * (Math.max(-change, 0) - held.loss)
    output[i] = percentOf(held.gain, held.loss, flat)
  }
}

/** gain / (gain + loss) is 1 − 1 / (1 + RS) without the division by a loss of zero. */
function percentOf(gain: number, loss: number, flat: number): number {
  const sum = gain + loss
  return sum === 0 ? flat : 100 * (gain / sum)
}
