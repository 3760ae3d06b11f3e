import { adLine } from './ad_line.ts'
import { adx } from './adx.ts'
import { aroon } from './aroon.ts'
import { atr } from './atr.ts'
import { bollingerBandWidth } from './bollinger_band_width.ts'
import { bollingerBands } from './bollinger_bands.ts'
import { cci } from './cci.ts'
import { chaikinOscillator } from './chaikin_oscillator.ts'
import { cmf } from './cmf.ts'
import { dema } from './dema.ts'
import { distanceFromMa } from './distance_from_ma.ts'
import { donchian } from './donchian.ts'
import { ema } from './ema.ts'
import { fisher } from './fisher.ts'
import { hma } from './hma.ts'
import { ichimoku } from './ichimoku.ts'
import type { IndicatorSpec } from './indicator.ts'
import { kama } from './kama.ts'
import { keltner } from './keltner.ts'
import { macd } from './macd.ts'
import { mfi } from './mfi.ts'
import { momentum } from './momentum.ts'
import { natr } from './natr.ts'
import { obv } from './obv.ts'
import { parabolicSar } from './parabolic_sar.ts'
import { pivotPoints } from './pivot_points.ts'
import { ppo } from './ppo.ts'
import { realisedVolatility } from './realised_volatility.ts'
import { roc } from './roc.ts'
import { rsi } from './rsi.ts'
import { rvi } from './rvi.ts'
import { sessionVwap } from './session_vwap.ts'
import { sma } from './sma.ts'
import { squeezeIntensity } from './squeeze_intensity.ts'
import { stochRsi } from './stoch_rsi.ts'
import { stochastic } from './stochastic.ts'
import { supertrend } from './supertrend.ts'
import { tema } from './tema.ts'
import { trix } from './trix.ts'
import { tsi } from './tsi.ts'
import { ulcerIndex } from './ulcer_index.ts'
import { ultimateOscillator } from './ultimate_oscillator.ts'
import { volumeRatio } from './volume_ratio.ts'
import { vortex } from './vortex.ts'
import { vwap } from './vwap.ts'
import { williamsR } from './williams_r.ts'
import { wma } from './wma.ts'
import { type LabelTool, zigzag } from './zigzag.ts'

/** THE list of indicators: the engine, the validator, the API and the docs all read it. None looks ahead. */
export const indicators: readonly IndicatorSpec[] = [
  ...[sma, ema, wma, dema, tema, hma, kama, distanceFromMa],
  ...[rsi, stochastic, stochRsi, williamsR, cci, roc, momentum, rvi, fisher, ultimateOscillator],
  ...[macd, ppo, trix, tsi, adx, aroon, vortex, supertrend, parabolicSar, ichimoku],
  ...[atr, natr, bollingerBands, bollingerBandWidth, keltner, donchian, squeezeIntensity],
  ...[realisedVolatility, ulcerIndex],
  ...[mfi, obv, cmf, adLine, chaikinOscillator, vwap, sessionVwap, volumeRatio],
  pivotPoints,
]

/** What repaints: for labels and charts, never for features and rules. */
export const labelTools: readonly LabelTool[] = [zigzag]

/** Every indicator type. */
export const indicatorTypes: readonly string[] = indicators.map(spec => spec.type)

const byType = new Map(indicators.map(spec => [spec.type, spec]))

/** The indicator of that type, or undefined. */
export function findIndicator(type: string): IndicatorSpec | undefined {
  return byType.get(type)
}

/** The label tool of that type, or undefined. */
export function findLabelTool(type: string): LabelTool | undefined {
  return labelTools.find(tool => tool.type === type)
}
