import { Problem } from '../problems.ts'
import type { DropoutSeed } from './dropout.ts'
import { type Engine, startEngine } from './kernels.ts'
import { isOfClasses, type LossSpec, type Samples, weigh } from './loss.ts'
import { MemoryPlan } from './memory-plan.ts'
import type { Model } from './model.ts'
import { checkSpec, type ModelSpec, parametersOf } from './model-spec.ts'
import { createNetwork, type Network, rowsOfPass } from './network.ts'
import { ParameterBlock } from './parameter-block.ts'

/** Sums over a batch. */
export type BatchResult = {
  /** Weighted mean of the rows' losses; not a number once weights have grown beyond all bounds. */
  readonly loss: number
  /** Rows whose greatest output was their class, or whose first value had the sign of its target (above 0 or not). */
  readonly correct: number
}

export type Run = {
  /** Called every few milliseconds; it may throw to stop the work. */
  readonly checkpoint?: (() => void) | undefined
  /** Whether gradients are added up; without, nothing is dropped and nothing changes. */
  readonly training?: DropoutSeed
}

/** A network with its memory, which it owns alone. Batches go through it a few rows at a time. */
export class BatchRunner {
  readonly engine: Engine
  readonly block: ParameterBlock
  /** Addresses of the blocks of parameters, gradients and moments. */
  readonly parameters: number
  readonly gradients: number
  readonly moments: readonly number[]
  private readonly spec: ModelSpec
  private readonly network: Network
  /** Rows of a pass. */
  private readonly rows: number
  /** Addresses of what a pass needs of its rows: targets, shares, one count, results. */
  private readonly targets: number
  private readonly shares: number
  private readonly correct: number
  private readonly results: number
  private isTransposed = false

  /** @param moments how many blocks an optimiser remembers; 0: there is none, and no training @throws {Problem} 'params-invalid' */
  constructor({ spec, parameters }: Model, moments: number) {
    checkSpec(spec)
    const plan = new MemoryPlan()
    this.spec = spec
    this.block = new ParameterBlock(parametersOf(spec))
    this.rows = rowsOfPass(spec)
    const size = this.block.size
    this.parameters = plan.reserve(size)
    this.gradients = plan.reserve(moments === 0 ? 0 : size)
    this.moments = Array.from({ length: moments }, () => plan.reserve(size))
    const zeros = plan.reserve(Math.max(...this.block.slots.map(slot => slot.inputs)))
    const blocks = { ...{ parameters: this.parameters, gradients: this.gradients, zeros } }
    const transposed = plan.reserve(moments === 0 ? 0 : size)
    const planned = { plan, block: this.block, blocks: { ...blocks, transposed }, rows: this.rows }
    this.network = createNetwork(spec, planned)
    this.targets = plan.reserve(this.rows * spec.outputs)
    this.shares = plan.reserve(this.rows)
    this.correct = plan.reserve(1)
    this.results = plan.reserve(this.rows * spec.outputs)
    plan.check()
    this.engine = startEngine(plan.bytes)
    this.block.write(this.view(this.parameters), parameters)
  }

  /** Bytes of the memory. */
  get bytes(): number {
    return this.engine.floats.byteLength
  }

  /** The values of a block, not a copy. */
  view(at: number): Float32Array {
    return this.engine.floats.subarray(at / 4, at / 4 + this.block.size)
  }

  /** To be called after the parameters have changed. */
  invalidate(): void {
    this.isTransposed = false
  }

  /**
   * The loss of some rows; in training their gradients are added to the block of gradients.
   * @param chosen row numbers; of a recurrent network the last of each window
   * @throws {RangeError} when a row or its window is not there, or a class is not one of the outputs
   */
  run(
    loss: LossSpec,
    samples: Samples,
    chosen: Int32Array,
    { checkpoint = () => {}, training }: Run,
  ): BatchResult {
    this.checkRows(samples.features, chosen)
    const { weights, total } = weigh(loss, samples, chosen, this.spec.outputs)
    if (training !== undefined && !this.isTransposed) {
      this.network.refresh(this.engine)
      this.isTransposed = true
    }
    this.engine.ints[this.correct / 4] = 0
    let sum = 0
    for (let first = 0; first < chosen.length; first += this.rows) {
      const rows = chosen.subarray(first, first + this.rows)
      const pass = {
        ...{ engine: this.engine, rows: Math.ceil(rows.length / 4) * 4, first, checkpoint },
        dropout: training ?? null,
      }
      this.network.gather(this.engine, samples.features, rows)
      this.network.forward(pass, training !== undefined)
      this.stage(loss, samples, rows, weights.subarray(first, first + this.rows), total)
      sum += this.differentiate(loss, rows.length, pass.rows)
      if (training !== undefined) this.network.backward(pass)
      checkpoint()
    }
    return { loss: sum, correct: this.engine.ints[this.correct / 4] as number }
  }

  /**
   * Probabilities of the classes, or values, of some rows.
   * @param chosen row numbers; of a recurrent network the last of each window
   * @returns chosen × outputs, row-major
   */
  predict(
    features: Float32Array,
    chosen: Int32Array,
    isOfClass: boolean,
    checkpoint = () => {},
  ): Float32Array {
    this.checkRows(features, chosen)
    const { outputs } = this.spec
    const { kernels, floats } = this.engine
    const found = new Float32Array(chosen.length * outputs)
    const place = this.network.outputs
    const write = isOfClass ? kernels.probabilities : kernels.copyValues
    for (let first = 0; first < chosen.length; first += this.rows) {
      const rows = chosen.subarray(first, first + this.rows)
      const padded = Math.ceil(rows.length / 4) * 4
      this.network.gather(this.engine, features, rows)
      this.network.forward({ engine: this.engine, rows: padded, first, dropout: null, checkpoint }, false)
      write(place.at, place.row, rows.length, outputs, this.results)
      const from = this.results / 4
      found.set(floats.subarray(from, from + rows.length * outputs), first * outputs)
      checkpoint()
    }
    return found
  }

  /** @throws {RangeError} when a row or its window is not there */
  private checkRows(features: Float32Array, chosen: Int32Array): void {
    const { inputs } = this.spec
    const before = this.spec.kind === 'mlp' ? 0 : this.spec.sequenceLength - 1
    const count = Math.floor(features.length / inputs)
    for (let i = 0; i < chosen.length; i++) {
      const row = chosen[i] as number
      if (row < before || row >= count)
        throw new RangeError(`row ${row} is not one of ${before} to ${count - 1}`)
    }
  }

  /** Puts targets and shares of some rows beside the outputs. */
  private stage(
    loss: LossSpec,
    samples: Samples,
    rows: Int32Array,
    weights: Float64Array,
    total: number,
  ): void {
    const { ints, floats } = this.engine
    const { outputs } = this.spec
    const hasClasses = isOfClasses(loss)
    const [target, share] = [this.targets / 4, this.shares / 4]
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      // A batch that counts nothing has the loss 0 and the gradient 0.
      floats[share + i] = total > 0 ? (weights[i] as number) / total : 0
      if (hasClasses) ints[target + i] = samples.targets[row] as number
      else
        for (let n = 0; n < outputs; n++)
          floats[target + i * outputs + n] = samples.targets[row * outputs + n] as number
    }
  }

  /** Replaces outputs by derivatives. @returns their part of the loss */
  private differentiate(loss: LossSpec, rows: number, padded: number): number {
    const { kernels, floats } = this.engine
    const { at, row } = this.network.outputs
    const { targets, shares, correct } = this
    const { outputs } = this.spec
    floats.fill(0, (at + rows * row) / 4, (at + padded * row) / 4)
    switch (loss.kind) {
      case 'cross_entropy':
        return kernels.classLoss(at, row, rows, outputs, targets, shares, 0, correct)
      case 'focal':
        return kernels.classLoss(at, row, rows, outputs, targets, shares, loss.gamma, correct)
      case 'mse':
        return kernels.valueLoss(at, row, rows, outputs, targets, shares, 0, correct)
      case 'huber':
        return kernels.valueLoss(at, row, rows, outputs, targets, shares, loss.delta, correct)
      default:
        return loss satisfies never
    }
  }
}

/** Every row that can be asked about. @returns row numbers */
export function allRows(spec: ModelSpec, features: Float32Array): Int32Array {
  const rows = features.length / spec.inputs
  if (!Number.isInteger(rows))
    throw new Problem('params-invalid', `${features.length} values are no rows of ${spec.inputs} features`)
  const before = spec.kind === 'mlp' ? 0 : spec.sequenceLength - 1
  const chosen = new Int32Array(Math.max(0, rows - before))
  for (let i = 0; i < chosen.length; i++) chosen[i] = i + before
  return chosen
}
