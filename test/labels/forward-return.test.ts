import { expect, test } from '@jest/globals'
import { makeLabels } from '../../src/labels/label.ts'
import { barsOf } from './label-bars.ts'

test('a return is that of the close so many bars later, and the last bars have none', () => {
  const labels = makeLabels({ source: 'forward_return', horizon: 2 }, barsOf([100, 110, 120, 99, 60]))
  expect(labels).toMatchObject({ kind: 'regression', classes: [], weight: null })
  for (const [t, expected] of [0.2, -0.1, -0.5].entries()) expect(labels.value[t]).toBeCloseTo(expected, 12)
  expect([...labels.value.subarray(3)]).toEqual([Number.NaN, Number.NaN])
  expect([...labels.t1]).toEqual([2, 3, 4, -1, -1])
})

test('contexts go by the same return, and a return on a threshold is past it', () => {
  const spec = { source: 'context', horizon: 1, bullish_threshold: 0.25, bearish_threshold: -0.5 } as const
  // +25%, +20%, −50%, −46.7%: returns that are exact in binary where they meet a threshold.
  const labels = makeLabels(spec, barsOf([100, 125, 150, 75, 40]))
  expect(labels.classes).toEqual(['bullish', 'bearish', 'neutral'])
  expect([...labels.value]).toEqual([0, 2, 1, 2, Number.NaN])
})
