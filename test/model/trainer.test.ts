import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from '@jest/globals'
import { MemoryPlan } from '../../src/model/memory-plan.ts'
import { createModel } from '../../src/model/model.ts'
import type { ModelSpec } from '../../src/model/model-spec.ts'
import type { OptimizerSpec } from '../../src/model/optimizer.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { Random } from '../../src/statistics/random.ts'
import { dense, drawSamples, recurrent, relativeDistance, rowsFrom } from './fixtures/models.ts'
import { hashState, runSteps, trainAndHash, trainer } from './fixtures/train.ts'

const dropping: readonly ModelSpec[] = [
  dense({ dropout: 0.3, activation: 'sigmoid' }),
  recurrent('lstm', { dropout: 0.3 }),
  recurrent('gru', { dropout: 0.3 }),
]

describe.each(dropping)('a training of kind $kind', spec => {
  test('with the same seed comes to the same bytes, here and in another thread', async () => {
    const here = trainAndHash(spec)
    expect(trainAndHash(spec)).toBe(here)
    const thread = new Worker(new URL('fixtures/train-thread.ts', import.meta.url), { workerData: spec })
    const [there] = await once(thread, 'message')
    expect(there).toBe(here)
  })

  test('with another seed drops other units', () => {
    const [one, other] = [trainer(spec), trainer(spec, { seed: 2 ** 40 })]
    for (const trained of [one, other]) runSteps(trained, spec, 0, 1)
    expect(hashState(other)).not.toBe(hashState(one))
  })

  test('restored anywhere from its state goes on bit for bit', () => {
    const straight = trainAndHash(spec)
    for (const stop of [1, 5, 11]) {
      const first = trainer(spec)
      runSteps(first, spec, 0, stop)
      const second = trainer(spec)
      second.setState(structuredClone(first.getState()))
      runSteps(second, spec, stop, 12)
      expect(hashState(second)).toBe(straight)
    }
  })

  test('stopped within a step has not begun it', () => {
    const stopped = trainer(spec)
    runSteps(stopped, spec, 0, 4)
    const before = hashState(stopped)
    const samples = drawSamples(spec, { rows: 150 })
    for (const last of [1, 2, 4]) {
      let calls = 0
      const checkpoint = () => {
        if (++calls === last) throw new Error('stop')
      }
      expect(() => stopped.step(samples, rowsFrom(10, 100), { learningRate: 1, checkpoint })).toThrow('stop')
      expect(hashState(stopped)).toBe(before)
    }
    runSteps(stopped, spec, 4, 12)
    expect(hashState(stopped)).toBe(trainAndHash(spec))
  })

  test('answers for a row whatever rows are beside it', () => {
    const { features } = drawSamples(spec, { rows: 150 })
    const predictor = new Predictor(createModel(spec, 1))
    const rows = rowsFrom(10, 130)
    const together = predictor.probabilities(features, rows)
    const alone = [...rows].flatMap(row => [...predictor.probabilities(features, Int32Array.of(row))])
    expect(alone).toEqual([...together])
  })
})

const optimizers: readonly OptimizerSpec[] = [
  { kind: 'adamw', weightDecay: 0.1 },
  { kind: 'sgd', weightDecay: 0.01, momentum: 0.9 },
  { kind: 'rmsprop', weightDecay: 0.01, momentum: 0.5 },
]
test.each(optimizers)('the state holds everything that $kind remembers', optimizer => {
  const spec = dense()
  const straight = trainer(spec, { optimizer })
  runSteps(straight, spec, 0, 8)
  const first = trainer(spec, { optimizer })
  runSteps(first, spec, 0, 3)
  const second = trainer(spec, { optimizer })
  second.setState(first.getState())
  runSteps(second, spec, 3, 8)
  expect(hashState(second)).toBe(hashState(straight))
})

test('a row of weight 2 counts like two rows, one of weight 0 not at all', () => {
  const spec = dense()
  const samples = drawSamples(spec, { rows: 20 })
  const weights = new Float32Array(20).fill(1)
  weights[3] = 2
  weights[5] = 0
  const gradient = (rows: readonly number[], isWeighted: boolean) =>
    trainer(spec).gradient({ ...samples, ...(isWeighted ? { weights } : {}) }, Int32Array.from(rows))
  const expected = gradient([1, 3, 3, 8], false)
  const found = gradient([1, 3, 5, 8], true)
  const byName = new Map(expected.tensors.map(({ name, values }) => [name, values]))
  expect(relativeDistance(found.tensors, name => byName.get(name) ?? [])).toBeLessThan(1e-6)
  expect(found.loss).toBeCloseTo(expected.loss, 6)
})

test('a batch whose rows weigh nothing changes nothing', () => {
  const spec = dense()
  const samples = { ...drawSamples(spec, { rows: 20 }), weights: new Float32Array(20) }
  const trained = trainer(spec)
  const before = trained.getModel()
  expect(trained.step(samples, rowsFrom(0, 20), { learningRate: 1 })).toMatchObject({
    loss: 0,
    gradientNorm: 0,
  })
  expect(trained.getModel()).toEqual(before)
})

test('a gradient is shortened to the limit and no further', () => {
  const spec = dense()
  const samples = drawSamples(spec, { rows: 40 })
  const optimizer: OptimizerSpec = { kind: 'sgd', weightDecay: 0, momentum: 0 }
  const moved = (gradientClip: number | null) => {
    const trained = trainer(spec, { optimizer, gradientClip })
    const before = trained.getModel().parameters
    const { gradientNorm } = trained.step(samples, rowsFrom(0, 40), { learningRate: 1 })
    const squares = trained
      .getModel()
      .parameters.flatMap(({ values }, i) =>
        Array.from(values, (value, at) => (value - (before[i]?.values[at] ?? 0)) ** 2),
      )
    return { gradientNorm, distance: Math.sqrt(squares.reduce((a, b) => a + b)) }
  }
  const free = moved(null)
  expect(free.distance / free.gradientNorm).toBeCloseTo(1, 5)
  expect(moved(free.gradientNorm * 2).distance).toBeCloseTo(free.distance, 6)
  expect(moved(0.01).distance).toBeCloseTo(0.01, 5)
})

test('a network learns which of two features differ in sign', () => {
  const random = new Random(1)
  const features = Float32Array.from({ length: 2000 }, () => random.normal())
  const targets = Int32Array.from({ length: 1000 }, (_, i) =>
    (features[2 * i] as number) * (features[2 * i + 1] as number) > 0 ? 1 : 0,
  )
  const spec = dense({ inputs: 2, hidden: [16, 16], outputs: 2, activation: 'relu', dropout: 0.05 })
  const trained = trainer(spec)
  const rows = rowsFrom(0, 1000)
  for (let epoch = 0; epoch < 30; epoch++) {
    for (let at = 0; at < 800; at += 32)
      trained.step({ features, targets }, rows.subarray(at, at + 32), { learningRate: 0.01 })
  }
  expect(trained.evaluate({ features, targets }, rows.subarray(800)).correct).toBeGreaterThan(185)
})

test('cells learn the sign of the row three before the last', () => {
  const random = new Random(1)
  const features = Float32Array.from({ length: 1000 }, () => random.normal())
  const targets = Int32Array.from({ length: 1000 }, (_, i) => ((features[i - 2] ?? 0) > 0 ? 1 : 0))
  for (const kind of ['lstm', 'gru'] as const) {
    const spec = recurrent(kind, { inputs: 1, sequenceLength: 5, layers: 1, hidden: 12, outputs: 2 })
    const trained = trainer(spec)
    for (let epoch = 0; epoch < 15; epoch++) {
      for (let at = 4; at < 800; at += 32)
        trained.step({ features, targets }, rowsFrom(at, 32), { learningRate: 0.02 })
    }
    expect(trained.evaluate({ features, targets }, rowsFrom(840, 160)).correct).toBeGreaterThan(145)
  }
})

describe('a batch of 1024 rows', () => {
  test('asks for leave to go on in every layer of every 64 rows', () => {
    const spec = dense()
    let calls = 0
    const checkpoint = () => {
      calls++
    }
    const samples = drawSamples(spec, { rows: 1024 })
    trainer(spec).step(samples, rowsFrom(0, 1024), { learningRate: 0.01, checkpoint })
    expect(calls).toBe(16 * 5)
  })
})

test('what has grown beyond all numbers has a loss that is none', () => {
  const spec = dense({ activation: 'relu' })
  const samples = drawSamples(spec, { rows: 20 })
  const trained = trainer(spec, {
    optimizer: { kind: 'sgd', weightDecay: 0, momentum: 0 },
    gradientClip: null,
  })
  trained.step(samples, rowsFrom(0, 20), { learningRate: 1e38 })
  const losses = [1, 2, 3].map(() => trained.step(samples, rowsFrom(0, 20), { learningRate: 1e38 }).loss)
  expect(losses.at(-1)).toBeNaN()
})

function planTooMuch(): void {
  const plan = new MemoryPlan()
  plan.reserve(2 ** 29)
  plan.check()
}

describe('what does not fit together is refused', () => {
  const samples = drawSamples(dense(), { rows: 20 })
  test.each([
    ['a width of 0', () => createModel(dense({ hidden: [0] }), 1), 'hidden layer 1 is 0'],
    [
      'too many weights',
      () => createModel(dense({ hidden: [4096, 4096, 4096, 4096, 4096] }), 1),
      'at most 50000000',
    ],
    ['a dropout of 1', () => createModel(dense({ dropout: 1 }), 1), 'dropout is 1'],
    ['one class', () => trainer(dense({ outputs: 1 })), 'two classes or more'],
    [
      'weights for other classes',
      () => trainer(dense(), { loss: { kind: 'cross_entropy', classWeights: [1, 2] } }),
      '2 class weights for 3 classes',
    ],
    [
      'a momentum of 1',
      () => trainer(dense(), { optimizer: { kind: 'sgd', weightDecay: 0, momentum: 1 } }),
      'the momentum 1',
    ],
    ['a limit of 0', () => trainer(dense(), { gradientClip: 0 }), 'it must be above 0'],
    ['a memory that is too large', () => planTooMuch(), 'the model needs 2049 MiB of memory, at most 1024'],
    [
      'other weights',
      () => new Predictor({ ...createModel(dense(), 1), spec: dense({ inputs: 6 }) }),
      'is 9 × 5, not 9 × 6',
    ],
    [
      'a state of another optimiser',
      () => trainer(dense()).setState({ step: 1, tensors: createModel(dense(), 1).parameters }),
      'exp_avg/layers.0.weight',
    ],
  ])('%s', (_, attempt, message) => {
    expect(attempt).toThrow(message)
  })

  test('a row that is not there, one without a whole window, or a class that is none', () => {
    const step = (spec: ModelSpec, row: number) => () =>
      trainer(spec).step(samples, Int32Array.of(row), { learningRate: 0.1 })
    expect(step(dense(), 20)).toThrow('row 20 is not one of 0 to 19')
    expect(step(dense(), -1)).toThrow('row -1')
    expect(step(recurrent('gru', { inputs: 5 }), 2)).toThrow('row 2 is not one of 3 to 19')
    const wrong = { ...samples, targets: new Int32Array(20).fill(3) }
    expect(() => trainer(dense()).evaluate(wrong, rowsFrom(0, 1))).toThrow('row 0 has the class 3 of 3')
  })
})

test('initial weights fill PyTorch’s range and are those of the seed', () => {
  const one = createModel(recurrent('gru', { hidden: 40 }), 7)
  expect(createModel(recurrent('gru', { hidden: 40 }), 7)).toEqual(one)
  expect(createModel(recurrent('gru', { hidden: 40 }), 8)).not.toEqual(one)
  for (const { name, values } of one.parameters) {
    const greatest = Math.max(...Array.from(values, Math.abs))
    expect(greatest).toBeLessThanOrEqual(1 / Math.sqrt(40))
    if (name.includes('weight_hh')) expect(greatest).toBeGreaterThan(0.99 / Math.sqrt(40))
  }
  const first =
    createModel(dense({ inputs: 100, hidden: [50] }), 7).parameters[0]?.values ?? new Float32Array()
  expect(Math.max(...Array.from(first, Math.abs))).toBeGreaterThan(0.099)
})

test('what fades away ends at 0, not among numbers too small to calculate with quickly', () => {
  const spec = dense({ activation: 'relu' })
  const trained = trainer(spec)
  runSteps(trained, spec, 0, 3)
  const nothing = { ...drawSamples(spec, { rows: 20 }), weights: new Float32Array(20) }
  for (let step = 0; step < 800; step++) trained.step(nothing, rowsFrom(0, 4), { learningRate: 0.001 })
  const { tensors } = trained.getState()
  const averages = tensors
    .filter(({ name }) => name.startsWith('exp_avg/'))
    .flatMap(({ values }) => [...values])
  expect(averages.every(value => value === 0)).toBe(true)
})
