import type { StrategyScheduler } from '../strategy/training.ts'

/** The learning rate of an epoch and what the next one is derived from. Plain data. */
export type Schedule = {
  readonly learningRate: number
  /** Lowest validation loss so far; infinite before the first epoch. */
  readonly lowestLoss: number
  /** Epochs since then, or since the rate was last reduced. */
  readonly epochsWaited: number
}

export type SchedulePlan = {
  /** Of the first epoch. */
  readonly learningRate: number
  readonly epochs: number
  /** Null: the rate stays as it is. */
  readonly scheduler: StrategyScheduler | null
}

export function startSchedule({ learningRate }: SchedulePlan): Schedule {
  return { learningRate, lowestLoss: Number.POSITIVE_INFINITY, epochsWaited: 0 }
}

/**
 * The schedule of the epoch that follows. `step`, `exponential` and `cosine` depend on its number alone:
 * rate · factor^⌊epoch / step_epochs⌋, rate · factor^epoch, rate · (1 + cos(π · epoch / epochs)) / 2.
 * `reduce_on_plateau` multiplies by `factor` once `patience` epochs in a row had no lower validation loss.
 * @param next number of the epoch that follows, from 0 on  @param valLoss of the epoch that has ended
 * Source of cosine: Loshchilov and Hutter 2016, equation 5, without restarts.
 */
export function advanceSchedule(
  schedule: Schedule,
  plan: SchedulePlan,
  { next, valLoss }: { readonly next: number; readonly valLoss: number },
): Schedule {
  const { scheduler, learningRate: rate, epochs } = plan
  if (scheduler === null) return schedule
  switch (scheduler.type) {
    case 'step':
      return {
        ...schedule,
        learningRate: rate * scheduler.factor ** Math.floor(next / scheduler.step_epochs),
      }
    case 'exponential':
      return { ...schedule, learningRate: rate * scheduler.factor ** next }
    case 'cosine':
      return { ...schedule, learningRate: (rate * (1 + Math.cos((Math.PI * next) / epochs))) / 2 }
    case 'reduce_on_plateau':
      return waitOrReduce(schedule, scheduler, valLoss)
    default:
      return scheduler satisfies never
  }
}

function waitOrReduce(
  { learningRate, lowestLoss, epochsWaited }: Schedule,
  { factor, patience }: Extract<StrategyScheduler, { type: 'reduce_on_plateau' }>,
  valLoss: number,
): Schedule {
  if (valLoss < lowestLoss) return { learningRate, lowestLoss: valLoss, epochsWaited: 0 }
  const waited = epochsWaited + 1
  if (waited < patience) return { learningRate, lowestLoss, epochsWaited: waited }
  return { learningRate: learningRate * factor, lowestLoss, epochsWaited: 0 }
}
