import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { createModel, type Model } from '../../src/model/model.ts'
import type { ModelSpec } from '../../src/model/model-spec.ts'
import { writeOnnx } from '../../src/model/onnx.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { readSafeTensors, writeSafeTensors } from '../../src/model/safetensors.ts'
import { dense, drawSamples, recurrent } from './fixtures/models.ts'

type Answer = {
  readonly names: readonly string[]
  readonly dims: readonly number[]
  readonly values: readonly number[]
}

const specs: readonly (readonly [string, ModelSpec])[] = [
  ['relu', dense({ activation: 'relu' })],
  ['leaky relu', dense({ activation: 'leaky_relu' })],
  ['tanh', dense()],
  ['sigmoid', dense({ activation: 'sigmoid', outputs: 11 })],
  ['no hidden layer', dense({ hidden: [] })],
  ['LSTM', recurrent('lstm')],
  ['GRU', recurrent('gru', { layers: 3, hidden: 8 })],
  ['values of an MLP', dense({ outputs: 1 })],
  ['values of an LSTM', recurrent('lstm', { outputs: 1, layers: 1 })],
]

/** Initial weights differ little from none: these say something. */
function pronounced(spec: ModelSpec): Model {
  const model = createModel(spec, 4)
  return {
    ...model,
    parameters: model.parameters.map(tensor => ({
      ...tensor,
      values: tensor.values.map(value => 3 * value),
    })),
  }
}

/** What goes into onnxruntime: rows, or windows of rows written out. */
function inputOf(spec: ModelSpec, features: Float32Array): { dims: number[]; features: number[] } {
  const rows = features.length / spec.inputs
  if (spec.kind === 'mlp') return { dims: [rows, spec.inputs], features: [...features] }
  const windows = Array.from({ length: rows - spec.sequenceLength + 1 }, (_, i) => [
    ...features.subarray(i * spec.inputs, (i + spec.sequenceLength) * spec.inputs),
  ])
  return { dims: [windows.length, spec.sequenceLength, spec.inputs], features: windows.flat() }
}

function runOnnx(jobs: readonly { bytes: Uint8Array; dims: number[]; features: number[] }[]): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'onnx-'))
  try {
    const input = jobs.map(({ bytes, ...job }, i) => {
      const path = join(folder, `${i}.onnx`)
      writeFileSync(path, bytes)
      return { path, ...job }
    })
    const script = fileURLToPath(new URL('fixtures/run-onnx.mjs', import.meta.url))
    return JSON.parse(execFileSync(process.execPath, [script], { input: JSON.stringify(input) }).toString())
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('ONNX', () => {
  const metadata = { features: 'rsi_14,macd', note: 'größer als 100 %' }
  const jobs = specs.map(([name, spec]) => {
    const output: 'values' | 'probabilities' = spec.outputs === 1 ? 'values' : 'probabilities'
    const model = pronounced(spec)
    const { features } = drawSamples(spec, { rows: 23 })
    return { name, output, spec, features, model, bytes: writeOnnx(model, { output, metadata }) }
  })
  const answers = runOnnx(jobs.map(job => ({ bytes: job.bytes, ...inputOf(job.spec, job.features) })))

  test.each(jobs.map((job, i) => [job.name, job, answers[i]] as const))(
    'of %s gives in onnxruntime what we give, to 1e-5',
    (_, { output, spec, features, model }, answer) => {
      const ours = new Predictor(model)[output](features)
      expect(answer?.names).toEqual(['features', output])
      expect(answer?.dims).toEqual([ours.length / spec.outputs, spec.outputs])
      const distances = Array.from(ours, (value, i) => Math.abs(value - (answer?.values[i] ?? Number.NaN)))
      expect(Math.max(...distances)).toBeLessThanOrEqual(1e-5)
    },
  )

  test('carries its metadata as pairs of strings', () => {
    const text = Buffer.from(jobs[0]?.bytes ?? []).toString('utf8')
    for (const [key, value] of Object.entries(metadata)) {
      const [keyBytes, valueBytes] = [key, value].map(part => Buffer.byteLength(part)) as [number, number]
      // Field 14 with a message of field 1 and field 2, each with its length.
      const pair = `r${String.fromCharCode(keyBytes + valueBytes + 4)}\n${String.fromCharCode(keyBytes)}${key}`
      expect(text).toContain(`${pair}\u0012${String.fromCharCode(valueBytes)}${value}`)
    }
  })
})

describe('SafeTensors', () => {
  const tensors = createModel(recurrent('gru'), 4).parameters

  test('is what its description says, read by another reader', () => {
    const bytes = Buffer.from(writeSafeTensors({ tensors, metadata: { step: '12' } }))
    const length = Number(bytes.readBigUInt64LE(0))
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
    expect(length % 8).toBe(0)
    expect(header.__metadata__).toEqual({ step: '12' })
    expect(Object.keys(header).slice(1)).toEqual(tensors.map(({ name }) => name))
    let end = 0
    for (const { name, shape, values } of tensors) {
      const { dtype, shape: found, data_offsets: offsets } = header[name]
      expect([dtype, found, offsets[0]]).toEqual(['F32', shape, end])
      const data = bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1])
      expect(Array.from({ length: data.length / 4 }, (_, i) => data.readFloatLE(i * 4))).toEqual([...values])
      end = offsets[1]
    }
    expect(bytes.length).toBe(8 + length + end)
  })

  test('comes back as it was', () => {
    const written = { tensors, metadata: { name: 'süß' } }
    expect(readSafeTensors(writeSafeTensors(written))).toEqual(written)
  })

  test('that is cut off anywhere, or none, is refused', () => {
    const bytes = writeSafeTensors({ tensors: tensors.slice(0, 1), metadata: {} })
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => readSafeTensors(bytes.subarray(0, length))).toThrow('this is no SafeTensors file')
    const other = Uint8Array.from([8, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from('[1, 2, 3')])
    expect(() => readSafeTensors(other)).toThrow('its header is not JSON')
  })
})
