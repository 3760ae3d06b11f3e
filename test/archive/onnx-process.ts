import { readFileSync, writeFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'

/**
 * Runs a network in a process of its own, since the runtime can take its process down with it:
 * `onnx-process.ts {model} {float32 file in} {dimensions, 2x20x4} {float32 file out}`.
 */
const [model = '', input = '', shape = '', output = ''] = process.argv.slice(2)
const bytes = readFileSync(input)
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
const session = await InferenceSession.create(model)
const features = new Tensor('float32', values.slice(), shape.split('x').map(Number))
const answers = await session.run({ features })
const found = Object.values(answers)[0]?.data
if (!(found instanceof Float32Array)) throw new Error('the answer is not float32')
writeFileSync(output, found)
process.stdout.write(JSON.stringify(Object.keys(answers)))
await session.release()
