import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { IndicatorBar, IndicatorInput, IndicatorSpec } from '../../src/indicators/indicator.ts'
import { columnOf } from '../../src/indicators/indicator.ts'
import type { IndicatorParams } from '../../src/indicators/params.ts'
import { findIndicator, indicators, indicatorTypes } from '../../src/indicators/registry.ts'
import type { Bars } from '../../src/market/bars.ts'
import { barAt, truncateBars } from '../../src/market/bars.ts'
import { barsOf, mondayMs } from '../fixtures/bars.ts'
import { anyParams, defaultsOf } from '../fixtures/indicator-params.ts'
import { anyOddBars, anyWalk, walkOf } from '../fixtures/walks.ts'

const few = { numRuns: 40 }

const anySeries = fc.oneof({ weight: 3, arbitrary: anyWalk(0, 90) }, { weight: 1, arbitrary: anyOddBars(90) })

type Columns = Readonly<Record<string, Float64Array>>

/** Outputs that differ in any bit, with the first bar where they do. Jest's own comparison is a hundred times slower. */
function differences(actual: Columns, expected: Columns, length = Infinity): readonly string[] {
  return Object.keys(expected).flatMap(name => {
    const [a, b] = [columnOf(actual, name), columnOf(expected, name)]
    if (a.length !== Math.min(length, b.length)) return [`${name} has ${a.length} values`]
    const at = a.findIndex((value, i) => !Object.is(value, b[i]))
    return at === -1 ? [] : [`${name}[${at}] is ${a[at]}, not ${b[at]}`]
  })
}

/** Bar by bar, as columns. */
function stepThrough(spec: IndicatorSpec, input: IndicatorInput, params: IndicatorParams) {
  const { next } = spec.incremental(params)
  const columns = Object.fromEntries(spec.outputs.map(({ name }) => [name, new Float64Array(input.length)]))
  for (let i = 0; i < input.length; i++) {
    const values = next(barOf(input, i))
    for (const { name } of spec.outputs) columnOf(columns, name)[i] = values[name]!
  }
  return columns
}

function barOf(input: IndicatorInput, i: number): IndicatorBar {
  const { time, open, high, low, close, volume, source, session } = input
  return {
    time: time[i]!,
    open: open[i]!,
    high: high[i]!,
    low: low[i]!,
    close: close[i]!,
    volume: volume[i]!,
    ...(source === undefined ? {} : { source: source[i]! }),
    ...(session === undefined ? {} : { session: session[i]! }),
  }
}

describe.each(indicators.map(spec => [spec.type, spec] as const))('%s', (_type, spec) => {
  test('deleting the bars after T changes nothing up to T, bit for bit', () => {
    fc.assert(
      fc.property(anySeries, anyParams(spec), fc.nat(90), (bars, params, length) => {
        const whole = spec.compute(bars, params)
        const part = spec.compute(truncateBars(bars, length), params)
        expect(differences(part, whole, length)).toEqual([])
      }),
      few,
    )
  })

  test('bar by bar gives the same bits as all at once', () => {
    fc.assert(
      fc.property(anySeries, anyParams(spec), (bars, params) => {
        expect(differences(stepThrough(spec, bars, params), spec.compute(bars, params))).toEqual([])
      }),
      few,
    )
  })

  test('the warm-up is NaN up to the look-back and finite numbers from there', () => {
    fc.assert(
      fc.property(anySeries, anyParams(spec), (bars, params) => {
        const columns = spec.compute(bars, params)
        const wrong = spec.outputs.filter(({ name }) => {
          const lookback = spec.lookback(params, name)
          const column = columnOf(columns, name)
          return (
            column.length !== bars.length ||
            column.some((value, i) => Number.isFinite(value) !== i >= lookback)
          )
        })
        expect(wrong).toEqual([])
        expect(Object.keys(columns)).toHaveLength(spec.outputs.length)
      }),
    )
  })

  test('no value is outside the range its output states', () => {
    fc.assert(
      fc.property(anySeries, anyParams(spec), (bars, params) => {
        const columns = spec.compute(bars, params)
        const outside = spec.outputs.filter(({ name, min = -Infinity, max = Infinity }) => {
          const slack = 1e-9 * Math.max(1, Math.min(Math.abs(min), Math.abs(max)))
          return columnOf(columns, name).some(value => value < min - slack || value > max + slack)
        })
        expect(outside).toEqual([])
      }),
    )
  })

  test('the input is neither changed nor handed back', () => {
    fc.assert(
      fc.property(anyWalk(1, 60), anyParams(spec), (bars, params) => {
        const copy = structuredClone(bars)
        const columns = Object.values(spec.compute(bars, params))
        expect(bars).toEqual(copy)
        const buffers = new Set(
          Object.values(bars).map(column => (typeof column === 'number' ? null : column.buffer)),
        )
        for (const column of columns) expect(buffers.has(column.buffer)).toBe(false)
      }),
      { numRuns: 5 },
    )
  })

  test('the defaults lie within the bounds, go together and are stable after the look-back', () => {
    for (const param of Object.values(spec.params)) {
      if (param.type === 'integer' || param.type === 'number')
        expect(param.default >= param.min && param.default <= param.max).toBe(true)
      else if (param.type !== 'boolean') expect(param.enum).toContain(param.default)
    }
    const defaults = defaultsOf(spec)
    expect(spec.check(defaults)).toBeNull()
    const stableAfter = spec.stableAfter(defaults)
    if (stableAfter === null) return
    for (const { name } of spec.outputs)
      expect(stableAfter).toBeGreaterThanOrEqual(spec.lookback(defaults, name))
  })

  test('its parts are unique and say what they are', () => {
    const names = spec.outputs.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of [spec.type, ...names, ...Object.keys(spec.params)])
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect(spec.description).toMatch(/\.$/)
  })
})

const overSource = indicators.filter(({ params }) => params.source !== undefined)

test.each(overSource.map(spec => [spec.type, spec] as const))(
  '%s over another indicator begins with its first number and changes no bit',
  (_type, spec) => {
    const property = fc.property(anyWalk(60, 90), anyParams(spec), fc.nat(20), (bars, params, late) => {
      const source = bars.close.slice().fill(Number.NaN, 0, late)
      const columns = spec.compute({ ...bars, source }, params)
      const expected = spec.compute({ ...bars, source: bars.close.slice(late) }, params)
      const early = spec.outputs.filter(({ name }) =>
        columnOf(columns, name).some(
          (value, i) => Number.isNaN(value) !== i < late + spec.lookback(params, name),
        ),
      )
      expect(early).toEqual([])
      const later = Object.fromEntries(
        spec.outputs.map(({ name }) => [name, columnOf(columns, name).subarray(late)]),
      )
      expect(differences(later, expected)).toEqual([])
      expect(differences(stepThrough(spec, { ...bars, source }, params), columns)).toEqual([])
    })
    fc.assert(property, few)
  },
)

test.each(overSource.map(spec => [spec.type, spec] as const))(
  '%s passes over what is NaN in its source, as if it had not been',
  (_type, spec) => {
    const property = fc.property(anyWalk(60, 90), anyParams(spec), fc.nat(50), (bars, params, gap) => {
      const source = bars.close.slice().fill(Number.NaN, gap, gap + 3)
      const columns = spec.compute({ ...bars, source }, params)
      const without = spec.compute({ ...bars, source: source.filter(value => !Number.isNaN(value)) }, params)
      const wrong = spec.outputs.filter(({ name }) => {
        const column = columnOf(columns, name)
        const kept = column.filter((_value, i) => i < gap || i >= gap + 3)
        const expected = { [name]: columnOf(without, name) }
        return (
          differences({ [name]: kept }, expected).length > 0 ||
          column.subarray(gap, gap + 3).some(Number.isFinite)
        )
      })
      expect(wrong).toEqual([])
      expect(differences(stepThrough(spec, { ...bars, source }, params), columns)).toEqual([])
    })
    fc.assert(property, few)
  },
)

/** What the memory of averages is measured on. */
const walk = walkOf(7, 6000)

test.each(indicators.map(spec => [spec.type, spec] as const))(
  '%s: a history of stableAfter bars gives the value of the whole history',
  (_type, spec) => {
    const params = defaultsOf(spec)
    const stableAfter = spec.stableAfter(params)
    if (stableAfter === null) return
    const whole = spec.compute(walk, params)
    for (const end of [stableAfter + 1, 5000, 5500, 6000]) {
      const recent = cut(walk, end - stableAfter - 1, end)
      const part = spec.compute(recent, params)
      for (const { name } of spec.outputs) {
        const size = columnOf(whole, name).reduce(
          (most, value) => (Math.abs(value) > most ? Math.abs(value) : most),
          0,
        )
        const difference = columnOf(part, name).at(-1)! - columnOf(whole, name)[end - 1]!
        expect(Math.abs(difference)).toBeLessThanOrEqual(1e-6 * size)
      }
    }
  },
)

function cut(bars: Bars, from: number, to: number): Bars {
  const columns = Object.entries(bars).map(([name, column]) => [
    name,
    typeof column === 'number' ? to - from : column.subarray(from, to),
  ])
  return Object.fromEntries(columns)
}

test('without a session column a session is the UTC day, with one it is what the column says', () => {
  const hourly = barsOf(
    Array.from({ length: 48 }, (_, i) => ({ open: 1 + i, high: 2 + i, low: 1 + i, close: 1 + i, volume: 1 })),
    '1h',
    3_600_000,
  )
  const pivots = (input: IndicatorInput) =>
    columnOf(findIndicator('pivot_points')!.compute(input, { method: 'classic' }), 'pivot')
  expect(pivots(hourly).findIndex(value => !Number.isNaN(value))).toBe(24)
  const session = Float64Array.from({ length: 48 }, (_, i) => mondayMs + Math.floor(i / 6))
  expect(pivots({ ...hourly, session }).findIndex(value => !Number.isNaN(value))).toBe(6)
  const params = { method: 'classic' }
  const stepped = findIndicator('pivot_points')!.incremental(params)
  expect(stepped.next({ ...barAt(hourly, 0), session: 1 }).pivot).toBeNaN()
  // High 2, low 1 and close 1 of the bar before.
  expect(stepped.next({ ...barAt(hourly, 1), session: 2 }).pivot).toBe(4 / 3)
})

test('types are unique and found by their exact name', () => {
  expect(new Set(indicatorTypes).size).toBe(indicators.length)
  for (const spec of indicators) expect(findIndicator(spec.type)).toBe(spec)
  expect(findIndicator('SMA')).toBeUndefined()
  expect(findIndicator('constructor')).toBeUndefined()
})

test('every indicator that is promised is there', () => {
  const promised =
    'rsi sma ema wma macd atr adx bollinger_bands bollinger_band_width keltner donchian supertrend stochastic williams_r ' +
    'cci roc momentum rvi fisher aroon mfi obv cmf ad_line vwap volume_ratio distance_from_ma squeeze_intensity ' +
    'parabolic_sar ichimoku dema tema kama hma trix stoch_rsi ppo natr session_vwap realised_volatility pivot_points ' +
    'vortex ultimate_oscillator tsi ulcer_index chaikin_oscillator'
  expect([...indicatorTypes].sort()).toEqual(promised.split(' ').sort())
})
