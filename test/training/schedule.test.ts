import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { StrategyScheduler } from '../../src/strategy/training.ts'
import { advanceSchedule, startSchedule } from '../../src/training/schedule.ts'

/** The learning rate of every epoch. */
function ratesOf(
  scheduler: StrategyScheduler | null,
  valLosses: readonly number[],
  learningRate = 1,
): number[] {
  const plan = { learningRate, epochs: valLosses.length, scheduler }
  let schedule = startSchedule(plan)
  return valLosses.map((valLoss, epoch) => {
    const { learningRate: rate } = schedule
    schedule = advanceSchedule(schedule, plan, { next: epoch + 1, valLoss })
    return rate
  })
}

const epochs = (count: number) => Array.from({ length: count }, () => 1)

test('without a scheduler the learning rate stays', () => {
  expect(ratesOf(null, epochs(4))).toEqual([1, 1, 1, 1])
})

test('step lowers the rate every so many epochs, exponential every one', () => {
  expect(ratesOf({ type: 'step', factor: 0.5, step_epochs: 2 }, epochs(6))).toEqual([
    1, 1, 0.5, 0.5, 0.25, 0.25,
  ])
  expect(ratesOf({ type: 'exponential', factor: 0.5 }, epochs(4))).toEqual([1, 0.5, 0.25, 0.125])
})

test('cosine goes down by half a wave that would reach 0 after the last epoch', () => {
  // torch.optim.lr_scheduler.CosineAnnealingLR(T_max=4): (1 + cos(π · epoch / 4)) / 2
  const expected = [1, 0.853553390593, 0.5, 0.146446609407]
  ratesOf({ type: 'cosine' }, epochs(4)).forEach((rate, i) => {
    expect(rate).toBeCloseTo(expected[i] ?? 0, 10)
  })
})

test('reduce_on_plateau lowers the rate once patience epochs in a row were no better, and waits anew', () => {
  const losses = [3, 2, 2, 2.5, 1, 1, 1, 1, 1]
  const scheduler = { type: 'reduce_on_plateau', factor: 0.5, patience: 2 } as const
  expect(ratesOf(scheduler, losses)).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25])
})

test('no schedule raises the rate, and none makes it negative', () => {
  const factor = fc.double({ min: 0.01, max: 0.99, noNaN: true })
  const scheduler = fc.oneof(
    fc.record({ type: fc.constant('step' as const), factor, step_epochs: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ type: fc.constant('exponential' as const), factor }),
    fc.record({ type: fc.constant('cosine' as const) }),
    fc.record({
      type: fc.constant('reduce_on_plateau' as const),
      factor,
      patience: fc.integer({ min: 1, max: 4 }),
    }),
  )
  fc.assert(
    fc.property(
      scheduler,
      fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 1 }),
      (chosen, losses) => {
        const rates = ratesOf(chosen, losses, 0.1)
        return rates.every((rate, i) => rate >= 0 && rate <= (rates[i - 1] ?? 0.1))
      },
    ),
  )
})
