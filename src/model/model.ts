import { Random } from '../statistics/random.ts'
import { checkSpec, type ModelSpec, type NamedTensor, parametersOf } from './model-spec.ts'

/** A network and its weights. */
export type Model = {
  readonly spec: ModelSpec
  /** As `parametersOf` lists them. */
  readonly parameters: readonly NamedTensor[]
}

/**
 * A new network, initialised as PyTorch does: uniform within ± 1/√inputs for Linear, ± 1/√hidden for cells.
 * @param seed a whole number, 0–2^53 − 1; the same one gives the same weights, bit for bit
 * @throws {Problem} 'params-invalid' when a size is out of its range
 */
export function createModel(spec: ModelSpec, seed: number): Model {
  checkSpec(spec)
  const random = new Random(seed)
  const parameters = parametersOf(spec).map(({ name, shape, bound }) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const values = Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) * bound)
    return { name, shape, values }
  })
  return { spec, parameters }
}
