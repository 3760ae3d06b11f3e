import { Problem } from '../problems.ts'
import { type BatchResult, BatchRunner } from './batch-runner.ts'
import { checkLoss, isOfClasses, type LossSpec, type Samples } from './loss.ts'
import type { Model } from './model.ts'
import type { NamedTensor } from './model-spec.ts'
import { checkOptimizer, momentsOf, type OptimizerSpec, updateParameters } from './optimizer.ts'

export type TrainerSpec = {
  readonly loss: LossSpec
  readonly optimizer: OptimizerSpec
  /** Greatest norm of the gradient; null: no limit. */
  readonly gradientClip: number | null
  /** Of what is dropped: a whole number, 0–2^53 − 1. */
  readonly seed: number
}

export type StepOptions = {
  readonly learningRate: number
  /**
   * Called every few milliseconds (each layer of each group of at most 64 rows): it may throw to stop the work. A step that was
   * stopped has changed nothing.
   */
  readonly checkpoint?: () => void
}

export type StepResult = BatchResult & {
  /** Euclidean norm of the gradient, before it was clipped. */
  readonly gradientNorm: number
}

/** Everything the next step depends on, besides the samples. */
export type TrainerState = {
  /** Steps done. */
  readonly step: number
  /** The parameters under their names, and what the optimiser remembers as `exp_avg/layers.0.weight`. */
  readonly tensors: readonly NamedTensor[]
}

/**
 * Trains one model, batch by batch. The same samples in the same order give the same weights, bit for bit, on every
 * processor, in any thread, straight through or from a state restored in between.
 */
export class Trainer {
  private readonly model: Model
  private readonly spec: TrainerSpec
  private readonly runner: BatchRunner
  private steps = 0

  /** @throws {Problem} 'params-invalid' when model, loss or optimiser do not go together */
  constructor(model: Model, spec: TrainerSpec) {
    checkLoss(spec.loss, model.spec.outputs)
    checkOptimizer(spec.optimizer)
    if (spec.gradientClip !== null && !(spec.gradientClip > 0))
      throw new Problem(
        'params-invalid',
        `the gradient is clipped at ${spec.gradientClip}; it must be above 0`,
      )
    this.model = model
    this.spec = spec
    this.runner = new BatchRunner(model, momentsOf[spec.optimizer.kind].length)
  }

  /** Bytes of memory outside JavaScript's heap. */
  get bytes(): number {
    return this.runner.bytes
  }

  /**
   * One step of the optimiser by the mean loss of some rows.
   * @param rows row numbers, in the order in which they count; of a recurrent network the last row of each window,
   *   which must not reach into another symbol
   * @throws {RangeError} when there is no row, one is not there, or its class is not one of the outputs
   */
  step(samples: Samples, rows: Int32Array, { learningRate, checkpoint }: StepOptions): StepResult {
    if (rows.length === 0) throw new RangeError('a step needs at least one row')
    const result = this.accumulate(samples, rows, checkpoint)
    const { engine, block, parameters, gradients, moments } = this.runner
    const gradientNorm = Math.sqrt(engine.kernels.squaredNorm(gradients, block.size))
    const limit = this.spec.gradientClip
    this.steps++
    updateParameters(engine.kernels, this.spec.optimizer, {
      ...{ parameters, gradients, moments, count: block.size },
      clip: limit === null ? 1 : Math.min(1, limit / (gradientNorm + 1e-6)),
      ...{ learningRate, step: this.steps },
    })
    this.runner.invalidate()
    return { ...result, gradientNorm }
  }

  /** The gradient of the mean loss that the next step would follow, not clipped; nothing changes. */
  gradient(samples: Samples, rows: Int32Array): StepResult & { readonly tensors: readonly NamedTensor[] } {
    const result = this.accumulate(samples, rows)
    const { engine, block, gradients } = this.runner
    const gradientNorm = Math.sqrt(engine.kernels.squaredNorm(gradients, block.size))
    const tensors = block.read(this.runner.view(gradients))
    this.runner.view(gradients).fill(0)
    return { ...result, gradientNorm, tensors }
  }

  /** Mean loss and right answers of some rows, nothing dropped. */
  evaluate(samples: Samples, rows: Int32Array, checkpoint?: () => void): BatchResult {
    return this.runner.run(this.spec.loss, samples, rows, { checkpoint })
  }

  /** Probabilities of the classes, or values. @returns rows × outputs, row-major */
  predict(features: Float32Array, rows: Int32Array, checkpoint?: () => void): Float32Array {
    return this.runner.predict(features, rows, isOfClasses(this.spec.loss), checkpoint)
  }

  /** The model as it is now, a copy. */
  getModel(): Model {
    const { block, parameters } = this.runner
    return { spec: this.model.spec, parameters: block.read(this.runner.view(parameters)) }
  }

  /** A copy of everything the next step depends on. */
  getState(): TrainerState {
    const { block, parameters, moments } = this.runner
    const names = momentsOf[this.spec.optimizer.kind]
    const remembered = moments.flatMap((at, i) => block.read(this.runner.view(at), `${names[i]}/`))
    return { step: this.steps, tensors: [...block.read(this.runner.view(parameters)), ...remembered] }
  }

  /**
   * Goes on where a trainer of the same model, loss and optimiser was.
   * @throws {Problem} 'params-invalid' when a tensor is missing or has another shape
   */
  setState({ step, tensors }: TrainerState): void {
    const { block, parameters, moments } = this.runner
    const names = momentsOf[this.spec.optimizer.kind]
    block.write(this.runner.view(parameters), tensors)
    moments.forEach((at, i) => {
      block.write(this.runner.view(at), tensors, `${names[i]}/`)
    })
    this.steps = step
    this.runner.invalidate()
  }

  /** Adds up gradients; what a stopped step has left of its own is removed. */
  private accumulate(samples: Samples, rows: Int32Array, checkpoint?: () => void): BatchResult {
    const training = { seed: this.spec.seed, step: this.steps }
    try {
      return this.runner.run(this.spec.loss, samples, rows, { checkpoint, training })
    } catch (error) {
      this.runner.view(this.runner.gradients).fill(0)
      throw error
    }
  }
}
