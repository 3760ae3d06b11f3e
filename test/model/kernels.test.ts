import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Model } from '../../src/model/model.ts'
import type { Activation } from '../../src/model/model-spec.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { compileKernels, kernelsFile } from '../gen-kernels.ts'

test('the committed kernels are what the compiler makes of their sources, byte for byte', async () => {
  expect(await compileKernels()).toBe(readFileSync(kernelsFile, 'utf8'))
})

/** The activation itself: one input, one unit, one output, all weights 1. */
function asFunction(activation: Activation): (x: number) => number {
  const one = Float32Array.of(1)
  const tensor = (name: string, shape: number[], values = one) => ({ name, shape, values })
  const zero = Float32Array.of(0)
  const model: Model = {
    spec: { kind: 'mlp', inputs: 1, hidden: [1], activation, dropout: 0, outputs: 1 },
    parameters: [
      ...[tensor('layers.0.weight', [1, 1]), tensor('layers.0.bias', [1], zero)],
      ...[tensor('layers.1.weight', [1, 1]), tensor('layers.1.bias', [1], zero)],
    ],
  }
  const predictor = new Predictor(model)
  return x => predictor.values(Float32Array.of(x))[0] ?? Number.NaN
}

describe('activations', () => {
  const anyInput = fc.oneof(
    fc.float({ min: -20, max: 20, noNaN: true }),
    fc.float({ min: Math.fround(-0.01), max: Math.fround(0.01), noNaN: true }),
  )
  const expected: Readonly<Record<Activation, (x: number) => number>> = {
    relu: x => Math.max(0, x),
    leaky_relu: x => (x > 0 ? x : x * Math.fround(0.01)),
    tanh: Math.tanh,
    sigmoid: x => 1 / (1 + Math.exp(-x)),
  }
  test.each(['relu', 'leaky_relu', 'tanh', 'sigmoid'] as const)(
    '%s is right to 5e-7 of itself',
    activation => {
      const found = asFunction(activation)
      fc.assert(
        fc.property(anyInput, x => {
          const wanted = expected[activation](x)
          expect(Math.abs(found(x) - wanted)).toBeLessThanOrEqual(5e-7 * Math.abs(wanted) + 1e-44)
        }),
        { numRuns: 500 },
      )
    },
  )

  test('of huge inputs are their limits, of no number no number', () => {
    expect([asFunction('tanh')(1e30), asFunction('tanh')(-1e30)]).toEqual([1, -1])
    expect(asFunction('sigmoid')(1e30)).toBe(1)
    expect(asFunction('sigmoid')(-1e30)).toBeLessThan(1e-37)
    for (const activation of ['relu', 'leaky_relu', 'tanh', 'sigmoid'] as const)
      expect(asFunction(activation)(Number.NaN)).toBeNaN()
  })
})

test('probabilities are those of float64 to 2e-7, whatever the size of the outputs', () => {
  const outputs = 5
  const model = (biases: readonly number[]): Model => ({
    spec: { kind: 'mlp', inputs: 1, hidden: [], activation: 'relu', dropout: 0, outputs },
    parameters: [
      { name: 'layers.0.weight', shape: [outputs, 1], values: new Float32Array(outputs) },
      { name: 'layers.0.bias', shape: [outputs], values: Float32Array.from(biases) },
    ],
  })
  const anyOutput = fc.float({ min: -80, max: 80, noNaN: true })
  fc.assert(
    fc.property(fc.array(anyOutput, { minLength: outputs, maxLength: outputs }), logits => {
      const found = new Predictor(model(logits)).probabilities(Float32Array.of(0))
      const grown = logits.map(value => Math.exp(value - Math.max(...logits)))
      const total = grown.reduce((a, b) => a + b)
      grown.forEach((value, i) => {
        expect(Math.abs((found[i] ?? Number.NaN) - value / total)).toBeLessThan(2e-7)
      })
    }),
    { numRuns: 100 },
  )
})
