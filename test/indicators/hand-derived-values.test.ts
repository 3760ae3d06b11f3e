import { describe, expect, test } from '@jest/globals'
import { columnOf } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import type { Bars } from '../../src/market/bars.ts'
import { barsOf, barsOfCloses } from '../fixtures/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'

const _ = Number.NaN

type Row = readonly [open: number, high: number, low: number, close: number, volume: number]

function barsOfRows(rows: readonly Row[]): Bars {
  return barsOf(rows.map(([open, high, low, close, volume]) => ({ open, high, low, close, volume })))
}

/** Compares to 12 digits. */
function expectValues(
  type: string,
  bars: Bars,
  params: IndicatorParams,
  outputs: Record<string, readonly number[]>,
) {
  const spec = findIndicator(type)!
  const columns = spec.compute(bars, { ...defaultsOf(spec), ...params })
  for (const [output, expected] of Object.entries(outputs)) {
    const actual = [...columnOf(columns, output)].map(value => Number(value.toPrecision(12)))
    expect([output, ...actual]).toEqual([output, ...expected.map(value => Number(value.toPrecision(12)))])
  }
}

const rows: readonly Row[] = [
  [10, 12, 8, 11, 100],
  [11, 14, 10, 13, 200],
  [13, 15, 11, 12, 0],
  [12, 13, 7, 8, 400],
  [8, 10, 8, 10, 100],
]
const bars = barsOfRows(rows)

describe('averages', () => {
  test('WMA weighs the newest most', () => {
    // (1·1 + 2·2 + 3·6)/6 = 23/6; (1·2 + 2·6 + 3·3)/6 = 23/6.
    expectValues('wma', barsOfCloses([1, 2, 6, 3]), { period: 3 }, { value: [_, _, 23 / 6, 23 / 6] })
  })

  test('DEMA and TEMA of period 2 seed each EMA with the mean of its first two values', () => {
    // EMA(2), k 2/3: 3 at bar 1, then 3 + (8 − 3)·2/3 = 19/3, 19/3 + (2 − 19/3)·2/3 = 31/9, then (5 − 31/9)·2/3 more = 121/27.
    // EMA of it: (3 + 19/3)/2 = 14/3 at bar 2, + (31/9 − 14/3)·2/3 = 104/27, + (121/27 − 104/27)·2/3 = 346/81.
    const closes = barsOfCloses([2, 4, 8, 2, 5])
    expectValues(
      'dema',
      closes,
      { period: 2 },
      { value: [_, _, 38 / 3 - 14 / 3, 62 / 9 - 104 / 27, 242 / 27 - 346 / 81] },
    )
    // Third: (14/3 + 104/27)/2 = 115/27 at bar 3, + (346/81 − 115/27)·2/3 = 1037/243.
    const value = [_, _, _, 31 / 3 - 104 / 9 + 115 / 27, 121 / 9 - 346 / 27 + 1037 / 243]
    expectValues('tema', closes, { period: 2 }, { value })
  })

  test('HMA of period 4 is a WMA of 2 over twice the WMA of 2 less the WMA of 4', () => {
    // WMA(2) of 9 12: 11, of 12 15: 14. WMA(4) at bar 3: (3 + 12 + 27 + 48)/10 = 9, at bar 4: 12.
    // 2·11 − 9 = 13, then 2·14 − 12 = 16; WMA(2) of these: (13 + 2·16)/3 = 15: no lag behind a straight line.
    expectValues('hma', barsOfCloses([3, 6, 9, 12, 15]), { period: 4 }, { value: [_, _, _, _, 15] })
  })

  test('KAMA follows a straight trend at the fast and noise at the slow speed', () => {
    // Period 2, fast 1 (c = 1), slow 3 (c = 1/2). Seed 4 at bar 1. Bar 2: |6 − 2| = 4 of path 4: c² = 1 → 6.
    // Bar 3: |4 − 4| = 0: c² = 1/4 → 6 + (4 − 6)/4 = 5.5. Bar 4: |4 − 6| of 2: c² = 1 → 4. Bar 5: nothing moved: c² = 1/4 → 4.
    const params = { period: 2, fast_period: 1, slow_period: 3 }
    expectValues('kama', barsOfCloses([2, 4, 6, 4, 4, 4]), params, { value: [_, _, 6, 5.5, 4, 4] })
  })

  test('distance from the average is in percent of the average', () => {
    expectValues('distance_from_ma', barsOfCloses([1, 3, 5]), { period: 2 }, { value: [_, 50, 25] })
    // EMA(2): 2, then 2 + 3·2/3 = 4.
    expectValues(
      'distance_from_ma',
      barsOfCloses([1, 3, 5]),
      { period: 2, ma_type: 'EMA' },
      { value: [_, 50, 25] },
    )
  })
})

describe('oscillators', () => {
  test('ROC and momentum compare with the close `period` bars before', () => {
    expectValues('roc', barsOfCloses([4, 5, 6, 4]), { period: 2 }, { value: [_, _, 50, -20] })
    expectValues('momentum', barsOfCloses([4, 5, 6, 4]), { period: 2 }, { value: [_, _, 2, -1] })
  })

  test('PPO is the MACD in percent of the slow EMA', () => {
    // EMA(1) is the close; EMA(3): 4 at bar 2, then 4 + (8 − 4)/2 = 6. Line 100·2/4 and 100·2/6; signal EMA(2): their mean.
    const line = [_, _, 50, 100 / 3]
    const signal = [_, _, _, (50 + 100 / 3) / 2]
    const params = { fast_period: 1, slow_period: 3, signal_period: 2 }
    expectValues('ppo', barsOfCloses([2, 4, 6, 8]), params, {
      line,
      signal,
      histogram: [_, _, _, (100 / 3 - 50) / 2],
    })
  })

  test('MACD seeds the fast EMA with the first bars, TA-Lib with those before bar slow_period', () => {
    // EMA(2) of 2 4 6 9: 3, 5, 23/3; seeded late: (4 + 6)/2 = 5 at bar 2. EMA(3): 4, then 4 + 5/2 = 6.5.
    const params = { fast_period: 2, slow_period: 3, signal_period: 2 }
    const line = [_, _, 1, 23 / 3 - 6.5]
    expectValues('macd', barsOfCloses([2, 4, 6, 9]), params, {
      line,
      signal: [_, _, _, (1 + 23 / 3 - 6.5) / 2],
    })
    // From 1 4 6: EMA(2) 2.5 then 2.5 + 3.5·2/3 = 29/6 against the late seed 5.
    const other = barsOfCloses([1, 4, 6])
    expectValues('macd', other, params, { line: [_, _, 29 / 6 - 11 / 3] })
    expectValues('macd', other, { ...params, convention: 'talib' }, { line: [_, _, 5 - 11 / 3] })
  })

  test('relative vigor weighs four bars 1 2 2 1', () => {
    // close − open: 1 2 −1 −4 2; high − low: 4 4 4 6 2. Bar 3: (1 + 4 − 2 − 4)/6 over (4 + 8 + 8 + 6)/6 = −1/26;
    // bar 4: (2 − 2 − 8 + 2)/6 over (4 + 8 + 12 + 2)/6 = −6/26. Signal of two: their mean.
    const outputs = { rvi: [_, _, _, -1 / 26, -6 / 26], signal: [_, _, _, _, -7 / 52] }
    expectValues('rvi', bars, { period: 1, signal_period: 2 }, outputs)
  })
})

describe('channels', () => {
  test('Donchian takes the current bar in, or leaves it out', () => {
    const upper = [_, 14, 15, 15, 13]
    const lower = [_, 8, 10, 7, 7]
    const middle = [_, 11, 12.5, 11, 10]
    expectValues('donchian', bars, { period: 2 }, { upper, middle, lower })
    const before = { upper: [_, _, 14, 15, 15], middle: [_, _, 11, 12.5, 11], lower: [_, _, 8, 10, 7] }
    expectValues('donchian', bars, { period: 2, exclude_current: true }, before)
  })

  test('Keltner lies ATRs around the EMA', () => {
    // True ranges from bar 1: 4 4 6 2. ATR(2): 4 at bar 2, then (4 + 6)/2 = 5, (5 + 2)/2 = 3.5.
    // EMA(3): 12 at bar 2, (12 + 8)/2 = 10, 10.
    expectValues(
      'keltner',
      bars,
      { period: 3, atr_period: 2, multiplier: 2 },
      {
        upper: [_, _, 20, 20, 17],
        middle: [_, _, 12, 10, 10],
        lower: [_, _, 4, 0, 3],
      },
    )
  })

  test('band width is the distance of the bands as a share of the middle', () => {
    // 2 and 4: mean 3, population deviation 1: (3 + 2 − (3 − 2))/3.
    expectValues('bollinger_band_width', barsOfCloses([2, 4, 4]), { period: 2 }, { value: [_, 4 / 3, 0] })
  })

  test('the squeeze is the smaller gap as a share of half the channel', () => {
    // Closes 10 10 10 12 with ranges of 4. EMA(2): 10 10 and 10 + 2·2/3 = 34/3; ATR(2): 4, 4. Channel ±8 around it.
    // Bands of 10 10: at 10: gaps 8 and 8 of 8: 1. Of 10 12: 11 ± 2: above 34/3 + 8 − 13, below 9 − (34/3 − 8) = 17/3.
    const range: readonly Row[] = [10, 10, 10, 12].map(close => [close, close + 2, close - 2, close, 1])
    expectValues(
      'squeeze_intensity',
      barsOfRows(range),
      { bb_period: 2, kc_period: 2 },
      { value: [_, _, 1, 17 / 24] },
    )
  })

  test('Ichimoku shows at each bar the cloud of so many bars before and the close against then', () => {
    const params = { tenkan_period: 1, kijun_period: 2, senkou_b_period: 3, displacement: 1 }
    // Middles of one bar: 10 12 13 10 9; of two: 11 12.5 11 10; of three: 11.5 11 11.
    expectValues('ichimoku', bars, params, {
      tenkan: [10, 12, 13, 10, 9],
      kijun: [_, 11, 12.5, 11, 10],
      senkou_a: [_, _, 11.5, 12.75, 10.5],
      senkou_b: [_, _, _, 11.5, 11],
      chikou: [_, 2, -1, -4, 2],
    })
  })

  test('pivot points are those of the session before', () => {
    // High 12, low 8, close 11: pivot 31/3, range 4.
    const pivot = 31 / 3
    const first = (outputs: Record<string, number>) =>
      Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, [_, value]]))
    const two = barsOfRows(rows.slice(0, 2))
    expectValues(
      'pivot_points',
      two,
      {},
      first({ pivot, r1: 38 / 3, s1: 26 / 3, r2: 43 / 3, s2: 19 / 3, r3: 50 / 3, s3: 14 / 3 }),
    )
    expectValues(
      'pivot_points',
      two,
      { method: 'fibonacci' },
      first({ pivot, r1: pivot + 1.528, s2: pivot - 2.472, r3: 43 / 3 }),
    )
    expectValues(
      'pivot_points',
      two,
      { method: 'camarilla' },
      first({ pivot: 11, r1: 11 + 1.1 / 3, s2: 11 - 2.2 / 3, r3: 12.1 }),
    )
  })
})

describe('volume', () => {
  test('OBV starts at 0, or as TA-Lib at the first volume', () => {
    expectValues('obv', bars, {}, { value: [0, 200, 200, -200, -100] })
    expectValues('obv', bars, { convention: 'talib' }, { value: [100, 300, 300, -100, 0] })
  })

  test('VWAP weighs prices by volume and is the price where there was none', () => {
    // Typical prices 31/3 37/3 38/3 28/3 28/3.
    const value = [_, (3100 + 7400) / 900, 37 / 3, 28 / 3, 28 / 3]
    expectValues('vwap', bars, { period: 2 }, { value })
    expectValues('vwap', bars, { period: 1, use_typical_price: false }, { value: [11, 13, 12, 8, 10] })
    const all = [11, 3700 / 300, 3700 / 300, 6900 / 700, 7900 / 800]
    expectValues('vwap', bars, { period: 0, use_typical_price: false }, { value: all })
  })

  test('the session’s VWAP begins anew with each session', () => {
    const spec = findIndicator('session_vwap')!
    const session = Float64Array.of(1, 1, 2, 2, 2)
    const value = columnOf(spec.compute({ ...bars, session }, {}), 'value')
    const expected = [31 / 3, 10500 / 900, 38 / 3, 28 / 3, 28 / 3]
    value.forEach((number, i) => {
      expect(number).toBeCloseTo(expected[i]!, 12)
    })
  })

  test('the volume ratio is 1 where there is nothing to compare', () => {
    expectValues('volume_ratio', bars, { period: 2 }, { value: [_, 4 / 3, 0, 2, 0.4] })
    const idle = barsOfRows(rows.map(([open, high, low, close]) => [open, high, low, close, 0]))
    expectValues('volume_ratio', idle, { period: 2 }, { value: [_, 1, 1, 1, 1] })
  })
})

describe('risk', () => {
  test('realised volatility is the sample deviation of log returns, annualised', () => {
    // Returns ln 2 and −ln 2: mean 0, sample variance 2·ln²2: ln 2 · √2 · √8 a year of 8.
    const expected = { value: [_, _, 4 * Math.LN2, 4 * Math.LN2] }
    expectValues(
      'realised_volatility',
      barsOfCloses([1, 2, 1, 2]),
      { period: 2, periods_per_year: 8 },
      expected,
    )
  })

  test('the ulcer index is the root mean square of drawdowns from the recent high', () => {
    // Drawdowns from bar 1, of the highest of two: 0, −50%, −0%. Root of (0 + 2500)/2, of (2500 + 0)/2.
    const expected = { value: [_, _, Math.sqrt(1250), Math.sqrt(1250)] }
    expectValues('ulcer_index', barsOfCloses([1, 2, 1, 1]), { period: 2 }, expected)
  })
})
