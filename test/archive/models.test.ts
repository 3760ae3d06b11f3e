import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { modelFolder, modelsFolder, snapshotsFolder } from '../../src/archive/layout.ts'
import { ModelLibrary, sweepModels } from '../../src/archive/model-library.ts'
import { publishModel, readModel } from '../../src/archive/models.ts'
import { Problem } from '../../src/problems.ts'
import { untrainedModel } from '../support/trained-model.ts'
import { filesIn, makeHome, operationId } from './folder.ts'

const trained = untrainedModel('fuzzy_and_raw')
const firstDay = Date.UTC(2026, 0, 1)
const publish = (home: string, model = trained, now = firstDay) =>
  publishModel(home, model, { now, operationId })
const files = ['manifest.json', 'model.onnx', 'published.json', 'strategy.yaml', 'weights.safetensors']

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
  return 'nothing was refused'
}

test('what is published is read again bit for bit, and its files are those that the manifest names', () => {
  const home = makeHome()
  const { model_id: id, sha256, created } = publish(home)
  const { manifest, served } = readModel(home, id)
  expect([id, created]).toEqual([`mdl_${sha256.slice(0, 26)}`, true])
  expect(served.model).toEqual(trained.model)
  expect(served.normalisers).toEqual(trained.normalisers)
  expect(served.recipe.features.map(feature => feature.id)).toEqual(trained.feature_ids)
  expect(filesIn(modelFolder(home, id))).toEqual(files)
  for (const file of manifest.files) {
    const bytes = readFileSync(join(modelFolder(home, id), file.name))
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([
      file.size_bytes,
      file.sha256,
    ])
  }
  expect(manifest).toMatchObject({
    strategy: 'fuzzy_and_raw',
    seed: 7,
    version: '0.1.0',
    symbols: ['AAPL'],
    ranges: { train: { rows: 100 }, validation: { to: null }, test: null },
    labels: trained.labels,
  })
})

test('the id is that of the content: equal content has it whenever and by whomever it is published', async () => {
  const home = makeHome()
  const first = publish(home)
  const again = publishModel(home, untrainedModel('fuzzy_and_raw'), {
    now: firstDay + 9e8,
    operationId: null,
  })
  expect(again).toEqual({ ...first, created: false })
  const other = publish(home, untrainedModel('fuzzy_and_raw', 8))
  expect(other.model_id).not.toBe(first.model_id)
  const noted = publish(home, { ...trained, baselines: { ...trained.baselines, part: 'test' } })
  expect(new Set([first, other, noted].map(({ model_id }) => model_id)).size).toBe(3)
  const known = await new ModelLibrary(home).get(first.model_id)
  expect([known.created_at, known.operation_id]).toEqual(['2026-01-01T00:00:00.000Z', operationId])
})

describe('a process killed while it publishes', () => {
  const program = fileURLToPath(new URL('./publishing-process.ts', import.meta.url))

  test('leaves nothing that is visible, and what it left goes after a day', async () => {
    const home = makeHome()
    const library = new ModelLibrary(home)
    // Before each of five files, and before the folder gets its name.
    for (let step = 1; step <= 6; step++) {
      const { signal } = spawnSync(process.execPath, [program, home, String(step)])
      expect([step, signal]).toEqual([step, 'SIGKILL'])
      expect([step, await library.list()]).toEqual([step, []])
    }
    const left = readdirSync(modelsFolder(home))
    expect(left.every(name => name.startsWith('.') && name.endsWith('.tmp'))).toBe(true)
    expect(left.length).toBeGreaterThanOrEqual(5)
    const { model_id: id } = publish(home)
    expect((await library.list()).map(({ model_id }) => model_id)).toEqual([id])
    const youngest = Math.max(...left.map(name => statSync(join(modelsFolder(home), name)).mtimeMs))
    await sweepModels(home, youngest + 1_000)
    expect(readdirSync(modelsFolder(home)).length).toBe(left.length + 1)
    await sweepModels(home, youngest + 86_400_000)
    expect(readdirSync(modelsFolder(home))).toEqual([id])
    expect(readModel(home, id).served.model).toEqual(trained.model)
  })

  test('a publication that gives up leaves nothing at all', () => {
    const home = makeHome()
    let steps = 0
    const giveUp = () => {
      if (++steps === 4) throw new RangeError('cancelled')
    }
    expect(() => publishModel(home, trained, { now: 0, operationId, checkpoint: giveUp })).toThrow(
      'cancelled',
    )
    expect(readdirSync(modelsFolder(home))).toEqual([])
  })
})

describe('damage', () => {
  const change = (path: string) => {
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    writeFileSync(path, bytes)
  }

  test.each([
    ['a changed weight', 'weights.safetensors', change],
    ['a shortened network', 'model.onnx', (path: string) => truncateSync(path, 100)],
    ['a strategy that is gone', 'strategy.yaml', (path: string) => rmSync(path)],
    ['a changed manifest', 'manifest.json', change],
    ['a manifest that is gone', 'manifest.json', (path: string) => rmSync(path)],
  ])('%s is found, and publishing the model again repairs it', async (_what, file, harm) => {
    const home = makeHome()
    const { model_id: id } = publish(home)
    harm(join(modelFolder(home, id), file))
    expect(await codeOf(() => readModel(home, id))).toBe('model-damaged')
    expect(publish(home)).toMatchObject({ model_id: id, created: true })
    expect(readModel(home, id).served.model).toEqual(trained.model)
    expect(readdirSync(modelsFolder(home))).toEqual([id])
  })

  test('a manifest that names a file elsewhere is not followed, though hash and file are right', async () => {
    const home = makeHome()
    const honest = modelFolder(home, publish(home).model_id)
    const text = readFileSync(join(honest, 'manifest.json'), 'utf8')
    const forged = text.replace('"model.onnx"', '"../../snapshots/x"')
    const id = `mdl_${createHash('sha256').update(forged).digest('hex').slice(0, 26)}`
    cpSync(honest, modelFolder(home, id), { recursive: true })
    cpSync(join(honest, 'model.onnx'), join(snapshotsFolder(home), 'x'))
    writeFileSync(join(modelFolder(home, id), 'manifest.json'), forged)
    expect(await codeOf(() => readModel(home, id))).toBe('model-damaged')
  })

  test('a lost note of the publication costs the date alone', async () => {
    const home = makeHome()
    const { model_id: id } = publish(home)
    writeFileSync(join(modelFolder(home, id), 'published.json'), '{ "created_at": ')
    const known = await new ModelLibrary(home).get(id)
    expect(known.operation_id).toBeNull()
    expect(Date.parse(known.created_at)).toBeGreaterThan(firstDay)
    expect(readModel(home, id).model_id).toBe(id)
  })
})

describe('the library', () => {
  test('lists the newest first, without the damaged, and sees what came and went since', async () => {
    const home = makeHome()
    const library = new ModelLibrary(home)
    const ids = [7, 8, 9].map(
      (seed, i) => publish(home, untrainedModel('fuzzy_and_raw', seed), firstDay + i).model_id,
    )
    const listed = async () => (await library.list()).map(({ model_id }) => model_id)
    expect(await listed()).toEqual(ids.toReversed())
    await library.remove(ids[1] ?? '', [])
    expect(await listed()).toEqual([ids[2], ids[0]])
    rmSync(join(modelFolder(home, ids[0] ?? ''), 'manifest.json'))
    expect((await new ModelLibrary(home).list()).map(({ model_id }) => model_id)).toEqual([ids[2]])
  })

  test('removes no model that an operation needs, and a damaged one as well', async () => {
    const home = makeHome()
    const library = new ModelLibrary(home)
    const { model_id: id } = publish(home)
    expect(await codeOf(() => library.remove(id, [operationId]))).toBe('model-in-use')
    expect(existsSync(modelFolder(home, id))).toBe(true)
    rmSync(join(modelFolder(home, id), 'manifest.json'))
    await library.remove(id, [])
    expect(readdirSync(modelsFolder(home))).toEqual([])
    expect(await codeOf(() => library.remove(id, []))).toBe('model-not-found')
  })

  test.each([
    '..',
    '../snapshots',
    'mdl_',
    `mdl_${'0'.repeat(25)}/`,
    `mdl_${'A'.repeat(26)}`,
    '.mdl_1.tmp',
    '\0',
  ])('takes %j for no model', async id => {
    const home = makeHome()
    const library = new ModelLibrary(home)
    for (const run of [() => library.get(id), () => library.remove(id, []), () => readModel(home, id)])
      expect(await codeOf(run)).toBe('model-not-found')
  })

  test('names the model that was probably meant', async () => {
    const home = makeHome()
    const { model_id: id } = publish(home)
    const wrong = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`
    await expect(new ModelLibrary(home).get(wrong)).rejects.toMatchObject({
      code: 'model-not-found',
      hint: expect.stringContaining(id),
    })
  })
})
