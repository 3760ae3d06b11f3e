import { expect, test } from '@jest/globals'
import * as technical from 'technicalindicators'
import * as signals from 'trading-signals'
import { columnOf } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import { barAt } from '../../src/market/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'
import { walkOf } from '../fixtures/walks.ts'

const bars = walkOf(3, 1000)
const candles = Array.from({ length: bars.length }, (_, i) => barAt(bars, i))
const [high, low, close, volume] = [[...bars.high], [...bars.low], [...bars.close], [...bars.volume]]

/** Bars after which an average seeded otherwise has forgotten it. */
const seedForgotten = 500

type Comparison = readonly [
  type: string,
  output: string,
  params: IndicatorParams,
  theirs: readonly number[],
  from?: number,
]

/** What a streaming indicator gives for each input, NaN where it gives nothing. */
function stream<I, R>(
  indicator: { update(input: I, replace: boolean): R | null },
  inputs: readonly I[],
  pick: (result: R) => number,
): readonly number[] {
  return inputs.map(input => {
    const result = indicator.update(input, false)
    return result === null ? Number.NaN : pick(result)
  })
}

const same = (value: number) => value
const times100 = (value: number) => 100 * value

/** Puts the warm-up back that a library leaves out. */
function padded(values: readonly (number | undefined)[]): readonly number[] {
  const missing = Array.from({ length: bars.length - values.length }, () => Number.NaN)
  return [...missing, ...values.map(value => value ?? Number.NaN)]
}

/** Disagreement as a share of the greatest value; only bars where both have one. */
function disagreement([type, output, params, theirs, from = 0]: Comparison) {
  const spec = findIndicator(type)!
  const ours = columnOf(spec.compute(bars, { ...defaultsOf(spec), ...params }), output)
  let [most, greatest, compared] = [0, 0, 0]
  for (let i = from; i < bars.length; i++) {
    if (Number.isNaN(ours[i]!) || Number.isNaN(theirs[i]!)) continue
    compared++
    greatest = Math.max(greatest, Math.abs(ours[i]!))
    most = Math.max(most, Math.abs(ours[i]! - theirs[i]!))
  }
  return { share: most / greatest, compared }
}

const { BollingerBands, EMA } = signals

/** EMA, DEMA, TEMA, MACD, PPO and TSI start from the first value there, ATR and what follows from bar 0. */
const tradingSignals: readonly Comparison[] = [
  ['sma', 'value', { period: 20 }, stream(new signals.SMA(20), close, same)],
  ['ema', 'value', { period: 20 }, stream(new EMA(20), close, same), seedForgotten],
  ['wma', 'value', { period: 20 }, stream(new signals.WMA(20), close, same)],
  ['dema', 'value', { period: 20 }, stream(new signals.DEMA(20), close, same), seedForgotten],
  ['tema', 'value', { period: 20 }, stream(new signals.TEMA(20), close, same), seedForgotten],
  ['hma', 'value', { period: 20 }, stream(new signals.HMA(20), close, same)],
  ['kama', 'value', {}, stream(new signals.KAMA(10), close, same)],
  ['rsi', 'value', {}, stream(new signals.RSI(14), close, same)],
  ['stoch_rsi', 'k', {}, stream(new signals.StochasticRSI(14), close, times100)],
  ['roc', 'value', {}, stream(new signals.ROC(10), close, times100)],
  ['momentum', 'value', {}, stream(new signals.MOM(10), close, same)],
  ['cci', 'value', {}, stream(new signals.CCI(20), candles, same)],
  ['williams_r', 'value', {}, stream(new signals.WilliamsR(14), candles, same)],
  ['ultimate_oscillator', 'value', {}, stream(new signals.UltimateOscillator({}), candles, same)],
  ['rvi', 'rvi', {}, stream(new signals.RelativeVigorIndex(10), candles, ({ rvgi }) => rvgi)],
  ['rvi', 'signal', {}, stream(new signals.RelativeVigorIndex(10), candles, ({ signal }) => signal)],
  [
    'macd',
    'line',
    {},
    stream(new signals.MACD(new EMA(12), new EMA(26), new EMA(9)), close, ({ macd }) => macd),
    seedForgotten,
  ],
  [
    'ppo',
    'line',
    {},
    stream(new signals.PPO({ fastPeriod: 12, slowPeriod: 26 }), close, same),
    seedForgotten,
  ],
  ['tsi', 'line', {}, stream(new signals.TSI({}), close, same), seedForgotten],
  ['adx', 'adx', {}, stream(new signals.ADX(14), candles, same), seedForgotten],
  ['aroon', 'up', {}, stream(new signals.Aroon(14), candles, ({ aroonUp }) => aroonUp)],
  ['aroon', 'down', {}, stream(new signals.Aroon(14), candles, ({ aroonDown }) => aroonDown)],
  ['vortex', 'plus', {}, stream(new signals.VortexIndicator(14), candles, ({ plus }) => plus)],
  ['vortex', 'minus', {}, stream(new signals.VortexIndicator(14), candles, ({ minus }) => minus)],
  [
    'supertrend',
    'trend',
    {},
    stream(new signals.SuperTrend({ interval: 10, multiplier: 3 }), candles, ({ supertrend }) => supertrend),
    seedForgotten,
  ],
  ['ichimoku', 'kijun', {}, stream(new signals.IchimokuCloud({}), candles, ({ base }) => base)],
  ['ichimoku', 'tenkan', {}, stream(new signals.IchimokuCloud({}), candles, ({ conversion }) => conversion)],
  ['atr', 'value', {}, stream(new signals.ATR(14), candles, same), seedForgotten],
  ['natr', 'value', {}, stream(new signals.NATR(14), candles, same), seedForgotten],
  ['bollinger_bands', 'upper', {}, stream(new BollingerBands(20, 2), close, ({ upper }) => upper)],
  [
    'bollinger_band_width',
    'value',
    {},
    stream(new signals.BollingerBandsWidth(new BollingerBands(20, 2)), close, same),
  ],
  [
    'keltner',
    'lower',
    {},
    stream(new signals.KeltnerChannels({ emaInterval: 20, atrInterval: 10 }), candles, ({ lower }) => lower),
    seedForgotten,
  ],
  ['donchian', 'upper', {}, stream(new signals.DonchianChannels(20), candles, ({ upper }) => upper)],
  ['donchian', 'lower', {}, stream(new signals.DonchianChannels(20), candles, ({ lower }) => lower)],
  ['mfi', 'value', {}, stream(new signals.MFI(14), candles, same)],
  ['cmf', 'cmf', {}, stream(new signals.CMF(21), candles, same)],
  ['ad_line', 'line', {}, stream(new signals.AD(), candles, same)],
  ['chaikin_oscillator', 'value', {}, stream(new signals.ADOSC({}), candles, same), seedForgotten],
  ['vwap', 'value', { period: 0 }, stream(new signals.VWAP(), candles, same)],
]

const prices = { high, low, close }
const macd = technical.macd({
  values: close,
  fastPeriod: 12,
  slowPeriod: 26,
  signalPeriod: 9,
  SimpleMAOscillator: false,
  SimpleMASignal: false,
})
const adx = technical.adx({ period: 14, ...prices })
const fastStochastic = technical.stochastic({ period: 14, signalPeriod: 3, ...prices })

/** Its parabolic stop takes the first side otherwise, and agrees after a turn. */
const technicalIndicators: readonly Comparison[] = [
  ['sma', 'value', { period: 20 }, padded(technical.sma({ period: 20, values: close }))],
  ['ema', 'value', { period: 20 }, padded(technical.ema({ period: 20, values: close }))],
  ['wma', 'value', { period: 20 }, padded(technical.wma({ period: 20, values: close }))],
  ['macd', 'line', {}, padded(macd.map(value => value.MACD))],
  ['macd', 'signal', {}, padded(macd.map(value => value.signal))],
  ['atr', 'value', {}, padded(technical.atr({ period: 14, ...prices }))],
  ['adx', 'adx', {}, padded(adx.map(value => value.adx))],
  ['adx', 'plus_di', {}, padded(adx.map(value => value.pdi))],
  ['adx', 'minus_di', {}, padded(adx.map(value => value.mdi))],
  [
    'bollinger_bands',
    'lower',
    {},
    padded(technical.bollingerbands({ period: 20, stdDev: 2, values: close }).map(({ lower }) => lower)),
  ],
  ['cci', 'value', {}, padded(technical.cci({ period: 20, ...prices }))],
  ['williams_r', 'value', {}, padded(technical.williamsr({ period: 14, ...prices }))],
  ['stochastic', 'k', { smooth_k: 1 }, padded(fastStochastic.map(({ k }) => k))],
  ['stochastic', 'd', { smooth_k: 1 }, padded(fastStochastic.map(({ d }) => d))],
  ['roc', 'value', {}, padded(technical.roc({ period: 10, values: close }))],
  ['obv', 'value', {}, padded(technical.obv({ close, volume }))],
  ['parabolic_sar', 'value', {}, padded(technical.psar({ high, low, step: 0.02, max: 0.2 })), 100],
  ['trix', 'value', {}, padded(technical.trix({ period: 15, values: close }))],
  ['vwap', 'value', { period: 0 }, padded(technical.vwap({ ...prices, volume }))],
]

const comparisons = [
  ...tradingSignals.map(comparison => ({ library: 'trading-signals', comparison })),
  ...technicalIndicators.map(comparison => ({ library: 'technicalindicators', comparison })),
]

test.each(
  comparisons.map(({ library, comparison }) => [comparison[0], comparison[1], library, comparison] as const),
)('%s %s is that of %s', (_type, _output, _library, comparison) => {
  const { share, compared } = disagreement(comparison)
  expect(compared).toBeGreaterThanOrEqual(500)
  expect(share).toBeLessThan(1e-12)
})
