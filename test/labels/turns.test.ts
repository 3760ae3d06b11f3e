import { expect, test } from '@jest/globals'
import { makeLabels } from '../../src/labels/label.ts'
import { barsOf } from './label-bars.ts'

const [buy, hold, sell] = [0, 1, 2]
const spec = { source: 'zigzag', zigzag_threshold: 0.1, neutral_fraction: 0.5 } as const

// Low at bar 1, known at bar 3 (90 × 1.1 = 99); high at bar 4, known at bar 6 (120 × 0.9 = 108); low at bar 7, known at
// bar 8 (96 × 1.1 = 105.6); what comes after bar 7 has not turned.
const closes = [100, 90, 95, 102, 120, 116, 107, 96, 110, 112]

test('bars before a high are bought, before a low sold, near it held, and after the last turn left out', () => {
  const labels = makeLabels(spec, barsOf(closes))
  expect(labels.classes).toEqual(['buy', 'hold', 'sell'])
  // What is left, in percent: −10, +33, +26, +18, −20, −17, −10.3; all past the 5 that are neutral.
  expect([...labels.value]).toEqual([
    ...[sell, buy, buy, buy, sell, sell, sell],
    ...[Number.NaN, Number.NaN, Number.NaN],
  ])
  expect([...labels.t1]).toEqual([3, 6, 6, 6, 8, 8, 8, -1, -1, -1])
  expect(labels.ret[1]).toBeCloseTo(107 / 90 - 1, 15)
})

test('the neutral band is a part of the threshold', () => {
  const at = (neutral_fraction: number) => [
    ...makeLabels({ ...spec, neutral_fraction }, barsOf(closes)).value.subarray(0, 7),
  ]
  expect(at(1.1)).toEqual([hold, buy, buy, buy, sell, sell, hold])
  expect(at(1.75)).toEqual([hold, buy, buy, buy, sell, hold, hold])
  expect(at(3)).toEqual([hold, buy, hold, hold, hold, hold, hold])
})

test('of a turn that is flat the first bar is the turn', () => {
  const labels = makeLabels({ ...spec, neutral_fraction: 0 }, barsOf([100, 120, 120, 100, 120, 100]))
  expect([...labels.value.subarray(0, 4)]).toEqual([buy, sell, sell, buy])
})
