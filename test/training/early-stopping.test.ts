import { expect, test } from '@jest/globals'
import { isBetter, type StopMetric, startStopping, watchEpoch } from '../../src/training/early-stopping.ts'
import { smallStrategy } from './small-strategies.ts'

/** Epochs waited after each value. */
function waitsOf(metric: StopMetric, values: readonly (number | null)[], minDelta = 0): number[] {
  let stopping = startStopping
  return values.map(value => {
    stopping = watchEpoch(stopping, value, { metric, minDelta })
    return stopping.epochsWaited
  })
}

test('losses, Brier and calibration get better downwards, shares of right answers upwards', () => {
  const falling = [3, 2, 1]
  for (const metric of ['val_loss', 'brier', 'ece'] as const)
    expect(waitsOf(metric, falling)).toEqual([0, 0, 0])
  for (const metric of ['val_accuracy', 'macro_f1', 'balanced_accuracy', 'mcc'] as const)
    expect(waitsOf(metric, falling)).toEqual([0, 1, 2])
})

test('what is not more than min_delta better than the last improvement counts as waiting', () => {
  expect(waitsOf('val_loss', [1, 0.95, 0.91, 0.89, 0.85], 0.1)).toEqual([0, 1, 2, 0, 1])
})

test('a metric that is not defined is never better, and any number is better than none', () => {
  expect(waitsOf('mcc', [null, 0.1, null, Number.NaN])).toEqual([1, 0, 1, 2])
  expect(isBetter('mcc', -1, { than: null })).toBe(true)
})

test('a regression has only its loss to stop by', () => {
  const decisions = {
    output_format: 'regression',
    cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 1 },
  }
  const stoppedBy = (metric: string) => {
    const training = { labels: { source: 'forward_return', horizon: 3 }, early_stopping: { metric } }
    return smallStrategy({ decisions, training }).training.early_stopping?.metric
  }
  expect(stoppedBy('val_loss')).toBe('val_loss')
  for (const metric of ['val_accuracy', 'macro_f1', 'ece'])
    expect(() => stoppedBy(metric)).toThrow(`regression has no ${metric} to stop by`)
})
