import { kernelsBase64 } from './kernels.gen.ts'

/**
 * What `kernels/*.as` export; the meaning of every argument stands there. Addresses, rows and panels are in bytes,
 * everything else in values or rows.
 */
export type Kernels = {
  readonly forward: (
    ...args: [
      ...[x: number, xRow: number, weights: number, panel: number, bias: number],
      ...[y: number, yRow: number, rows: number, inputs: number, outputs: number],
    ]
  ) => void
  readonly forwardAdd: (
    ...args: [
      ...[x: number, xRow: number, weights: number, panel: number],
      ...[y: number, yRow: number, rows: number, inputs: number, outputs: number],
    ]
  ) => void
  readonly weightGradient: (
    ...args: [
      ...[x: number, xRow: number, dy: number, dyRow: number],
      ...[gradient: number, rows: number, inputs: number, outputs: number],
    ]
  ) => void
  readonly biasGradient: (dy: number, dyRow: number, gradient: number, rows: number, outputs: number) => void
  readonly transpose: (weights: number, transposed: number, inputs: number, outputs: number) => void
  readonly activate: (kind: number, values: number, slopes: number, count: number) => void
  readonly clearColumns: (values: number, row: number, rows: number, first: number, end: number) => void
  readonly scaleBy: (values: number, factors: number, count: number) => void
  readonly dropout: (
    ...args: [
      ...[values: number, slopes: number, row: number, rows: number, units: number],
      ...[keyLow: number, keyHigh: number, counter: number, counterStep: number],
      ...[threshold: number, scale: number],
    ]
  ) => void
  readonly classLoss: (
    ...args: [
      ...[z: number, row: number, rows: number, classes: number],
      ...[labels: number, shares: number, gamma: number, correct: number],
    ]
  ) => number
  readonly valueLoss: (
    ...args: [
      ...[z: number, row: number, rows: number, outputs: number],
      ...[targets: number, shares: number, delta: number, correct: number],
    ]
  ) => number
  readonly probabilities: (z: number, row: number, rows: number, classes: number, to: number) => void
  readonly copyValues: (z: number, row: number, rows: number, outputs: number, to: number) => void
  readonly squaredNorm: (values: number, count: number) => number
  readonly adam: (
    ...args: [
      ...[parameters: number, gradients: number, first: number, second: number, count: number],
      ...[clip: number, decay: number, shrink: number, rest1: number, share1: number],
      ...[rest2: number, share2: number, stepSize: number, correction: number, epsilon: number],
    ]
  ) => void
  readonly sgd: (
    ...args: [
      ...[parameters: number, gradients: number, speeds: number, count: number],
      ...[clip: number, decay: number, momentum: number, rate: number],
    ]
  ) => void
  readonly rmsprop: (
    ...args: [
      ...[parameters: number, gradients: number, speeds: number, squares: number, count: number],
      ...[clip: number, decay: number, rest: number, share: number, epsilon: number],
      ...[momentum: number, rate: number],
    ]
  ) => void
  readonly lstmForward: (
    ...args: [
      ...[gates: number, oldCell: number, cell: number, squashed: number, hidden: number],
      ...[rows: number, units: number],
    ]
  ) => void
  readonly lstmBackward: (
    ...args: [
      ...[gates: number, oldCell: number, squashed: number, hiddenSlope: number, cellSlope: number],
      ...[rows: number, units: number],
    ]
  ) => void
  readonly gruForward: (
    ...args: [
      ...[ofInput: number, ofHidden: number, oldHidden: number, hidden: number],
      ...[rows: number, units: number],
    ]
  ) => void
  readonly gruBackward: (
    ...args: [
      ...[ofInput: number, ofHidden: number, oldHidden: number, hiddenSlope: number, oldSlope: number],
      ...[rows: number, units: number],
    ]
  ) => void
}

/** Kernels with the one memory they work on. */
export type Engine = {
  readonly kernels: Kernels
  /** The memory as float32 and as int32: value i lies at the address 4 · i. */
  readonly floats: Float32Array
  readonly ints: Int32Array
}

/** Compiled once; instances share the code, not the memory. */
const compiled = new WebAssembly.Module(Uint8Array.from(atob(kernelsBase64), letter => letter.charCodeAt(0)))

const pageBytes = 65_536

/** @param bytes how much memory it has, all 0; it never grows */
export function startEngine(bytes: number): Engine {
  const pages = Math.ceil(bytes / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const instance = new WebAssembly.Instance(compiled, { env: { memory } })
  return {
    kernels: instance.exports as Kernels,
    floats: new Float32Array(memory.buffer),
    ints: new Int32Array(memory.buffer),
  }
}
