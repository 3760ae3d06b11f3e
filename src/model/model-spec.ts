import { Problem } from '../problems.ts'

export type Activation = 'relu' | 'leaky_relu' | 'tanh' | 'sigmoid'

/** The shape of a network. Its outputs are logits of classes, or values. */
export type ModelSpec = DenseSpec | RecurrentSpec

/** [Linear → activation → dropout] for every hidden layer, then Linear. */
export type DenseSpec = {
  readonly kind: 'mlp'
  /** Features of a row, 1–4096. */
  readonly inputs: number
  /** Units of each hidden layer, 0–8 layers of 1–4096. */
  readonly hidden: readonly number[]
  /** `leaky_relu` has the slope 0.01 below 0. */
  readonly activation: Activation
  /** Share of hidden units left out in training, 0 ≤ share < 1. */
  readonly dropout: number
  /** Classes or values, 1–1024. */
  readonly outputs: number
}

/** Layers of cells over a window of rows; the last hidden state of the last layer → dropout → Linear. */
export type RecurrentSpec = {
  readonly kind: 'lstm' | 'gru'
  readonly inputs: number
  /** Consecutive rows seen at once, 1–1000; the last of them is the row asked about. */
  readonly sequenceLength: number
  /** Units of each layer, 1–2048. */
  readonly hidden: number
  /** 1–8. */
  readonly layers: number
  /** Also between the layers. */
  readonly dropout: number
  readonly outputs: number
}

/** A tensor by name, row-major. */
export type NamedTensor = {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** What PyTorch would call a parameter: Linear's weight is [outputs, inputs]. */
export type ParameterShape = {
  readonly name: string
  readonly shape: readonly [number] | readonly [number, number]
  /** Blocks of rows, one for each gate of a cell; 1 for others. */
  readonly gates: number
  /** Initial values are uniform within ± this. */
  readonly bound: number
}

/** Weights one model may have: with gradients, moments and a transposed copy they fit into its memory. */
const maxParameters = 50_000_000

export const gatesOf = { lstm: 4, gru: 3 } as const

/** @throws {Problem} 'params-invalid' when a size is out of its range, or the whole is too large */
export function checkSpec(spec: ModelSpec): void {
  checkSizes(spec)
  const count = parametersOf(spec).reduce((sum, { shape: [rows, columns = 1] }) => sum + rows * columns, 0)
  if (count > maxParameters)
    throw new Problem(
      'params-invalid',
      `the model has ${count} weights, at most ${maxParameters} are allowed`,
      {
        hint: 'Use fewer or narrower layers.',
      },
    )
}

function checkSizes(spec: ModelSpec): void {
  checkWhole('inputs', spec.inputs, 1, 4096)
  checkWhole('outputs', spec.outputs, 1, 1024)
  if (!(spec.dropout >= 0 && spec.dropout < 1))
    throw new Problem('params-invalid', `dropout is ${spec.dropout}; it must be at least 0 and below 1`)
  if (spec.kind === 'mlp') {
    if (spec.hidden.length > 8)
      throw new Problem(
        'params-invalid',
        `there are ${spec.hidden.length} hidden layers, at most 8 are allowed`,
      )
    spec.hidden.forEach((units, i) => {
      checkWhole(`hidden layer ${i + 1}`, units, 1, 4096)
    })
    return
  }
  checkWhole('sequence length', spec.sequenceLength, 1, 1000)
  checkWhole('hidden size', spec.hidden, 1, 2048)
  checkWhole('number of layers', spec.layers, 1, 8)
}

function checkWhole(name: string, value: number, least: number, greatest: number): void {
  if (Number.isInteger(value) && value >= least && value <= greatest) return
  throw new Problem('params-invalid', `the ${name} is ${value}; it must be whole, ${least} to ${greatest}`)
}

/** All parameters, in PyTorch's order, with its names for cells (`weight_ih_l0`) and its bounds of initial values. */
export function parametersOf(spec: ModelSpec): readonly ParameterShape[] {
  return spec.kind === 'mlp' ? denseParameters(spec) : recurrentParameters(spec)
}

function denseParameters({ inputs, hidden, outputs }: DenseSpec): ParameterShape[] {
  const widths = [inputs, ...hidden]
  return [...hidden, outputs].flatMap((units, i) => linear(`layers.${i}`, widths[i] ?? 0, units))
}

/** Kaiming's bound with a = √5 is 1 / √inputs, which PyTorch uses for both. */
function linear(name: string, inputs: number, outputs: number): ParameterShape[] {
  const rest = { gates: 1, bound: 1 / Math.sqrt(inputs) }
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], ...rest },
    { name: `${name}.bias`, shape: [outputs], ...rest },
  ]
}

function recurrentParameters({ kind, inputs, hidden, layers, outputs }: RecurrentSpec): ParameterShape[] {
  const gates = gatesOf[kind]
  const rest = { gates, bound: 1 / Math.sqrt(hidden) }
  const cells = Array.from({ length: layers }, (_, i): ParameterShape[] => [
    { name: `rnn.weight_ih_l${i}`, shape: [gates * hidden, i === 0 ? inputs : hidden], ...rest },
    { name: `rnn.weight_hh_l${i}`, shape: [gates * hidden, hidden], ...rest },
    { name: `rnn.bias_ih_l${i}`, shape: [gates * hidden], ...rest },
    { name: `rnn.bias_hh_l${i}`, shape: [gates * hidden], ...rest },
  ])
  return [...cells.flat(), ...linear('head', hidden, outputs)]
}
