import { expect, test } from '@jest/globals'
import { findIndicator } from '../../src/indicators/registry.ts'
import { findPivots, zigzag } from '../../src/indicators/zigzag.ts'
import { barsOfCloses } from '../fixtures/bars.ts'

const closes = Float64Array.of(10, 11, 10.8, 12, 10, 9, 9.5, 11, 10.5)

test('turns alternate, and each says when it was known', () => {
  expect(findPivots(closes, 0.1)).toEqual([
    { index: 0, confirmedAt: 1, kind: 'low' },
    { index: 3, confirmedAt: 4, kind: 'high' },
    { index: 5, confirmedAt: 7, kind: 'low' },
  ])
})

test('a turn is on no bar before the one that confirms it: it repaints and says so', () => {
  const params = { threshold: 0.1, source: 'close' }
  const whole = zigzag.compute(barsOfCloses([...closes]), params).value
  const early = zigzag.compute(barsOfCloses([...closes.subarray(0, 7)]), params).value
  expect(whole[5]).toBe(9)
  expect(early[5]).toBeNaN()
  expect(zigzag.repaints).toBe(true)
  expect(findIndicator('zigzag')).toBeUndefined()
})
