import { type Checkpoint, checkpointBars } from './label-columns.ts'

/**
 * Bars at which the log return summed since the last event, upwards or downwards, has passed a limit: 1 there, 0
 * elsewhere. Each sum starts again at 0 whenever it would cross it and after an event of its own.
 * @param limits one per bar, known at its close; sums begin on the first bar that has one (is not NaN)
 * Source: López de Prado 2018, snippet 2.4 (symmetric CUSUM filter).
 */
export function findEvents(close: Float64Array, limits: Float64Array, checkpoint: Checkpoint): Uint8Array {
  const events = new Uint8Array(close.length)
  let up = 0
  let down = 0
  for (let i = 1; i < close.length; i++) {
    if (i % checkpointBars === 0) checkpoint()
    const limit = limits[i] as number
    if (Number.isNaN(limit)) continue
    const move = Math.log((close[i] as number) / (close[i - 1] as number))
    up = Math.max(0, up + move)
    down = Math.min(0, down + move)
    if (down < -limit) {
      down = 0
      events[i] = 1
    } else if (up > limit) {
      up = 0
      events[i] = 1
    }
  }
  return events
}
