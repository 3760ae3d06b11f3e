import type { Model } from './model.ts'
import type { DenseSpec, NamedTensor, RecurrentSpec } from './model-spec.ts'
import { encodeOnnx, type Graph, type Node, type OnnxTensor } from './onnx-graph.ts'

export type OnnxExport = {
  /** `probabilities` of the classes by softmax, or the `values` as they are: also the name of the output. */
  readonly output: 'probabilities' | 'values'
  /** Features in their order, scalers, classes: what a reader needs to know. */
  readonly metadata: Readonly<Record<string, string>>
}

type Part = { readonly nodes: readonly Node[]; readonly tensors: readonly OnnxTensor[] }

/**
 * The model for other runtimes: ONNX with opset 17, weights included. The input `features` is [rows, inputs], of
 * recurrent networks [rows, sequence length, inputs], oldest first; the output is [rows, outputs].
 */
export function writeOnnx(
  { spec, parameters }: Model,
  { output, metadata }: OnnxExport,
): Uint8Array<ArrayBuffer> {
  const find = (name: string): NamedTensor => {
    const tensor = parameters.find(found => found.name === name)
    if (tensor === undefined) throw new RangeError(`there is no parameter ${name}`)
    return tensor
  }
  const body = spec.kind === 'mlp' ? denseBody(spec, find) : recurrentBody(spec, find)
  const softmax: Node = {
    operator: 'Softmax',
    inputs: ['outputs'],
    outputs: [output],
    attributes: { axis: 1 },
  }
  const identity: Node = { operator: 'Identity', inputs: ['outputs'], outputs: [output] }
  const window = spec.kind === 'mlp' ? [] : [spec.sequenceLength]
  const graph: Graph = {
    nodes: [...body.nodes, output === 'probabilities' ? softmax : identity],
    tensors: body.tensors,
    input: { name: 'features', shape: ['rows', ...window, spec.inputs] },
    output: { name: output, shape: ['rows', spec.outputs] },
  }
  return encodeOnnx(graph, metadata)
}

type Find = (name: string) => NamedTensor

/** @returns the node y = x · weightᵀ + bias, with its tensors */
function linear(find: Find, name: string, x: string, y: string): Part {
  const [weight, bias] = [find(`${name}.weight`), find(`${name}.bias`)]
  const inputs = [x, weight.name, bias.name]
  // `transB`: weights lie as [outputs, inputs].
  return {
    nodes: [{ operator: 'Gemm', inputs, outputs: [y], attributes: { transB: 1 } }],
    tensors: [weight, bias],
  }
}

function denseBody({ hidden, activation }: DenseSpec, find: Find): Part {
  const operator = { relu: 'Relu', leaky_relu: 'LeakyRelu', tanh: 'Tanh', sigmoid: 'Sigmoid' }[activation]
  const attributes = activation === 'leaky_relu' ? { attributes: { alpha: { float: 0.01 } } } : {}
  const layers = hidden.map((_, i): Part => {
    const { nodes, tensors } = linear(find, `layers.${i}`, i === 0 ? 'features' : `y${i - 1}`, `z${i}`)
    return { nodes: [...nodes, { operator, inputs: [`z${i}`], outputs: [`y${i}`], ...attributes }], tensors }
  })
  const last = hidden.length === 0 ? 'features' : `y${hidden.length - 1}`
  return join([...layers, linear(find, `layers.${hidden.length}`, last, 'outputs')])
}

function recurrentBody(spec: RecurrentSpec, find: Find): Part {
  const attributes = { perm: [1, 0, 2] }
  const byTime: Node = { operator: 'Transpose', inputs: ['features'], outputs: ['x0'], attributes }
  const layers = Array.from({ length: spec.layers }, (_, i) => cells(spec, find, i))
  const axes = (spec.layers === 1 ? [0] : [0, 1]).map(axis => ({
    ...{ name: `axis${axis}`, shape: [1], values: BigInt64Array.of(BigInt(axis)) },
  }))
  return join([{ nodes: [byTime], tensors: axes }, ...layers, linear(find, 'head', 'last', 'outputs')])
}

/** A layer over time: all its states for the layer above, or the last ones for the head. */
function cells({ kind, hidden, layers }: RecurrentSpec, find: Find, layer: number): Part {
  // PyTorch: in, forget, cell, out and reset, update, new. ONNX: in, out, forget, cell and update, reset, new.
  const order = kind === 'lstm' ? [0, 3, 1, 2] : [1, 0, 2]
  const take = (part: string) => reorder(find(`rnn.${part}_l${layer}`), order)
  const [w, r] = [take('weight_ih'), take('weight_hh')]
  const biases = Float32Array.of(...take('bias_ih').values, ...take('bias_hh').values)
  const inputs = [`x${layer}`, w.name, r.name, `bias${layer}`]
  const [all, last] = [`all${layer}`, `last${layer}`]
  const isLast = layer === layers - 1
  return {
    nodes: [
      {
        ...{ operator: kind === 'lstm' ? 'LSTM' : 'GRU', inputs, outputs: [all, last] },
        attributes: { hidden_size: hidden, ...(kind === 'gru' ? { linear_before_reset: 1 } : {}) },
      },
      isLast
        ? { operator: 'Squeeze', inputs: [last, 'axis0'], outputs: ['last'] }
        : { operator: 'Squeeze', inputs: [all, 'axis1'], outputs: [`x${layer + 1}`] },
    ],
    tensors: [
      ...[w, r].map(tensor => ({ ...tensor, shape: [1, ...tensor.shape] })),
      { name: `bias${layer}`, shape: [1, biases.length], values: biases },
    ],
  }
}

/** The blocks of gates in another order. */
function reorder(tensor: NamedTensor, order: readonly number[]): NamedTensor {
  const size = tensor.values.length / order.length
  const values = new Float32Array(tensor.values.length)
  order.forEach((gate, i) => {
    values.set(tensor.values.subarray(gate * size, (gate + 1) * size), i * size)
  })
  return { ...tensor, values }
}

function join(parts: readonly Part[]): Part {
  return { nodes: parts.flatMap(({ nodes }) => nodes), tensors: parts.flatMap(({ tensors }) => tensors) }
}
