import type { Engine } from './kernels.ts'
import type { Place } from './memory-plan.ts'
import type { ParameterBlock, Slot } from './parameter-block.ts'

/** Addresses of the blocks all layers share. */
export type Blocks = {
  readonly parameters: number
  readonly gradients: number
  /** The weights once more, transposed: made anew after every change of them. */
  readonly transposed: number
  /** As many zeros as a layer can have inputs. */
  readonly zeros: number
}

/** y = x · weights + bias, and the way back. Rows come in multiples of 4. */
export class Linear {
  private readonly weights: Slot
  private readonly bias: Slot
  private readonly blocks: Blocks
  /** Addresses. */
  private readonly weightsAt: number
  readonly biasAt: number
  /** Bytes of a panel of the weights, and of the transposed ones. */
  private readonly panel: number
  private readonly backPanel: number
  /** Without what fills up; gates are not told apart from it. */
  private readonly inputs: number
  private readonly outputs: number

  constructor(block: ParameterBlock, names: { weights: string; bias: string }, blocks: Blocks) {
    this.weights = block.find(names.weights)
    this.bias = block.find(names.bias)
    this.blocks = blocks
    this.weightsAt = blocks.parameters + this.weights.offset * 4
    this.biasAt = blocks.parameters + this.bias.offset * 4
    this.panel = this.weights.inputs * 32
    this.backPanel = this.weights.outputs * 32
    this.inputs = this.weights.shape[1] ?? 1
    this.outputs = this.weights.gates === 1 ? this.weights.shape[0] : this.weights.outputs
  }

  /** @param bias address of what stands in for the bias of this layer */
  forward({ kernels }: Engine, rows: number, x: Place, y: Place, bias = this.biasAt): void {
    const { panel, inputs } = this
    const { outputs } = this.weights
    kernels.forward(x.at, x.row, this.weightsAt, panel, bias, y.at, y.row, rows, inputs, outputs)
  }

  /** y += x · weights, without the bias. */
  forwardAdd({ kernels }: Engine, rows: number, x: Place, y: Place): void {
    const { panel, inputs } = this
    kernels.forwardAdd(x.at, x.row, this.weightsAt, panel, y.at, y.row, rows, inputs, this.weights.outputs)
  }

  /** Adds the gradients of weights and bias, given that of y. */
  addGradients({ kernels }: Engine, rows: number, x: Place, dy: Place): void {
    const { inputs, outputs, offset } = this.weights
    const { gradients } = this.blocks
    kernels.biasGradient(dy.at, dy.row, gradients + this.bias.offset * 4, rows, outputs)
    kernels.weightGradient(x.at, x.row, dy.at, dy.row, gradients + offset * 4, rows, inputs, outputs)
  }

  /** dx = dy · weightsᵀ */
  back({ kernels }: Engine, rows: number, dy: Place, dx: Place): void {
    const { backPanel, outputs, blocks } = this
    const { inputs, offset } = this.weights
    const at = blocks.transposed + offset * 4
    kernels.forward(dy.at, dy.row, at, backPanel, blocks.zeros, dx.at, dx.row, rows, outputs, inputs)
  }

  /** dx += dy · weightsᵀ */
  backAdd({ kernels }: Engine, rows: number, dy: Place, dx: Place): void {
    const at = this.blocks.transposed + this.weights.offset * 4
    const { backPanel, outputs, weights } = this
    kernels.forwardAdd(dy.at, dy.row, at, backPanel, dx.at, dx.row, rows, outputs, weights.inputs)
  }

  /** Makes the transposed weights anew. */
  transpose({ kernels }: Engine): void {
    const { parameters, transposed } = this.blocks
    const { offset, inputs, outputs } = this.weights
    kernels.transpose(parameters + offset * 4, transposed + offset * 4, inputs, outputs)
  }
}
