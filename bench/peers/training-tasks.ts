import { createModel } from '../../src/model/model.ts'
import type { ModelSpec } from '../../src/model/model-spec.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { Trainer } from '../../src/model/trainer.ts'
import { Random } from '../../src/statistics/random.ts'

/*
 * One training of the row `training`, as the only one of its process: node training-tasks.ts <who> <task> <rows>
 * <epochs>. Who is `ours` or `tfjs`; TensorFlow.js takes part when bench/node_modules has it.
 */

/** What a task prints; nothing but {} where the peer is missing. */
export type Measured = { readonly ms: readonly number[]; readonly peak_mb: number; readonly version?: string }

const [, , who = '', task = '', rowsText = '0', epochsText = '1'] = process.argv
const [rows, epochs] = [Number(rowsText), Number(epochsText)]
const isRecurrent = task === 'lstm' || task === 'gru'
const [inputs, steps] = isRecurrent ? [10, 20] : [30, 1]
const hidden = task === 'b' ? [128, 64, 32] : [64, 32]
const batch = task === 'b' ? 256 : task === 'c' ? 32 : 64
const random = new Random(1)
const targets = Int32Array.from({ length: rows + steps }, () => random.below(3))

function timeEach(run: () => void): number[] {
  return Array.from({ length: epochs }, () => {
    const startedAt = performance.now()
    run()
    return performance.now() - startedAt
  })
}

function ours(): number[] {
  const common = { inputs, dropout: 0.2, outputs: 3 }
  const spec: ModelSpec = isRecurrent
    ? { kind: task === 'gru' ? 'gru' : 'lstm', ...common, hidden: 32, layers: 1, sequenceLength: steps }
    : { kind: 'mlp', ...common, hidden, activation: 'relu' }
  const features = Float32Array.from({ length: (rows + steps) * inputs }, () => random.uniform() * 2 - 1)
  const model = createModel(spec, 1)
  const order = Int32Array.from({ length: rows }, (_, i) => i + steps - 1)
  if (task === 'inference') {
    const predictor = new Predictor(model)
    return timeEach(() => predictor.probabilities(features, order))
  }
  const trainer = new Trainer(model, {
    loss: { kind: 'cross_entropy', classWeights: [1, 0.5, 1.5] },
    optimizer: { kind: 'adam', weightDecay: 0 },
    gradientClip: null,
    seed: 1,
  })
  return timeEach(() => {
    random.shuffle(order)
    for (let at = 0; at < rows; at += batch)
      trainer.step({ features, targets }, order.subarray(at, at + batch), { learningRate: 1e-3 })
  })
}

/** TensorFlow.js in WebAssembly by its own `fit`. @returns null when it is not installed */
async function tensorflow(): Promise<{ ms: number[]; version: string } | null> {
  const names: readonly string[] = ['core', 'layers', 'backend-wasm'].map(name => `@tensorflow/tfjs-${name}`)
  const [tf, layers] = await Promise.all(names.map(name => import(name))).catch(() => [null, null])
  if (tf === null) return null
  await tf.setBackend('wasm')
  chainOperations(tf)
  const model = layers.sequential()
  if (isRecurrent) {
    const cell = task === 'gru' ? layers.layers.gru : layers.layers.lstm
    model.add(cell({ units: 32, inputShape: [steps, inputs] }))
    model.add(layers.layers.dropout({ rate: 0.2 }))
  }
  for (const [i, units] of (isRecurrent ? [] : hidden).entries()) {
    model.add(
      layers.layers.dense({ units, activation: 'relu', ...(i === 0 ? { inputShape: [inputs] } : {}) }),
    )
    model.add(layers.layers.dropout({ rate: 0.2 }))
  }
  model.add(layers.layers.dense({ units: 3, activation: 'softmax' }))
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' })
  const x = tf.randomUniform(isRecurrent ? [rows, steps, inputs] : [rows, inputs])
  const y = tf.cast(tf.oneHot(tf.tensor1d(targets.subarray(0, rows), 'int32'), 3), 'float32')
  const ms: number[] = []
  for (let epoch = 0; epoch < epochs; epoch++) {
    const startedAt = performance.now()
    if (task === 'inference') model.predict(x, { batchSize: 8192 }).dataSync()
    else await model.fit(x, y, { epochs: 1, batchSize: batch, verbose: 0 })
    ms.push(performance.now() - startedAt)
  }
  return { ms, version: tf.version_core }
}

/** The packages for Node leave out the operations as methods of tensors, but layers call them. */
function chainOperations(tf: Readonly<Record<string, unknown>>): void {
  const { Tensor, reshape, cast } = tf
  if (typeof Tensor !== 'function' || typeof reshape !== 'function' || typeof cast !== 'function') return
  const methods: Record<string, unknown> = Tensor.prototype
  for (const [name, operation] of Object.entries(tf)) {
    if (typeof operation !== 'function' || name in methods) continue
    methods[name] = function (this: unknown, ...args: unknown[]) {
      return operation(this, ...args)
    }
  }
  methods.flatten = function (this: unknown) {
    return reshape(this, [-1])
  }
  methods.toFloat = function (this: unknown) {
    return cast(this, 'float32')
  }
}

const found = who === 'ours' ? { ms: ours() } : await tensorflow()
const measured = found === null ? {} : { ...found, peak_mb: process.resourceUsage().maxRSS / 1024 }
process.stdout.write(`${JSON.stringify(measured)}\n`)
