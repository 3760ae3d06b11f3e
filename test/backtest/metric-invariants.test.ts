import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { metricDefinitions, metricNames } from '../../src/backtest/metric-definitions.ts'
import { computeMetrics } from '../../src/backtest/metrics.ts'
import { contextOf, curveOf, grow, runOf } from '../fixtures/measured-run.ts'

test('scaling all money changes no ratio', () => {
  const fraction = fc.double({ min: -0.5, max: 0.5, noNaN: true })
  fc.assert(
    fc.property(fc.array(fraction, { minLength: 2, maxLength: 40 }), returns => {
      const measureScaled = (capital: number) =>
        computeMetrics(
          runOf(curveOf(grow(returns, capital))),
          contextOf(returns.length, { config: { initial_capital: capital } }),
        ).values
      const small = measureScaled(100)
      const large = measureScaled(102_400)
      for (const name of metricNames) {
        const { unit } = metricDefinitions[name]
        if (unit !== 'currency' && name !== 'periods_per_year') expect(large[name]).toEqual(small[name])
      }
    }),
  )
})

test('splitting a day into many bars changes nothing that is measured by days', () => {
  const fraction = fc.double({ min: -0.3, max: 0.3, noNaN: true })
  const named = [
    'sharpe',
    'sortino',
    'annual_return_fraction',
    'skew',
    'value_at_risk_95_fraction',
    'psr',
  ] as const
  fc.assert(
    fc.property(fc.array(fraction, { minLength: 2, maxLength: 20 }), returns => {
      const ends = grow(returns)
      // Each day begins at what it ends with, so that the curve is a staircase.
      const daily = computeMetrics(runOf(curveOf(ends)), contextOf(ends.length))
      const hours = ends.flatMap(end => new Array<number>(24).fill(end))
      const hourly = computeMetrics(
        runOf(curveOf(hours, 3_600_000)),
        contextOf(ends.length, { timeframe: '1h' }),
      )
      for (const name of named) expect(hourly.values[name]).toEqual(daily.values[name])
      expect(hourly.values.max_drawdown_fraction).toBe(daily.values.max_drawdown_fraction)
    }),
  )
})
