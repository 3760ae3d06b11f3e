import { expect, test } from '@jest/globals'
import { joinWindows } from '../../src/research/walked.ts'

const window = (from: number, returns: readonly number[]) => ({
  time: Float64Array.from(returns, (_, i) => from + i),
  return_fraction: Float64Array.from(returns),
})

test('windows are compounded one after the other, and the deepest fall may cross from one into the next', () => {
  const walked = joinWindows([window(0, [0.1, -0.1]), window(10, [-0.5, 0.2])], 1000, 252)
  expect([...walked.time]).toEqual([0, 1, 10, 11])
  // 1000 → 1100 → 990 → 495 → 594
  for (const [i, equity] of [1100, 990, 495, 594].entries()) expect(walked.equity[i]).toBeCloseTo(equity, 9)
  expect(walked.return_fraction).toBeCloseTo(-0.406, 12)
  expect(walked.max_drawdown_fraction).toBeCloseTo(0.55, 12)
  // Mean −0.075, deviations² 0.030625 + 0.000625 + 0.180625 + 0.075625 = 0.2875; /3, root 0.3095695…
  expect(walked.sharpe).toBeCloseTo((-0.075 / Math.sqrt(0.2875 / 3)) * Math.sqrt(252), 9)
})

test('without windows there is no curve and nothing was earned', () => {
  expect(joinWindows([], 1000, null)).toMatchObject({
    return_fraction: 0,
    sharpe: null,
    max_drawdown_fraction: 0,
  })
})
