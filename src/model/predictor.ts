import { allRows, BatchRunner } from './batch-runner.ts'
import type { Model } from './model.ts'

/** Answers by a trained model. It holds a copy of the weights and little else. */
export class Predictor {
  private readonly runner: BatchRunner
  private readonly model: Model

  /** @throws {Problem} 'params-invalid' when a tensor is missing or the model is too large */
  constructor(model: Model) {
    this.model = model
    this.runner = new BatchRunner(model, 0)
  }

  /** Bytes of memory outside JavaScript's heap. */
  get bytes(): number {
    return this.runner.bytes
  }

  /**
   * Probabilities of the classes, which add up to 1.
   * @param features rows × inputs, row-major
   * @param rows row numbers; of a recurrent network the last of each window. Absent: all that have a window
   * @param checkpoint called every few milliseconds; it may throw to stop the work
   * @returns rows × outputs, row-major
   */
  probabilities(features: Float32Array, rows?: Int32Array, checkpoint?: () => void): Float32Array {
    return this.runner.predict(features, rows ?? allRows(this.model.spec, features), true, checkpoint)
  }

  /** The outputs as they are: the values of a regression. Otherwise as `probabilities`. */
  values(features: Float32Array, rows?: Int32Array, checkpoint?: () => void): Float32Array {
    return this.runner.predict(features, rows ?? allRows(this.model.spec, features), false, checkpoint)
  }
}
