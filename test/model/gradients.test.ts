import { describe, expect, test } from '@jest/globals'
import type { LossSpec, Samples } from '../../src/model/loss.ts'
import { createModel, type Model } from '../../src/model/model.ts'
import type { ModelSpec } from '../../src/model/model-spec.ts'
import { Trainer } from '../../src/model/trainer.ts'
import { dense, drawSamples, recurrent, relativeDistance, rowsFrom } from './fixtures/models.ts'
import { keepsOf } from './reference/dropout-mask.ts'
import { batchLoss, type Parameters, toParameters } from './reference/network.ts'

const crossEntropy: LossSpec = { kind: 'cross_entropy' }
const classWeights = [0.5, 2, 1]

type Case = { spec: ModelSpec; loss: LossSpec; samples: Samples; rows: Int32Array }

const inClasses = (spec: ModelSpec, loss: LossSpec = crossEntropy): Case => ({
  ...{ spec, loss, samples: drawSamples(spec, { rows: 30, weighted: true }), rows: rowsFrom(5, 7) },
})
const inValues = (spec: ModelSpec, loss: LossSpec): Case => ({
  ...{ spec, loss, samples: drawSamples(spec, { rows: 30, targets: 'values' }), rows: rowsFrom(5, 7) },
})

const cases: readonly (readonly [string, Case])[] = [
  ['relu', inClasses(dense({ activation: 'relu' }))],
  ['leaky relu', inClasses(dense({ activation: 'leaky_relu' }))],
  ['tanh', inClasses(dense({ activation: 'tanh' }))],
  ['sigmoid', inClasses(dense({ activation: 'sigmoid' }))],
  ['no hidden layer', inClasses(dense({ hidden: [] }))],
  ['one unit, two classes', inClasses(dense({ hidden: [1], outputs: 2 }))],
  ['eleven classes', inClasses(dense({ hidden: [17], outputs: 11 }))],
  ['class weights', inClasses(dense(), { kind: 'cross_entropy', classWeights })],
  ['focal loss', inClasses(dense(), { kind: 'focal', gamma: 2, classWeights })],
  ['focal loss with a gamma below 1', inClasses(dense(), { kind: 'focal', gamma: 0.7 })],
  ['squared distance', inValues(dense({ outputs: 1 }), { kind: 'mse' })],
  ['squared distance of two values', inValues(dense({ outputs: 2 }), { kind: 'mse' })],
  ['Huber', inValues(dense({ outputs: 1 }), { kind: 'huber', delta: 0.5 })],
  ['LSTM of one layer', inClasses(recurrent('lstm', { layers: 1 }))],
  ['LSTM of two layers', inClasses(recurrent('lstm'))],
  ['GRU of one layer', inClasses(recurrent('gru', { layers: 1 }))],
  ['GRU of three layers', inClasses(recurrent('gru', { layers: 3 }))],
  ['LSTM for values', inValues(recurrent('lstm', { outputs: 1 }), { kind: 'huber', delta: 0.5 })],
]

/** Weights larger than the initial ones: nothing hides in the straight part of a curve. */
function enlarge(model: Model): Model {
  const parameters = model.parameters.map(({ values, ...rest }) => ({
    ...{ ...rest, values: values.map(value => 2 * value) },
  }))
  return { ...model, parameters }
}

function differentiate(model: Model, { loss, samples, rows }: Case, keeps?: Parameters4) {
  const parameters = toParameters(model)
  const value = batchLoss(model, parameters, loss, samples, [...rows], keeps ?? null)
  value.backward()
  return { parameters, loss: value.value }
}
type Parameters4 = ReturnType<typeof keepsOf>

const gradientsOf = (parameters: Parameters) => (name: string) =>
  (parameters.get(name)?.values ?? []).map(({ gradient }) => gradient)

const trainerOf = (model: Model, loss: LossSpec) =>
  new Trainer(model, {
    ...{ loss, optimizer: { kind: 'sgd', weightDecay: 0, momentum: 0 }, gradientClip: null, seed: 3 },
  })

describe.each(cases)('the gradient through %s', (_, problem) => {
  const model = enlarge(createModel(problem.spec, 11))

  test('is that of finite differences in the reference', () => {
    const { parameters } = differentiate(model, problem)
    const step = 1e-6
    for (const [name, { values }] of parameters) {
      // A few of each tensor: every element would be slow.
      for (const at of new Set([0, values.length >> 1, values.length - 1])) {
        const lossWith = (change: number) => {
          const moved = toParameters(model)
          const found = moved.get(name)?.values[at]
          Object.assign(found ?? {}, { value: (found?.value ?? 0) + change })
          return batchLoss(model, moved, problem.loss, problem.samples, [...problem.rows]).value
        }
        const slope = (lossWith(step) - lossWith(-step)) / (2 * step)
        expect(Math.abs(slope - (values[at]?.gradient ?? Number.NaN))).toBeLessThan(1e-7)
      }
    }
  })

  test('is that of the reference in the kernels, to 1e-5', () => {
    const expected = differentiate(model, problem)
    const found = trainerOf(model, problem.loss).gradient(problem.samples, problem.rows)
    expect(relativeDistance(found.tensors, gradientsOf(expected.parameters))).toBeLessThan(1e-5)
    expect(Math.abs(found.loss / expected.loss - 1)).toBeLessThan(1e-6)
  })
})

describe('dropout', () => {
  const specs = [
    dense({ dropout: 0.3, hidden: [9, 6, 4] }),
    recurrent('lstm', { dropout: 0.3, layers: 3 }),
    recurrent('gru', { dropout: 0.3 }),
  ]
  test.each(specs)('lets through to its gradient what the mask of seed and step keeps: $kind', spec => {
    const problem = inClasses(spec)
    const model = enlarge(createModel(spec, 11))
    const trainer = trainerOf(model, problem.loss)
    const expected = differentiate(model, problem, keepsOf({ seed: 3, step: 0, share: 0.3 }))
    const found = trainer.gradient(problem.samples, problem.rows)
    expect(relativeDistance(found.tensors, gradientsOf(expected.parameters))).toBeLessThan(1e-5)
    expect(trainer.gradient(problem.samples, problem.rows)).toEqual(found)
  })

  test('of rows beyond the first group is by their place in the batch', () => {
    const spec = dense({ dropout: 0.5, hidden: [4], inputs: 2 })
    const samples = drawSamples(spec, { rows: 150 })
    const problem: Case = { spec, loss: crossEntropy, samples, rows: rowsFrom(0, 150).reverse() }
    const model = createModel(spec, 11)
    const expected = differentiate(model, problem, keepsOf({ seed: 3, step: 0, share: 0.5 }))
    const found = trainerOf(model, problem.loss).gradient(samples, problem.rows)
    expect(relativeDistance(found.tensors, gradientsOf(expected.parameters))).toBeLessThan(1e-5)
  })

  test('leaves out its share of the units, each row and step in its own way', () => {
    const keeps = [0, 1].map(step => keepsOf({ seed: 9, step, share: 0.2 }))
    const kept = keeps.map(keep =>
      Array.from({ length: 40_000 }, (_, i) => (keep(0, i >> 5, i & 31) ? 1 : 0) as number),
    )
    const share = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
    // Five standard deviations: √(0.2 · 0.8 / 40 000) is 0.002.
    for (const values of kept) expect(Math.abs(share(values) - 0.8)).toBeLessThan(0.01)
    const both = (kept[0] ?? []).map((value, i) => value * ((kept[1] ?? [])[i] ?? 0))
    expect(Math.abs(share(both) - 0.64)).toBeLessThan(0.012)
    const below = (kept[0] ?? []).map((value, i) => value * ((kept[0] ?? [])[i + 32] ?? 0)).slice(0, -32)
    expect(Math.abs(share(below) - 0.64)).toBeLessThan(0.012)
    const beside = (kept[0] ?? []).map((value, i) => value * ((kept[0] ?? [])[i + 1] ?? 0)).slice(0, -1)
    expect(Math.abs(share(beside) - 0.64)).toBeLessThan(0.012)
  })
})
