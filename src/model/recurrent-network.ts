import { dropoutKey, dropUnits } from './dropout.ts'
import type { Engine } from './kernels.ts'
import { Linear } from './linear.ts'
import { type Place, pad8 } from './memory-plan.ts'
import type { RecurrentSpec } from './model-spec.ts'
import type { Features, Network, NetworkPlan, Pass } from './network.ts'
import { clear, RecurrentLayer } from './recurrent-layer.ts'

/** Layers of cells; dropout after each of them, after the last one on its last state alone; then Linear. */
export class RecurrentNetwork implements Network {
  readonly outputs: Place
  private readonly spec: RecurrentSpec
  /** Windows by time, then row. */
  private readonly x: Place
  private readonly layers: readonly RecurrentLayer[]
  private readonly head: Linear
  /** For every layer addresses of its hidden states after dropout, and of the factors that made them. */
  private readonly dropped: readonly { readonly values: number; readonly factors: number }[]

  constructor(spec: RecurrentSpec, network: NetworkPlan) {
    const { plan, block, blocks, rows } = network
    this.spec = spec
    const inputs = pad8(spec.inputs)
    this.x = { at: plan.reserve(spec.sequenceLength * rows * inputs), row: inputs * 4 }
    this.layers = Array.from({ length: spec.layers }, (_, i) => new RecurrentLayer(spec, i, network))
    this.dropped = this.layers.map((_, i) => {
      const steps = i === spec.layers - 1 ? 1 : spec.sequenceLength
      const count = spec.dropout === 0 ? 0 : steps * rows * pad8(spec.hidden)
      return { values: plan.reserve(count), factors: plan.reserve(count) }
    })
    this.head = new Linear(block, { weights: 'head.weight', bias: 'head.bias' }, blocks)
    this.outputs = plan.reserveRows(rows, spec.outputs)
  }

  /** Of fewer rows than a multiple of 4 the rest is 0. */
  gather(engine: Engine, features: Features, chosen: Int32Array): void {
    const { inputs, sequenceLength } = this.spec
    const { floats } = engine
    const stride = this.x.row / 4
    const rows = Math.ceil(chosen.length / 4) * 4
    for (let i = 0; i < rows; i++) {
      const isAsked = i < chosen.length
      let from = isAsked ? ((chosen[i] as number) - sequenceLength + 1) * inputs : 0
      for (let t = 0; t < sequenceLength; t++) {
        const to = this.x.at / 4 + (t * rows + i) * stride
        for (let k = 0; k < inputs; k++) floats[to + k] = isAsked ? (features[from + k] as number) : 0
        // Rows of another count lay elsewhere: what fills up must be 0 anew.
        for (let k = inputs; k < stride; k++) floats[to + k] = 0
        from += inputs
      }
    }
  }

  forward(pass: Pass): void {
    let x = this.x
    this.layers.forEach((layer, i) => {
      layer.forward(pass, x)
      x = this.drop(pass, i)
    })
    this.head.forward(pass.engine, pass.rows, x, this.outputs)
  }

  backward(pass: Pass): void {
    const { engine, rows } = pass
    const last = this.layers.length - 1
    for (const layer of this.layers)
      clear(engine, layer.hiddenSlope(rows, 0).at, this.spec.sequenceLength * rows * pad8(this.spec.hidden))
    this.head.addGradients(engine, rows, this.outputOf(pass, last), this.outputs)
    this.head.back(engine, rows, this.outputs, this.slopeOf(pass, last))
    this.scale(pass, last)
    for (let i = last; i >= 0; i--) {
      const layer = this.layers[i] as RecurrentLayer
      if (i === 0) layer.backward(pass, this.x, null)
      else {
        layer.backward(pass, this.outputOf(pass, i - 1), this.slopeOf(pass, i - 1))
        this.scale(pass, i - 1)
      }
    }
  }

  refresh(engine: Engine): void {
    for (const layer of this.layers) layer.transpose(engine)
    this.head.transpose(engine)
  }

  /** First time step that the layer above sees: of the last layer only the last. */
  private from(layer: number): number {
    return layer === this.layers.length - 1 ? this.spec.sequenceLength - 1 : 0
  }

  private slopeOf({ rows }: Pass, layer: number): Place {
    return (this.layers[layer] as RecurrentLayer).hiddenSlope(rows, this.from(layer))
  }

  /** What the layer above sees of a layer. */
  private outputOf({ rows, dropout }: Pass, layer: number): Place {
    const hidden = (this.layers[layer] as RecurrentLayer).hidden(rows, this.from(layer))
    if (dropout === null || this.spec.dropout === 0) return hidden
    return { at: this.dropped[layer]?.values ?? 0, row: hidden.row }
  }

  /** Leaves out units of a layer's states, the states themselves being needed as they are. */
  private drop(pass: Pass, layer: number): Place {
    const { engine, rows, first, dropout } = pass
    const { dropout: share, sequenceLength } = this.spec
    const output = this.outputOf(pass, layer)
    if (dropout === null || share === 0) return output
    const [from, key] = [this.from(layer), dropoutKey(dropout, layer)]
    const hidden = (this.layers[layer] as RecurrentLayer).hidden(rows, from).at / 4
    const size = rows * (output.row / 4)
    const { values, factors } = this.dropped[layer] as { values: number; factors: number }
    const steps = sequenceLength - from
    engine.floats.copyWithin(values / 4, hidden, hidden + steps * size)
    engine.floats.fill(1, factors / 4, factors / 4 + steps * size)
    for (let t = 0; t < steps; t++) {
      dropUnits(engine, share, key, {
        ...{ values: { at: values + t * size * 4, row: output.row }, slopes: factors + t * size * 4 },
        ...{ rows, units: output.row / 4, counter: first * steps + t, counterStep: steps },
      })
    }
    return output
  }

  /** The way back through dropout. */
  private scale(pass: Pass, layer: number): void {
    if (pass.dropout === null || this.spec.dropout === 0) return
    const slope = this.slopeOf(pass, layer)
    const count = ((this.spec.sequenceLength - this.from(layer)) * pass.rows * slope.row) / 4
    pass.engine.kernels.scaleBy(slope.at, this.dropped[layer]?.factors ?? 0, count)
  }
}
