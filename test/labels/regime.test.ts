import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { makeLabels } from '../../src/labels/label.ts'
import { findSwings } from '../../src/labels/swings.ts'
import { barsOf, regime, someBars } from './label-bars.ts'

const [up, down, ranging, volatile] = [0, 1, 2, 3]

/** Closes that go from one price to the next in steps of 1. */
function walk(...stops: readonly number[]): number[] {
  const closes = [stops[0] ?? 0]
  for (const stop of stops.slice(1)) {
    let at = closes.at(-1) ?? 0
    while (at !== stop) {
      at += Math.sign(stop - at)
      closes.push(at)
    }
  }
  return closes
}

/** The average true range is 1 throughout: large turns are 6 points, small ones 2. Nothing is volatile. */
const spec = { ...regime, macro_atr_mult: 6, micro_atr_mult: 2, vol_lookback: 4, vol_crisis_threshold: 1e12 }

/** Label of one bar, which is within a leg. */
function labelAt(closes: readonly number[], at: number, changes = {}) {
  const labels = makeLabels({ ...spec, ...changes }, barsOf(closes))
  return labels.value[at]
}

// Down to 1000, then a rising leg, then down again, which confirms it.
const lead = walk(1010, 1000)

test('lows that rise make a rising trend, highs that fall a falling one', () => {
  const rising = [...lead, ...walk(1000, 1006, 1002, 1010, 1006, 1015, 1000).slice(1)]
  expect(labelAt(rising, 14)).toBe(up)
  const falling = rising.map(price => 2000 - price)
  expect(labelAt(falling, 14)).toBe(down)
})

test('where too few of the lows rise it is a range, by the tolerance', () => {
  // Lows 1000, 1004, 1003, 1002: one of three is above the one before.
  const mixed = [...lead, ...walk(1000, 1007, 1004, 1007, 1003, 1007, 1002, 1009, 995).slice(1)]
  expect(labelAt(mixed, 14)).toBe(ranging)
  expect(labelAt(mixed, 14, { progression_tolerance: 0.3 })).toBe(up)
})

test('a leg without a pullback is a trend when it is twice the size of a large turn', () => {
  expect(labelAt([...lead, ...walk(1000, 1012, 1000).slice(1)], 14)).toBe(up)
  expect(labelAt([...lead, ...walk(1000, 1011, 1000).slice(1)], 14)).toBe(ranging)
})

test('a trend is known when its end is confirmed, and the last leg is not', () => {
  const closes = [...lead, ...walk(1000, 1012, 1000).slice(1)]
  const labels = makeLabels(spec, barsOf(closes))
  // The low at bar 10, the high at bar 22, 6 points below it at bar 28.
  expect([...labels.value.subarray(10, 22)]).toEqual(new Array(12).fill(up))
  expect([...labels.t1.subarray(10, 22)]).toEqual(new Array(12).fill(28))
  expect(labels.value.subarray(22).every(Number.isNaN)).toBe(true)
})

test('bars before volatility multiplies are volatile, whatever the leg', () => {
  const calm = Array.from({ length: 14 }, (_, i) => 1000 + (i % 2))
  const bars = barsOf([...calm, 1010, 995, 1012, 998])
  const at = (vol_crisis_threshold: number) => makeLabels({ ...spec, vol_crisis_threshold }, bars)
  // The deviation of the next 3 returns against that of the last 4: the jump to bar 14 is ahead from bar 11 on.
  expect([...at(3).value].indexOf(volatile)).toBe(11)
  expect([at(3).value[13], at(3).t1[13]]).toEqual([volatile, 16])
  expect([...at(100).value]).not.toContain(volatile)
})

test('sizes of turns are those of the bar that confirms them', () => {
  const close = Float64Array.of(10, 12, 11, 10, 14, 13)
  expect(findSwings(close, Float64Array.of(Number.NaN, Number.NaN, 2, 2, 2, 1))).toEqual([
    { index: 1, confirmedAt: 3, kind: 'high' },
    { index: 3, confirmedAt: 4, kind: 'low' },
    { index: 4, confirmedAt: 5, kind: 'high' },
  ])
})

test('later bars of any size leave the regimes known before as they are', () => {
  // A measure of the whole sample, such as its median range, would change with them.
  fc.assert(
    fc.property(someBars, bars => {
      const wild = Array.from({ length: 40 }, (_, i) => 100 * (i % 2 === 0 ? 3 : 0.3))
      const before = makeLabels(regime, bars)
      const after = makeLabels(
        regime,
        barsOf([...bars.close, ...wild], {
          high: [...bars.high, ...wild],
          low: [...bars.low, ...wild],
        }),
      )
      for (let t = 0; t < bars.length; t++)
        if (!Number.isNaN(before.value[t])) expect(after.value[t]).toBe(before.value[t])
    }),
    { numRuns: 50 },
  )
})
