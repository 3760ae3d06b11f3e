import type { Engine } from './kernels.ts'
import { Linear } from './linear.ts'
import { type MemoryPlan, type Place, pad8 } from './memory-plan.ts'
import { gatesOf, type RecurrentSpec } from './model-spec.ts'
import type { NetworkPlan, Pass } from './network.ts'

/** A multiple of 4. */
const rowsAtOnce = 64

/**
 * One layer of LSTM or GRU cells over all time steps, in PyTorch's formulas. Everything is laid out by time, then row:
 * what belongs to time t and `rows` rows starts at t · rows · width.
 */
export class RecurrentLayer {
  private readonly kind: 'lstm' | 'gru'
  private readonly steps: number
  /** Padded units, and bytes of a row of states and of gates. */
  private readonly units: number
  private readonly stateRow: number
  private readonly gateRow: number
  private readonly fromInput: Linear
  private readonly fromHidden: Linear
  private readonly buffers: Buffers

  constructor(spec: RecurrentSpec, layer: number, { plan, block, blocks, rows }: NetworkPlan) {
    const linear = (part: string) =>
      new Linear(
        block,
        { weights: `rnn.weight_${part}_l${layer}`, bias: `rnn.bias_${part}_l${layer}` },
        blocks,
      )
    this.kind = spec.kind
    this.steps = spec.sequenceLength
    this.units = pad8(spec.hidden)
    this.stateRow = this.units * 4
    this.gateRow = this.stateRow * gatesOf[spec.kind]
    this.fromInput = linear('ih')
    this.fromHidden = linear('hh')
    this.buffers = planBuffers(plan, { rows, steps: this.steps, units: this.units, kind: spec.kind })
  }

  /** Hidden states after time `t`; −1: before the first. */
  hidden(rows: number, t: number): Place {
    return { at: this.buffers.hidden + (t + 1) * rows * this.stateRow, row: this.stateRow }
  }

  /** What is wanted of the hidden states after time `t`: the gradient. */
  hiddenSlope(rows: number, t: number): Place {
    return { at: this.buffers.hiddenSlope + t * rows * this.stateRow, row: this.stateRow }
  }

  /** @param x the inputs of all time steps */
  forward(pass: Pass, x: Place): void {
    const { engine, rows } = pass
    const { kind, steps } = this
    clear(engine, this.hidden(rows, -1).at, rows * this.units)
    if (kind === 'lstm') clear(engine, this.buffers.cell, rows * this.units)
    const [gates, bias] = [
      this.gates(rows, 0),
      kind === 'lstm' ? this.addBiases(engine) : this.fromInput.biasAt,
    ]
    this.overAll(pass, (count, from) => {
      this.fromInput.forward(engine, count, from(x), from(gates), bias)
    })
    for (let t = 0; t < steps; t++) {
      if (kind === 'gru') this.gruForward(engine, rows, t)
      else this.lstmForward(engine, rows, t)
      pass.checkpoint()
    }
  }

  /** From `hiddenSlope` to the gradients, and where `dx` is given, to what is wanted of the inputs. */
  backward(pass: Pass, x: Place, dx: Place | null): void {
    const { engine, rows } = pass
    clear(engine, this.buffers.cellSlope, rows * this.units)
    for (let t = this.steps - 1; t >= 0; t--) {
      if (this.kind === 'gru') this.gruBackward(engine, rows, t)
      else this.lstmBackward(engine, rows, t)
      pass.checkpoint()
    }
    const [before, gates, hiddenGates] = [
      this.hidden(rows, -1),
      this.gates(rows, 0),
      this.hiddenGates(rows, 0),
    ]
    this.overAll(pass, (count, from) => {
      this.fromInput.addGradients(engine, count, from(x), from(gates))
      this.fromHidden.addGradients(engine, count, from(before), from(hiddenGates))
      if (dx !== null) this.fromInput.back(engine, count, from(gates), from(dx))
    })
  }

  /** Work on the rows of all time steps together, so many at a time that they stay in the cache. */
  private overAll(pass: Pass, work: (count: number, from: (place: Place) => Place) => void): void {
    const all = this.steps * pass.rows
    for (let first = 0; first < all; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, all - first)
      work(count, ({ at, row }) => ({ at: at + first * row, row }))
      pass.checkpoint()
    }
  }

  transpose(engine: Engine): void {
    this.fromInput.transpose(engine)
    this.fromHidden.transpose(engine)
  }

  private gates(rows: number, t: number): Place {
    return { at: this.buffers.gates + t * rows * this.gateRow, row: this.gateRow }
  }

  /** Of a GRU the share of the hidden state is kept apart; an LSTM has one sum. */
  private hiddenGates(rows: number, t: number): Place {
    return { at: this.buffers.hiddenGates + t * rows * this.gateRow, row: this.gateRow }
  }

  /** The two biases of an LSTM only ever occur as their sum. @returns its address */
  private addBiases({ floats }: Engine): number {
    const [first, second, to] = [this.fromInput.biasAt / 4, this.fromHidden.biasAt / 4, this.buffers.bias / 4]
    const count = this.gateRow / 4
    for (let i = 0; i < count; i++)
      floats[to + i] = (floats[first + i] as number) + (floats[second + i] as number)
    return this.buffers.bias
  }

  private lstmForward(engine: Engine, rows: number, t: number): void {
    const { cell, squashed } = this.buffers
    const [gates, before] = [this.gates(rows, t), this.hidden(rows, t - 1)]
    const size = rows * this.stateRow
    this.fromHidden.forwardAdd(engine, rows, before, gates)
    const [old, now, flat] = [cell + t * size, cell + (t + 1) * size, squashed + t * size]
    engine.kernels.lstmForward(gates.at, old, now, flat, before.at + size, rows, this.units)
  }

  private lstmBackward(engine: Engine, rows: number, t: number): void {
    const { cell, squashed, cellSlope } = this.buffers
    const [gates, wanted] = [this.gates(rows, t), this.hiddenSlope(rows, t)]
    const at = t * rows * this.stateRow
    engine.kernels.lstmBackward(gates.at, cell + at, squashed + at, wanted.at, cellSlope, rows, this.units)
    if (t > 0) this.fromHidden.backAdd(engine, rows, gates, this.hiddenSlope(rows, t - 1))
  }

  private gruForward(engine: Engine, rows: number, t: number): void {
    const [before, ofHidden] = [this.hidden(rows, t - 1), this.hiddenGates(rows, t)]
    this.fromHidden.forward(engine, rows, before, ofHidden)
    const after = before.at + rows * this.stateRow
    engine.kernels.gruForward(this.gates(rows, t).at, ofHidden.at, before.at, after, rows, this.units)
  }

  private gruBackward(engine: Engine, rows: number, t: number): void {
    const [ofHidden, wanted] = [this.hiddenGates(rows, t), this.hiddenSlope(rows, t)]
    // Before the first step there is nobody to want anything: it goes where nobody looks.
    const old = t > 0 ? this.hiddenSlope(rows, t - 1) : { at: this.buffers.cellSlope, row: this.stateRow }
    const [ofInput, before] = [this.gates(rows, t).at, this.hidden(rows, t - 1).at]
    engine.kernels.gruBackward(ofInput, ofHidden.at, before, wanted.at, old.at, rows, this.units)
    if (t > 0) this.fromHidden.backAdd(engine, rows, ofHidden, old)
  }
}

/** Addresses. */
type Buffers = {
  readonly gates: number
  readonly hiddenGates: number
  readonly hidden: number
  readonly hiddenSlope: number
  /** Of an LSTM: states of the cells, their tanh, and the sum of the biases. */
  readonly cell: number
  readonly squashed: number
  readonly bias: number
  /** Of one time step. */
  readonly cellSlope: number
}

type Sizes = {
  readonly rows: number
  readonly steps: number
  readonly units: number
  readonly kind: 'lstm' | 'gru'
}

function planBuffers(plan: MemoryPlan, { rows, steps, units, kind }: Sizes): Buffers {
  const size = rows * units
  const isLstm = kind === 'lstm'
  const gates = plan.reserve(steps * size * gatesOf[kind])
  return {
    gates,
    hiddenGates: isLstm ? gates : plan.reserve(steps * size * gatesOf.gru),
    hidden: plan.reserve((steps + 1) * size),
    hiddenSlope: plan.reserve(steps * size),
    cell: isLstm ? plan.reserve((steps + 1) * size) : 0,
    squashed: isLstm ? plan.reserve(steps * size) : 0,
    bias: isLstm ? plan.reserve(4 * units) : 0,
    cellSlope: plan.reserve(size),
  }
}

export function clear({ floats }: Engine, at: number, count: number): void {
  floats.fill(0, at / 4, at / 4 + count)
}
