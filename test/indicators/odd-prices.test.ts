import { expect, test } from '@jest/globals'
import { columnOf } from '../../src/indicators/indicator.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import { barsOfCloses } from '../fixtures/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'

test('with nothing moving every indicator that has a middle is on it', () => {
  const still = barsOfCloses(Array.from({ length: 80 }, () => 0.1))
  const middles: Record<string, number> = {
    rsi: 50,
    stochastic: 50,
    stoch_rsi: 50,
    williams_r: -50,
    mfi: 50,
    ultimate_oscillator: 50,
    cci: 0,
    tsi: 0,
    rvi: 0,
    fisher: 0,
    cmf: 0,
    adx: 0,
    vortex: 1,
    volume_ratio: 1,
    squeeze_intensity: 0,
    sma: 0.1,
    ema: 0.1,
    wma: 0.1,
    hma: 0.1,
    kama: 0.1,
    vwap: 0.1,
    bollinger_bands: 0.1,
    macd: 0,
  }
  for (const [type, middle] of Object.entries(middles)) {
    const spec = findIndicator(type)!
    const column = columnOf(spec.compute(still, defaultsOf(spec)), spec.outputs[0]!.name)
    expect([type, Number(column.at(-1)!.toPrecision(14))]).toEqual([type, middle])
  }
})

test('a cross of a flat market with its own average never happens: the average of equal closes is the close', () => {
  for (const type of ['sma', 'wma', 'ema']) {
    const spec = findIndicator(type)!
    for (const close of [0.1, 0.7, 1.1, 1e12 / 3]) {
      const flat = barsOfCloses(Array.from({ length: 70 }, () => close))
      const values = columnOf(spec.compute(flat, defaultsOf(spec)), 'value').subarray(19)
      expect(values.every(value => value === close)).toBe(true)
    }
  }
})

test('a divisor so small that the quotient is no number counts as none', () => {
  const source = Float64Array.of(1e-320, 1, 2)
  const spec = findIndicator('roc')!
  const { value } = spec.compute({ ...barsOfCloses([1, 1, 1]), source }, { ...defaultsOf(spec), period: 1 })
  expect([...value!]).toEqual([Number.NaN, 0, 100])
})

test('a window forgets a huge value at once', () => {
  const closes = [1e15, ...Array.from({ length: 20 }, (__, i) => (i % 2) + 0.1)]
  for (const type of ['sma', 'wma', 'bollinger_band_width', 'realised_volatility', 'cci']) {
    const spec = findIndicator(type)!
    const params = { ...defaultsOf(spec), period: 4 }
    const output = spec.outputs[0]!.name
    const [after, without] = [closes, closes.slice(1)].map(values =>
      columnOf(spec.compute(barsOfCloses(values), params), output),
    )
    // One more: a return still begins at the huge value.
    for (let i = 5; i < closes.length; i++)
      expect([type, i, after![i]]).toEqual([type, i, expect.closeTo(without![i - 1]!, 13)])
  }
})
