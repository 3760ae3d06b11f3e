import { dropoutKey, dropUnits } from './dropout.ts'
import type { Engine } from './kernels.ts'
import { Linear } from './linear.ts'
import { type MemoryPlan, type Place, pad8, strideOf } from './memory-plan.ts'
import type { Activation, DenseSpec } from './model-spec.ts'
import type { Features, Network, NetworkPlan, Pass } from './network.ts'

/** As the kernels number them. */
const activations = { relu: 0, leaky_relu: 1, tanh: 2, sigmoid: 3 } as const satisfies Record<
  Activation,
  number
>

type Layer = {
  readonly linear: Linear
  readonly units: number
  /** Outputs; on the way back their derivatives. */
  readonly y: Place
  /** Address of the derivative of every output after its input, dropout included, at the stride of `y`. */
  readonly slopes: number
}

/** Fully connected layers. */
export class DenseNetwork implements Network {
  readonly outputs: Place
  private readonly spec: DenseSpec
  private readonly x: Place
  private readonly hidden: readonly Layer[]
  private readonly head: Linear

  constructor(spec: DenseSpec, { plan, block, blocks, rows }: NetworkPlan) {
    this.spec = spec
    const linear = (i: number) =>
      new Linear(block, { weights: `layers.${i}.weight`, bias: `layers.${i}.bias` }, blocks)
    this.x = plan.reserveRows(rows, spec.inputs)
    this.hidden = spec.hidden.map((units, i) => planLayer(plan, rows, units, linear(i)))
    this.head = linear(spec.hidden.length)
    this.outputs = plan.reserveRows(rows, spec.outputs)
  }

  gather({ floats }: Engine, features: Features, chosen: Int32Array): void {
    const { inputs } = this.spec
    const stride = this.x.row / 4
    let to = this.x.at / 4
    for (let i = 0; i < chosen.length; i++) {
      const from = (chosen[i] as number) * inputs
      for (let k = 0; k < inputs; k++) floats[to + k] = features[from + k] as number
      to += stride
    }
  }

  forward(pass: Pass, keep: boolean): void {
    let x = this.x
    this.hidden.forEach((layer, i) => {
      layer.linear.forward(pass.engine, pass.rows, x, layer.y)
      this.activate(pass, layer, keep)
      this.drop(pass, layer, i)
      pass.checkpoint()
      x = layer.y
    })
    this.head.forward(pass.engine, pass.rows, x, this.outputs)
  }

  backward(pass: Pass): void {
    let dy = this.outputs
    let linear = this.head
    for (let i = this.hidden.length - 1; i >= 0; i--) {
      const below = this.hidden[i] as Layer
      linear.addGradients(pass.engine, pass.rows, below.y, dy)
      // The outputs below have been used for the last time: their derivatives take the place.
      linear.back(pass.engine, pass.rows, dy, below.y)
      pass.engine.kernels.scaleBy(below.y.at, below.slopes, (pass.rows * below.y.row) / 4)
      pass.checkpoint()
      dy = below.y
      linear = below.linear
    }
    linear.addGradients(pass.engine, pass.rows, this.x, dy)
  }

  refresh(engine: Engine): void {
    for (const layer of this.hidden.slice(1)) layer.linear.transpose(engine)
    if (this.hidden.length > 0) this.head.transpose(engine)
  }

  private activate({ engine: { kernels }, rows }: Pass, { y, slopes, units }: Layer, keep: boolean): void {
    const kind = activations[this.spec.activation]
    kernels.activate(kind, y.at, keep ? slopes : 0, (rows * y.row) / 4)
    // Of what fills up, sigmoid makes a half; the weights after it would be drawn from their 0.
    if (kind === activations.sigmoid && units % 8 > 0)
      kernels.clearColumns(y.at, y.row, rows, units, pad8(units))
  }

  private drop({ engine, rows, first, dropout }: Pass, { y, slopes, units }: Layer, layer: number): void {
    const share = this.spec.dropout
    if (dropout === null || share === 0) return
    const dropped = { values: y, slopes, rows, units, counter: first, counterStep: 1 }
    dropUnits(engine, share, dropoutKey(dropout, layer), dropped)
  }
}

function planLayer(plan: MemoryPlan, rows: number, units: number, linear: Linear): Layer {
  return { linear, units, y: plan.reserveRows(rows, units), slopes: plan.reserve(rows * strideOf(units)) }
}
