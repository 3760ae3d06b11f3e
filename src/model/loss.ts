import { Problem } from '../problems.ts'

/**
 * What training makes small. Cross-entropy and focal are of the softmax of the outputs, the classes weighted; a
 * regression has the squared distance, or half of it up to `delta` and straight beyond.
 */
export type LossSpec =
  | { readonly kind: 'cross_entropy'; readonly classWeights?: readonly number[] }
  | { readonly kind: 'focal'; readonly gamma: number; readonly classWeights?: readonly number[] }
  | { readonly kind: 'mse' }
  | { readonly kind: 'huber'; readonly delta: number }

export const isOfClasses = (loss: LossSpec): boolean => loss.kind === 'cross_entropy' || loss.kind === 'focal'

/** @throws {Problem} 'params-invalid' when a loss does not go with that many outputs */
export function checkLoss(loss: LossSpec, outputs: number): void {
  if (isOfClasses(loss) && outputs < 2)
    throw new Problem('params-invalid', `a classification needs two classes or more, not ${outputs}`)
  const weights = 'classWeights' in loss ? loss.classWeights : undefined
  if (weights !== undefined && weights.length !== outputs)
    throw new Problem('params-invalid', `there are ${weights.length} class weights for ${outputs} classes`)
  if (weights?.some(weight => !(weight >= 0 && Number.isFinite(weight))))
    throw new Problem('params-invalid', `a class weight is below 0 or no number: ${weights.join(', ')}`)
  if (loss.kind === 'focal' && !(loss.gamma >= 0 && loss.gamma <= 100))
    throw new Problem('params-invalid', `gamma of the focal loss is ${loss.gamma}; it must be 0 to 100`)
  if (loss.kind === 'huber' && !(loss.delta > 0 && Number.isFinite(loss.delta)))
    throw new Problem('params-invalid', `delta of the Huber loss is ${loss.delta}; it must be above 0`)
}

/** Rows with what they should come to. */
export type Samples = {
  /** Rows × inputs, row-major, finite. */
  readonly features: Float32Array
  /** One class per row, from 0 on; or the values of every row, rows × outputs. */
  readonly targets: Int32Array | Float32Array
  /** How much a row counts, ≥ 0; absent: all the same. */
  readonly weights?: Float32Array
}

/** What the rows of a batch count, and by what their sum is divided. */
export type Shares = {
  /** Of every chosen row: its weight, times that of its class. */
  readonly weights: Float64Array
  /** Cross-entropy: the sum of these. Focal, squared and Huber: the sum of the weights of the rows alone. */
  readonly total: number
}

/**
 * How a batch is averaged: as PyTorch's reduction `mean`.
 * @throws {RangeError} when a class is not one of the outputs
 */
export function weigh(loss: LossSpec, samples: Samples, chosen: Int32Array, outputs: number): Shares {
  const classWeights = 'classWeights' in loss ? loss.classWeights : undefined
  const hasClasses = isOfClasses(loss)
  const weights = new Float64Array(chosen.length)
  let [ofRows, ofAll] = [0, 0]
  for (let i = 0; i < chosen.length; i++) {
    const row = chosen[i] as number
    const own = samples.weights === undefined ? 1 : (samples.weights[row] as number)
    const target = samples.targets[row] as number
    if (hasClasses && !(target >= 0 && target < outputs))
      throw new RangeError(`row ${row} has the class ${target} of ${outputs}`)
    const weight = classWeights === undefined ? own : own * (classWeights[target] as number)
    weights[i] = weight
    ofRows += own
    ofAll += weight
  }
  const total = loss.kind === 'cross_entropy' ? ofAll : ofRows
  return { weights, total }
}
