import { Problem } from '../problems.ts'
import { pad8 } from './memory-plan.ts'
import type { NamedTensor, ParameterShape } from './model-spec.ts'

/** Where a parameter lies in a block of all parameters, gradients or moments, in values from its start. */
export type Slot = ParameterShape & {
  readonly offset: number
  /** Padded: rows of its panels, 1 for a bias. */
  readonly inputs: number
  /** Padded, all gates together. */
  readonly outputs: number
}

/**
 * All parameters one after the other: weights in panels of 8 outputs, [outputs / 8][inputs][8]. Every gate starts at
 * a multiple of 8. What only fills up is 0 and stays so.
 */
export class ParameterBlock {
  readonly slots: readonly Slot[]
  /** In values, a multiple of 8. */
  readonly size: number

  constructor(shapes: readonly ParameterShape[]) {
    let offset = 0
    this.slots = shapes.map(shape => {
      const [rows, columns] = shape.shape
      const inputs = columns === undefined ? 1 : pad8(columns)
      const outputs = pad8(rows / shape.gates) * shape.gates
      const slot = { ...shape, offset, inputs, outputs }
      offset += inputs * outputs
      return slot
    })
    this.size = offset
  }

  /** @throws {RangeError} when there is none */
  find(name: string): Slot {
    const slot = this.slots.find(found => found.name === name)
    if (slot === undefined) throw new RangeError(`there is no parameter ${name}`)
    return slot
  }

  /**
   * Fills a block with tensors.
   * @param prefix stands before every name
   * @throws {Problem} 'params-invalid' when one is missing or has another shape
   */
  write(block: Float32Array, tensors: readonly NamedTensor[], prefix = ''): void {
    for (const slot of this.slots) {
      const name = `${prefix}${slot.name}`
      const tensor = tensors.find(found => found.name === name)
      const shape = slot.shape.join(' × ')
      if (tensor === undefined)
        throw new Problem('params-invalid', `the tensor ${name}, ${shape}, is missing`)
      if (tensor.shape.join(' × ') !== shape || tensor.values.length !== sizeOf(slot))
        throw new Problem('params-invalid', `the tensor ${name} is ${tensor.shape.join(' × ')}, not ${shape}`)
      forEachValue(slot, (at, from) => {
        block[at] = tensor.values[from] as number
      })
    }
  }

  /** The tensors of a block, as copies. */
  read(block: Float32Array, prefix = ''): NamedTensor[] {
    return this.slots.map(slot => {
      const values = new Float32Array(sizeOf(slot))
      forEachValue(slot, (at, to) => {
        values[to] = block[at] as number
      })
      return { name: `${prefix}${slot.name}`, shape: slot.shape, values }
    })
  }
}

const sizeOf = ({ shape: [rows, columns = 1] }: Slot): number => rows * columns

/** Every value of a parameter: where it is in the block, and where in PyTorch's tensor. */
function forEachValue(slot: Slot, visit: (at: number, index: number) => void): void {
  const [rows, columns = 1] = slot.shape
  const units = rows / slot.gates
  for (let row = 0; row < rows; row++) {
    const output = Math.floor(row / units) * pad8(units) + (row % units)
    const panel = slot.offset + (output >> 3) * slot.inputs * 8 + (output & 7)
    for (let column = 0; column < columns; column++) visit(panel + column * 8, row * columns + column)
  }
}
