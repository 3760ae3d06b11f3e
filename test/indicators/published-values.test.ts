import { expect, test } from '@jest/globals'
import { atr } from '../../src/indicators/atr.ts'
import { ema } from '../../src/indicators/ema.ts'
import { columnOf, type IndicatorSpec } from '../../src/indicators/indicator.ts'
import { parabolicSar } from '../../src/indicators/parabolic_sar.ts'
import { findIndicator, indicatorTypes } from '../../src/indicators/registry.ts'
import { rsi } from '../../src/indicators/rsi.ts'
import { sma } from '../../src/indicators/sma.ts'
import { atrSheet } from '../fixtures/atr.ts'
import { barsOf, barsOfCloses } from '../fixtures/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'
import { movingAverageSheet } from '../fixtures/moving-averages.ts'
import { publications } from '../fixtures/published-values.ts'
import { rsiSheet } from '../fixtures/rsi.ts'
import { talibBars } from '../fixtures/talib-bars.ts'
import { otherProgramsValues, talibValues, wilderSar } from '../fixtures/talib-values.ts'

function expectNear(actual: Float64Array, expected: readonly number[], tolerance: number) {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs((actual[i] as number) - value)).toBeLessThanOrEqual(tolerance)
  })
}

const closesOf = (spec: IndicatorSpec, closes: readonly number[], period: number) =>
  columnOf(spec.compute(barsOfCloses(closes), { ...defaultsOf(spec), period }), 'value')

test('RSI gives the numbers StockCharts publishes', () => {
  const value = closesOf(rsi, rsiSheet.closes, rsiSheet.period)
  expectNear(value.subarray(rsiSheet.period), rsiSheet.values, 0.005)
})

test('SMA and EMA give the numbers StockCharts publishes', () => {
  const { period, closes } = movingAverageSheet
  expectNear(closesOf(sma, closes, period).subarray(period - 1), movingAverageSheet.sma, 0.011)
  expectNear(closesOf(ema, closes, period).subarray(period - 1), movingAverageSheet.ema, 0.011)
})

test('ATR gives the numbers StockCharts publishes', () => {
  const bars = barsOf(atrSheet.rows.map(([high, low, close]) => ({ open: close, high, low, close })))
  const value = columnOf(atr.compute(bars, { period: atrSheet.period }), 'value')
  expectNear(value.subarray(atrSheet.period), atrSheet.values, 0.011)
})

const knownValues = [
  ...talibValues.map(value => ['TA-Lib', value] as const),
  ...otherProgramsValues.map(value => ['another program', value] as const),
]

test.each(
  knownValues.map(([source, value]) => [value.type, value.output, value.bar, source, value] as const),
)('%s %s at bar %d is what %s gives', (type, output, bar, _source, { params, value, within }) => {
  const spec = findIndicator(type)!
  const column = columnOf(spec.compute(talibBars, { ...defaultsOf(spec), ...params }), output)
  expect(Math.abs(column[bar]! - value)).toBeLessThanOrEqual(within)
})

test('the parabolic stops of Wilder’s example are his', () => {
  const { highs, lows, stops } = wilderSar
  const bars = barsOf(highs.map((high, i) => ({ open: high, high, low: lows[i]!, close: high })))
  const column = columnOf(parabolicSar.compute(bars, defaultsOf(parabolicSar)), 'value')
  for (const [bar, stop] of Object.entries(stops))
    expect(Math.abs(column[Number(bar)]! - stop)).toBeLessThanOrEqual(0.005)
})

test.each(publications.map(publication => [publication.type, publication.source, publication] as const))(
  '%s gives the numbers of %s',
  (type, _source, { params, bars, values, within }) => {
    const spec = findIndicator(type)!
    const columns = spec.compute(bars, { ...defaultsOf(spec), ...params })
    for (const [output, byBar] of Object.entries(values)) {
      const column = columnOf(columns, output)
      for (const [bar, value] of Object.entries(byBar))
        expect([output, bar, Math.abs(column[Number(bar)]! - value) <= within]).toEqual([output, bar, true])
    }
  },
)

// ta4j 0.22.6 in TA-Lib’s test_kc.c. Its middle is the average of (high + low + close) / 3, so only the width is ours;
// our middle is the EMA of the close, whose published numbers stand above.
test.each([
  [8, 1.5, 200, 115.64127560116764, 103.53592990964667],
  [8, 1.5, 225, 106.9941767789163, 94.55789863407092],
  [4, 3, 225, 116.34064574172066, 91.46808945202991],
  [4, 3, 251, 115.89326431782158, 101.74539126790228],
])(
  'the Keltner channel of an EMA of %d and %d ATRs is as wide at bar %d as that of ta4j',
  (period, multiplier, bar, upper, lower) => {
    const params = { period, atr_period: 4, multiplier }
    const { upper: ours, lower: below, middle } = findIndicator('keltner')!.compute(talibBars, params)
    expect(ours![bar]! - below![bar]!).toBeCloseTo(upper - lower, 10)
    expect(middle).toEqual(columnOf(ema.compute(talibBars, { ...defaultsOf(ema), period }), 'value'))
  },
)

// No one publishes numbers of the squeeze as a share: of Carter’s squeeze others give only whether the bands lie inside.
// It is made of two indicators whose numbers are published, so it is held to these.
test('the squeeze is what the Bollinger bands and the Keltner channels of the same bars say', () => {
  const [bands, channels, squeeze] = (['bollinger_bands', 'keltner', 'squeeze_intensity'] as const).map(
    type => {
      const spec = findIndicator(type)!
      return spec.compute(talibBars, {
        ...defaultsOf(spec),
        ...(type === 'keltner' ? { atr_period: 20 } : {}),
      })
    },
  )
  const [seen, expected]: [number[], number[]] = [[], []]
  for (let bar = 20; bar < talibBars.length; bar++) {
    const half = (channels!.upper![bar]! - channels!.lower![bar]!) / 2
    const above = channels!.upper![bar]! - bands!.upper![bar]!
    const below = bands!.lower![bar]! - channels!.lower![bar]!
    seen.push(squeeze!.value![bar]!)
    expected.push(above > 0 && below > 0 ? Math.min(above, below) / half : 0)
  }
  seen.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 12)
  })
  expect(seen.filter(value => value > 0).length).toBeGreaterThan(20)
  expect(seen.filter(value => value === 0).length).toBeGreaterThan(20)
})

test('every indicator is held to published numbers, the squeeze by way of its parts', () => {
  const published = new Set([
    ...knownValues.map(([, { type }]) => type),
    ...publications.map(({ type }) => type),
  ])
  const here = ['parabolic_sar', 'keltner', 'squeeze_intensity']
  expect(indicatorTypes.filter(type => !published.has(type)).toSorted()).toEqual(here.toSorted())
})

// Computed by hand, exact in binary.
test('SMA of 1 2 3 6 with period 2 is 1.5 2.5 4.5', () => {
  expect([...closesOf(sma, [1, 2, 3, 6], 2)]).toEqual([Number.NaN, 1.5, 2.5, 4.5])
})

test('EMA starts from the mean of the first bars and then moves 2 / (n + 1) of the way', () => {
  // Mean of 2 4 6 is 4; k = 1/2: 4 + (8 − 4)/2 = 6; 6 + (2 − 6)/2 = 4.
  expect([...closesOf(ema, [2, 4, 6, 8, 2], 3)]).toEqual([Number.NaN, Number.NaN, 4, 6, 4])
})

test('RSI of period 2 follows Wilder step by step', () => {
  // Changes +2 −2: gain 1, loss 1 → 50. Then +4: gain (1·1 + 4)/2 = 2.5, loss 0.5 → 100 · 2.5/3.
  expect([...closesOf(rsi, [10, 12, 10, 14], 2)]).toEqual([Number.NaN, Number.NaN, 50, 100 * (2.5 / 3)])
})

test('ATR of period 2 has no true range on bar 0 and counts gaps', () => {
  const bars = barsOf([
    { open: 10, high: 11, low: 9, close: 10 },
    { open: 10, high: 12, low: 10, close: 12 }, // 2
    { open: 16, high: 16, low: 15, close: 15 }, // gap up: 16 − 12 = 4
    { open: 10, high: 11, low: 10, close: 10 }, // gap down: 15 − 10 = 5
  ])
  expect([...columnOf(atr.compute(bars, { period: 2 }), 'value')]).toEqual([Number.NaN, Number.NaN, 3, 4])
})

test('RSI is 100 when nothing fell, 0 when nothing rose and 50 when nothing moved', () => {
  const up = Array.from({ length: 30 }, (_, i) => 10 + i * 0.1)
  expect(closesOf(rsi, up, 14).at(-1)).toBe(100)
  expect(closesOf(rsi, up.toReversed(), 14).at(-1)).toBe(0)
  expect(closesOf(rsi, up.fill(10), 14).at(-1)).toBe(50)
})

test('a huge value leaves no trace in the SMA one window later', () => {
  const closes = [1e15, ...Array.from({ length: 20 }, () => 0.1)]
  expect(closesOf(sma, closes, 5).at(-1)).toBeCloseTo(0.1, 15)
})
