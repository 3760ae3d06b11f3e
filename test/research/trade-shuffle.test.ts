import { expect, test } from '@jest/globals'
import { distributionOf, simulateTrades } from '../../src/research/trade-shuffle.ts'

const options = { initialCapital: 1000, runs: 2000, seed: 7 }

test('trades that are all alike come out alike in every order and every draw', () => {
  const simulated = simulateTrades(new Float64Array(10).fill(5), options)
  const constant = (value: number) => ({
    mean: value,
    p05: value,
    p25: value,
    p50: value,
    p75: value,
    p95: value,
  })
  expect(simulated).toEqual({
    runs: 2000,
    shuffled_max_drawdown_fraction: constant(0),
    resampled_final_equity: constant(1050),
    resampled_max_drawdown_fraction: constant(0),
    loss_probability_fraction: 0,
    ruin_probability_fraction: 0,
  })
})

test('two trades have two orders and four draws, each as likely as it should be', () => {
  // +100 then −100 falls 100/1100 from its high, −100 then +100 falls 100/1000.
  const { shuffled_max_drawdown_fraction: shuffled, ...drawn } = simulateTrades(
    Float64Array.of(100, -100),
    options,
  )
  expect(shuffled.p05).toBeCloseTo(1 / 11, 12)
  expect(shuffled.p95).toBeCloseTo(1 / 10, 12)
  expect(shuffled.mean).toBeCloseTo((1 / 11 + 1 / 10) / 2, 3)
  // −200 once in four draws, 0 twice, +200 once.
  expect(drawn.loss_probability_fraction).toBeCloseTo(0.25, 1)
  expect(drawn.resampled_final_equity).toMatchObject({ p05: 800, p50: 1000, p95: 1200 })
})

test('a run in which nothing is left counts as ruin and falls by all there was', () => {
  const { ruin_probability_fraction, resampled_max_drawdown_fraction } = simulateTrades(
    Float64Array.of(-1500, 10),
    options,
  )
  expect(ruin_probability_fraction).toBeCloseTo(0.75, 1)
  expect(resampled_max_drawdown_fraction.p95).toBe(1)
})

test('the same seed gives the same numbers, another one others', () => {
  const pnl = Float64Array.from({ length: 30 }, (_, i) => ((i * 37) % 11) - 4)
  expect(simulateTrades(pnl, options)).toEqual(simulateTrades(pnl, options))
  expect(simulateTrades(pnl, { ...options, seed: 8 })).not.toEqual(simulateTrades(pnl, options))
})

test('quantiles lie on the straight line between neighbours', () => {
  expect(distributionOf(Float64Array.of(4, 1, 3, 2))).toEqual({
    mean: 2.5,
    p05: 1.15,
    p25: 1.75,
    p50: 2.5,
    p75: 3.25,
    p95: 3.8499999999999996,
  })
})
