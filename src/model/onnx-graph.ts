import { bytes, type Field, integer, message, text } from './protobuf.ts'

/** Parts of an ONNX graph as protobuf messages. Source of the field numbers: onnx.proto of ONNX 1.12 */

export type Node = {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, number | readonly number[] | { readonly float: number }>>
}

export type Graph = {
  readonly nodes: readonly Node[]
  /** Row-major. */
  readonly tensors: readonly OnnxTensor[]
  readonly input: OnnxValue
  readonly output: OnnxValue
}

export type OnnxTensor = {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

/** A dimension is a number, or the name of one that is known only when the graph runs. */
export type OnnxValue = { readonly name: string; readonly shape: readonly (number | string)[] }

const [floatType, int64Type] = [1, 7]

/**
 * The bytes of an ONNX model.
 * @param metadata shown by every reader under `metadata_props`
 */
export function encodeOnnx(
  graph: Graph,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const [irVersion, opset] = [8, 17]
  return message(
    integer(1, irVersion),
    text(2, 'ktrdr'),
    bytes(7, encodeGraph(graph)),
    bytes(8, message(text(1, ''), integer(2, opset))),
    ...Object.entries(metadata).map(([key, value]) => bytes(14, message(text(1, key), text(2, value)))),
  )
}

function encodeGraph({ nodes, tensors, input, output }: Graph): Uint8Array {
  return message(
    ...nodes.map(node => bytes(1, encodeNode(node))),
    text(2, 'ktrdr'),
    ...tensors.map(tensor => bytes(5, encodeTensor(tensor))),
    bytes(11, encodeValue(input)),
    bytes(12, encodeValue(output)),
  )
}

function encodeNode({ operator, inputs, outputs, attributes = {} }: Node): Uint8Array {
  return message(
    ...inputs.map(name => text(1, name)),
    ...outputs.map(name => text(2, name)),
    text(3, outputs.find(name => name !== '') ?? operator),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(5, message(text(1, name), ...attribute(value))),
    ),
  )
}

function attribute(value: number | readonly number[] | { readonly float: number }): Field[] {
  const [ofFloat, ofInteger, ofIntegers] = [1, 2, 7]
  if (typeof value === 'number') return [integer(3, value), integer(20, ofInteger)]
  if ('float' in value) return [[2, 5, littleEndian(Float32Array.of(value.float))], integer(20, ofFloat)]
  return [...value.map(each => integer(8, each)), integer(20, ofIntegers)]
}

function encodeTensor({ name, shape, values }: OnnxTensor): Uint8Array {
  return message(
    ...shape.map(size => integer(1, size)),
    integer(2, values instanceof Float32Array ? floatType : int64Type),
    text(8, name),
    bytes(9, littleEndian(values)),
  )
}

function encodeValue({ name, shape }: OnnxValue): Uint8Array {
  const sizes = shape.map(size =>
    bytes(1, message(typeof size === 'number' ? integer(1, size) : text(2, size))),
  )
  const tensor = message(integer(1, floatType), bytes(2, message(...sizes)))
  return message(text(1, name), bytes(2, message(bytes(1, tensor))))
}

/** Whatever the order of this machine. */
function littleEndian(values: Float32Array | BigInt64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.byteLength))
  values.forEach((value: number | bigint, i: number) => {
    if (typeof value === 'bigint') view.setBigInt64(i * 8, value, true)
    else view.setFloat32(i * 4, value, true)
  })
  return new Uint8Array(view.buffer)
}
