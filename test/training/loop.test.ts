import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Problem } from '../../src/problems.ts'
import { type LoopState, TrainingLoop } from '../../src/training/loop.ts'
import { mlp, recurrent, setOf, smallStrategy, taskOf, weightsOf } from './small-strategies.ts'

class Stopped extends Error {}

const settings = {
  scheduler: { type: 'reduce_on_plateau', patience: 1 },
  early_stopping: { metric: 'macro_f1', patience: 2 },
  gradient_clip: 0.5,
  class_weights: 'balanced',
  epochs: 4,
}

describe('a training that is stopped and goes on ends with the same bits', () => {
  for (const model of [mlp, recurrent('lstm'), recurrent('gru')]) {
    for (const optimizer of [{ type: 'adamw', weight_decay: 0.01 }, { type: 'sgd' }]) {
      test(`${model.type} by ${optimizer.type}, wherever it is stopped and however often`, () => {
        const { plan } = taskOf(smallStrategy({ model, training: { ...settings, optimizer } }))
        const straight = new TrainingLoop(plan)
        const best = straight.run({ checkpoint: () => {} })
        fc.assert(
          // Calls of the checkpoint until it stops: within steps, between them, and while an epoch is measured.
          fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), stops => {
            let state: LoopState | null = null
            for (const stop of stops) state = runUntil(plan, state, stop)
            const resumed = new TrainingLoop(plan, state)
            const ended = resumed.run({ checkpoint: () => {} })
            expect(weightsOf(ended.model)).toBe(weightsOf(best.model))
            expect(resumed.history).toEqual(straight.history)
            expect(structuredClone(resumed.state)).toEqual(straight.state)
          }),
          { numRuns: 8 },
        )
      })
    }
  }
})

/** Runs until the checkpoint has been called so often. @returns a state as it comes back from a disk */
function runUntil(plan: TrainingLoop['plan'], from: LoopState | null, calls: number): LoopState {
  const loop = new TrainingLoop(plan, from)
  let left = calls
  let state = loop.state
  const checkpoint = () => {
    left--
    if (left > 0) return
    state = structuredClone(loop.state)
    throw new Stopped()
  }
  try {
    loop.run({ checkpoint })
    return structuredClone(loop.state)
  } catch (error) {
    if (error instanceof Stopped) return state
    throw error
  }
}

test('the best epoch is a copy: what is trained after it does not change it', () => {
  // The rate is so high that later epochs are worse.
  const strategy = smallStrategy({ training: { epochs: 12, learning_rate: 0.3, optimizer: { type: 'sgd' } } })
  const { plan } = taskOf(strategy)
  const seen: string[] = []
  const loop = new TrainingLoop(plan)
  const best = loop.run({ checkpoint: () => {}, onEpoch: () => seen.push(weightsNow(loop)) })
  const losses = loop.history.map(({ val_loss }) => val_loss)
  expect(best.epoch).toBe(losses.indexOf(Math.min(...losses)))
  expect(best.epoch).toBeLessThan(11)
  expect(weightsOf(best.model)).toBe(seen[best.epoch])
  expect(seen[best.epoch]).not.toBe(seen[11])
})

function weightsNow(loop: TrainingLoop): string {
  const { trainer } = loop.state
  const { parameters } = loop.plan.model
  const now = parameters.map(({ name, shape }) => ({
    ...{ name, shape },
    values: trainer.tensors.find(tensor => tensor.name === name)?.values ?? new Float32Array(0),
  }))
  return weightsOf({ ...loop.plan.model, parameters: now })
}

test('early stopping leaves out the epochs after patience, and keeps the best by its own metric', () => {
  const early_stopping = { metric: 'val_accuracy', patience: 3 }
  const { plan } = taskOf(smallStrategy({ training: { epochs: 60, early_stopping } }))
  const loop = new TrainingLoop(plan)
  const best = loop.run({ checkpoint: () => {} })
  expect(loop.history.length).toBeLessThan(60)
  expect(loop.history.length - 1 - best.epoch).toBe(3)
  const accuracies = loop.history.map(({ val_accuracy }) => val_accuracy)
  expect(best.value).toBe(Math.max(...accuracies))
})

test('every epoch sees every training row once, in an order of its own that comes from the seed', () => {
  const set = setOf(smallStrategy())
  const orderOf = (seed: number) => {
    const strategy = smallStrategy({ training: { batch_size: 1, epochs: 2, seed } })
    const { plan } = taskOf(strategy, set)
    const asked: number[] = []
    const features = new Proxy(plan.samples.targets, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) asked.push(Number(name))
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    new TrainingLoop({ ...plan, samples: { ...plan.samples, targets: features } }).run({
      checkpoint: () => {},
    })
    const train = new Set(plan.train)
    const rows = asked.filter(row => train.has(row)).filter((row, i, all) => row !== all[i - 1])
    return { rows, train: [...plan.train] }
  }
  const { rows, train } = orderOf(1)
  const epochs = [rows.slice(0, train.length), rows.slice(train.length)]
  for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual(train)
  expect(epochs[0]).not.toEqual(epochs[1])
  expect(orderOf(1).rows).toEqual(rows)
  expect(orderOf(2).rows).not.toEqual(rows)
})

test('weights that grow beyond all bounds end the training with a problem that says what to do', () => {
  const training = { epochs: 50, learning_rate: 10, optimizer: { type: 'sgd', momentum: 0.99 }, loss: 'mse' }
  const { plan } = taskOf(
    smallStrategy({
      training: { ...training, labels: { source: 'forward_return', horizon: 3 } },
      decisions: {
        output_format: 'regression',
        cost_model: { round_trip_cost: 0.001, min_edge_multiplier: 1 },
      },
    }),
  )
  const run = () => new TrainingLoop(plan).run({ checkpoint: () => {} })
  expect(run).toThrow(Problem)
  expect(run).toThrow(/no number any more/)
})

test('accuracy of an epoch is the share of the training rows that were right, its loss their mean', () => {
  const { plan } = taskOf(smallStrategy({ training: { epochs: 1, learning_rate: 1e-12, batch_size: 7 } }))
  const undropped = { ...plan, model: withoutDropout(plan.model) }
  const loop = new TrainingLoop(undropped)
  loop.run({ checkpoint: () => {} })
  const measured = new TrainingLoop({ ...undropped, validation: plan.train })
  measured.run({ checkpoint: () => {} })
  const [own, whole] = [loop.history[0], measured.history[0]]
  expect(own?.train_accuracy).toBeCloseTo(whole?.val_accuracy ?? 0, 12)
  expect(own?.train_loss).toBeCloseTo(whole?.val_loss ?? 0, 6)
})

function withoutDropout(model: TrainingLoop['plan']['model']): TrainingLoop['plan']['model'] {
  return { ...model, spec: { ...model.spec, dropout: 0 } }
}
