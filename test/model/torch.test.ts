import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { LossSpec, Samples } from '../../src/model/loss.ts'
import type { ModelSpec, NamedTensor } from '../../src/model/model-spec.ts'
import type { OptimizerSpec } from '../../src/model/optimizer.ts'
import { Trainer } from '../../src/model/trainer.ts'
import { relativeDistance } from './fixtures/models.ts'

type Tensor = { readonly name: string; readonly shape: number[]; readonly values: number[] }

/** What `fixtures/record-torch.py` records. */
type Recorded = {
  readonly spec: ModelSpec
  readonly loss: {
    readonly kind: LossSpec['kind']
    readonly class_weights?: number[]
    readonly delta?: number
  }
  readonly clip: number | null
  readonly length: number
  readonly optimizer: {
    readonly kind: OptimizerSpec['kind']
    readonly lr: number
    readonly weight_decay?: number
    readonly momentum?: number
  }
  readonly features: number[]
  readonly targets: number[]
  readonly initial: readonly Tensor[]
  readonly losses: readonly number[]
  readonly norms: readonly number[]
  readonly final: readonly Tensor[]
}

const file = new URL('fixtures/torch.json', import.meta.url)
const { runs }: { runs: Readonly<Record<string, Recorded>> } = JSON.parse(readFileSync(file, 'utf8'))

const toTensors = (tensors: readonly Tensor[]): NamedTensor[] =>
  tensors.map(({ values, ...rest }) => ({ ...rest, values: Float32Array.from(values) }))

function toLoss({ kind, class_weights, delta = 1 }: Recorded['loss']): LossSpec {
  if (kind === 'huber') return { kind, delta }
  if (kind === 'cross_entropy' && class_weights !== undefined) return { kind, classWeights: class_weights }
  return kind === 'mse' ? { kind } : { kind: 'cross_entropy' }
}

function toOptimizer({ kind, weight_decay = 0, momentum = 0 }: Recorded['optimizer']): OptimizerSpec {
  if (kind === 'sgd' || kind === 'rmsprop') return { kind, weightDecay: weight_decay, momentum }
  return { kind, weightDecay: weight_decay }
}

/** Batches of 16 rows, one after the other; the last one of a pass may be shorter. */
function* batchesOf({ spec, features, length }: Recorded): Generator<Int32Array, never> {
  const count = features.length / spec.inputs
  const ends = Int32Array.from({ length: count - length + 1 }, (_, i) => i + length - 1)
  for (;;) for (let at = 0; at < ends.length; at += 16) yield ends.subarray(at, at + 16)
}

/** Both are float32 with their own order of sums: losses and norms to 2e-6, weights to 1e-5, after 5 or 20 steps. */
test.each(Object.entries(runs))(
  '%s: every step and the weights after the last are those of PyTorch',
  (_, run) => {
    const trainer = new Trainer(
      { spec: run.spec, parameters: toTensors(run.initial) },
      { loss: toLoss(run.loss), optimizer: toOptimizer(run.optimizer), gradientClip: run.clip, seed: 1 },
    )
    const samples: Samples = {
      features: Float32Array.from(run.features),
      targets: run.spec.outputs === 1 ? Float32Array.from(run.targets) : Int32Array.from(run.targets),
    }
    const batches = batchesOf(run)
    const steps = run.losses.map(() =>
      trainer.step(samples, batches.next().value, { learningRate: run.optimizer.lr }),
    )
    steps.forEach(({ loss, gradientNorm }, i) => {
      expect(Math.abs(loss / (run.losses[i] ?? 0) - 1)).toBeLessThan(2e-6)
      expect(Math.abs(gradientNorm / (run.norms[i] ?? 0) - 1)).toBeLessThan(2e-6)
    })
    const expected = new Map(run.final.map(({ name, values }) => [name, values]))
    const found = trainer.getModel().parameters
    expect(relativeDistance(found, name => expected.get(name) ?? [])).toBeLessThan(1e-5)
  },
)
