import type { LossSpec, Samples } from '../../../src/model/loss.ts'
import type { Model } from '../../../src/model/model.ts'
import type { RecurrentSpec } from '../../../src/model/model-spec.ts'
import {
  add,
  constant,
  exp,
  log,
  mul,
  Value as Node,
  pow,
  rectified,
  scale,
  sigmoid,
  sub,
  sum,
  tanh,
  type Value,
} from './tape.ts'

/** Whether a unit is kept: by layer, number of the row, unit. */
export type Keeps = (layer: number, counter: number, unit: number) => boolean

export type Parameters = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly values: readonly Value[] }
>

/** The parameters of a model as values whose gradients can be asked for. */
export function toParameters(model: Model): Parameters {
  return new Map(
    model.parameters.map(({ name, shape, values }) => [
      name,
      { shape, values: Array.from(values, value => new Node(value)) },
    ]),
  )
}

/** weights · x + bias, by PyTorch's layout [outputs, inputs]. */
function linear(parameters: Parameters, weights: string, bias: string, x: readonly Value[]): Value[] {
  const w = parameters.get(weights)?.values ?? []
  const b = parameters.get(bias)?.values ?? []
  return b.map((own, row) => add(own, sum(x.map((value, k) => mul(w[row * x.length + k] as Value, value)))))
}

/** The outputs for one row. @param keeps null: nothing is dropped */
export function outputsOf(
  { spec }: Model,
  parameters: Parameters,
  features: Float32Array,
  row: number,
  drop: { readonly keeps: Keeps; readonly place: number } | null,
): Value[] {
  const inputsAt = (at: number) =>
    Array.from(features.subarray(at * spec.inputs, (at + 1) * spec.inputs), value => constant(value))
  const dropped = (values: readonly Value[], layer: number, counter: number) =>
    drop === null || spec.dropout === 0
      ? values
      : values.map((value, unit) =>
          scale(value, drop.keeps(layer, counter, unit) ? 1 / (1 - spec.dropout) : 0),
        )
  if (spec.kind === 'mlp') {
    const activate = {
      relu: (z: Value) => rectified(z, 0),
      leaky_relu: (z: Value) => rectified(z, 0.01),
      tanh,
      sigmoid,
    }[spec.activation]
    const hidden = spec.hidden.reduce<readonly Value[]>((x, _, i) => {
      const z = linear(parameters, `layers.${i}.weight`, `layers.${i}.bias`, x)
      return dropped(z.map(activate), i, drop?.place ?? 0)
    }, inputsAt(row))
    return linear(
      parameters,
      `layers.${spec.hidden.length}.weight`,
      `layers.${spec.hidden.length}.bias`,
      hidden,
    )
  }
  let sequence: readonly (readonly Value[])[] = Array.from({ length: spec.sequenceLength }, (_, t) =>
    inputsAt(row - spec.sequenceLength + 1 + t),
  )
  for (let layer = 0; layer < spec.layers; layer++) {
    const states = runCells(spec, parameters, layer, sequence)
    const seen = layer === spec.layers - 1 ? states.slice(-1) : states
    sequence = seen.map((state, t) => dropped(state, layer, (drop?.place ?? 0) * seen.length + t))
  }
  return linear(parameters, 'head.weight', 'head.bias', sequence[0] ?? [])
}

/** The states of one layer over time. Formulas: PyTorch's documentation of nn.LSTM and nn.GRU. */
function runCells(
  { kind, hidden }: RecurrentSpec,
  parameters: Parameters,
  layer: number,
  sequence: readonly (readonly Value[])[],
): Value[][] {
  let h: Value[] = Array.from({ length: hidden }, () => constant(0))
  let c = h
  return sequence.map(x => {
    const ofInput = linear(parameters, `rnn.weight_ih_l${layer}`, `rnn.bias_ih_l${layer}`, x)
    const ofHidden = linear(parameters, `rnn.weight_hh_l${layer}`, `rnn.bias_hh_l${layer}`, h)
    const both = (gate: number, u: number) =>
      add(ofInput[gate * hidden + u] as Value, ofHidden[gate * hidden + u] as Value)
    const old = h
    if (kind === 'lstm') {
      c = c.map((cell, u) => add(mul(sigmoid(both(1, u)), cell), mul(sigmoid(both(0, u)), tanh(both(2, u)))))
      h = c.map((cell, u) => mul(sigmoid(both(3, u)), tanh(cell)))
    } else {
      h = old.map((state, u) => {
        const [reset, update] = [sigmoid(both(0, u)), sigmoid(both(1, u))]
        const recalled = mul(reset, ofHidden[2 * hidden + u] as Value)
        const fresh = tanh(add(ofInput[2 * hidden + u] as Value, recalled))
        return add(mul(sub(constant(1), update), fresh), mul(update, state))
      })
    }
    return h
  })
}

/** The loss of one row, not weighted. */
function lossOf(loss: LossSpec, outputs: readonly Value[], samples: Samples, row: number): Value {
  if (loss.kind === 'mse' || loss.kind === 'huber') {
    const each = outputs.map((output, n) => {
      const r = sub(output, constant(samples.targets[row * outputs.length + n] as number))
      if (loss.kind === 'mse') return mul(r, r)
      if (Math.abs(r.value) <= loss.delta) return scale(mul(r, r), 0.5)
      return scale(sub(scale(r, Math.sign(r.value)), constant(0.5 * loss.delta)), loss.delta)
    })
    return scale(sum(each), 1 / outputs.length)
  }
  const greatest = Math.max(...outputs.map(({ value }) => value))
  const grown = outputs.map(output => exp(sub(output, constant(greatest))))
  const p = mul(grown[samples.targets[row] as number] as Value, pow(sum(grown), -1))
  const surprise = scale(log(p), -1)
  return loss.kind === 'focal' ? mul(pow(sub(constant(1), p), loss.gamma), surprise) : surprise
}

/** The mean loss of a batch, as `Trainer` defines it. */
export function batchLoss(
  model: Model,
  parameters: Parameters,
  loss: LossSpec,
  samples: Samples,
  rows: readonly number[],
  keeps: Keeps | null = null,
): Value {
  const classWeights = 'classWeights' in loss ? loss.classWeights : undefined
  const own = rows.map(row => samples.weights?.[row] ?? 1)
  const weights = rows.map(
    (row, i) => (own[i] as number) * (classWeights?.[samples.targets[row] as number] ?? 1),
  )
  const total = (loss.kind === 'cross_entropy' ? weights : own).reduce((a, b) => a + b, 0)
  const each = rows.map((row, place) => {
    const drop = keeps === null ? null : { keeps, place }
    const outputs = outputsOf(model, parameters, samples.features, row, drop)
    return scale(lossOf(loss, outputs, samples, row), (weights[place] as number) / total)
  })
  return sum(each)
}
