import type { IndicatorInput } from './indicator.ts'

/**
 * Money flow multiplier: where the close stands between low and high, −1–1, 0 without range; and that times the
 * volume. Source: Chaikin; StockCharts “Accumulation Distribution Line”.
 */
export function moneyFlow({ length, high, low, close, volume }: IndicatorInput): {
  readonly multiplier: Float64Array
  readonly flow: Float64Array
} {
  const multiplier = new Float64Array(length)
  const flow = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const [top, bottom, now] = [high[i] as number, low[i] as number, close[i] as number]
    const place = top === bottom ? 0 : (now - bottom - (top - now)) / (top - bottom)
    multiplier[i] = place
    flow[i] = place * (volume[i] as number)
  }
  return { multiplier, flow }
}

/** Running sum of the money flow. */
export function createAdLine(): (flow: Float64Array) => Float64Array {
  let total = 0
  return flow => {
    const line = new Float64Array(flow.length)
    for (let i = 0; i < line.length; i++) {
      total += flow[i] as number
      line[i] = total
    }
    return line
  }
}
