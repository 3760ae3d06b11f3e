import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { modelFolder } from '../../src/archive/layout.ts'
import { publishModel, readModel } from '../../src/archive/models.ts'
import { parametersOf } from '../../src/model/model-spec.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { Random } from '../../src/statistics/random.ts'
import { windowOf } from '../../src/training/predictor.ts'
import { exampleText, untrainedModel } from '../support/trained-model.ts'
import { makeHome } from './folder.ts'

/** Other programs read the files of a model and find the same numbers. */
const kinds: readonly (readonly [string, string, string])[] = [
  ['a perceptron of classes', 'fuzzy_and_raw', exampleText('fuzzy_and_raw')],
  ['a regression', 'return_regression', exampleText('return_regression')],
  ['an LSTM', 'lstm_trend', exampleText('lstm_trend')],
  [
    'a GRU of two layers',
    'lstm_trend',
    exampleText('lstm_trend').replace('type: lstm', 'type: gru').replace('num_layers: 1', 'num_layers: 2'),
  ],
]

function publish([, name, yaml]: (typeof kinds)[number]) {
  const home = makeHome()
  const trained = untrainedModel(name, 5, yaml)
  const { model_id: id } = publishModel(home, trained, { now: 0, operationId: null })
  return { folder: modelFolder(home, id), trained, served: readModel(home, id).served }
}

/** A reader of the format that shares no line with ours: https://github.com/huggingface/safetensors#format */
function parseSafeTensors(bytes: Buffer) {
  const length = bytes.readUInt32LE(0) + bytes.readUInt32LE(4) * 2 ** 32
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Record<string, unknown>>
  const { __metadata__: metadata, ...tensors } = header
  const data = bytes.subarray(8 + length)
  return {
    metadata: metadata as Record<string, string>,
    dataBytes: data.length,
    tensors: Object.entries(tensors).map(([name, { dtype, shape, data_offsets }]) => {
      const [from, to] = data_offsets as [number, number]
      const values = Array.from({ length: (to - from) / 4 }, (_, i) => data.readFloatLE(from + i * 4))
      return { name, dtype, shape, from, to, values }
    }),
  }
}

describe.each(kinds)('%s', (...kind) => {
  const { folder, trained, served } = publish(kind)
  const { spec } = trained.model

  test('has its weights by name as SafeTensors, without gaps, and says what it reads', () => {
    const { metadata, dataBytes, tensors } = parseSafeTensors(
      readFileSync(join(folder, 'weights.safetensors')),
    )
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual(
      parametersOf(spec).map(({ name, shape }) => [name, shape]),
    )
    let end = 0
    for (const [i, { dtype, from, to, values }] of tensors.entries()) {
      expect([dtype, from]).toEqual(['F32', end])
      expect(values).toEqual([...(trained.model.parameters[i]?.values ?? [])])
      end = to
    }
    expect(end).toBe(dataBytes)
    expect(JSON.parse(metadata.features ?? '')).toEqual(trained.feature_ids)
    expect(JSON.parse(metadata.network ?? '')).toEqual(spec)
    expect(JSON.parse(metadata.output ?? '')).toEqual(served.output)
  })

  test('answers in onnxruntime as here, within 1e-5', () => {
    const random = new Random(3)
    const rows = 40
    const features = Float32Array.from({ length: rows * spec.inputs }, () => 4 * random.uniform() - 2)
    const length = windowOf(spec)
    const windows = rows - length + 1
    const input = new Float32Array(windows * length * spec.inputs)
    for (let i = 0; i < windows; i++)
      input.set(features.subarray(i * spec.inputs, (i + length) * spec.inputs), i * length * spec.inputs)
    const shape = [windows, ...(spec.kind === 'mlp' ? [] : [length]), spec.inputs].join('x')
    const paths = ['in.bin', 'out.bin'].map(name => join(folder, '..', name))
    const [written = '', found = ''] = paths
    writeFileSync(written, input)
    const program = fileURLToPath(new URL('./onnx-process.ts', import.meta.url))
    const run = spawnSync(process.execPath, [program, join(folder, 'model.onnx'), written, shape, found])
    expect([run.status, run.stderr.toString()]).toEqual([0, ''])
    const isOfClasses = served.output.kind === 'classification'
    expect(JSON.parse(run.stdout.toString())).toEqual([isOfClasses ? 'probabilities' : 'values'])
    const bytes = readFileSync(found)
    const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    const network = new Predictor(served.model)
    const ours = isOfClasses ? network.probabilities(features) : network.values(features)
    expect(theirs.length).toBe(windows * spec.outputs)
    expect(ours.length).toBe(theirs.length)
    expect(Math.max(...ours.map((value, i) => Math.abs(value - (theirs[i] ?? Number.NaN))))).toBeLessThan(
      1e-5,
    )
    // Rows that answer alike would agree whatever the weights are.
    expect(new Set(ours).size).toBeGreaterThan(windows / 2)
  })
})
