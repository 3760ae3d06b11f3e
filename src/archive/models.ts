import { hash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toRfc3339 } from '../clock.ts'
import { writeOnnx } from '../model/onnx.ts'
import { readSafeTensors, writeSafeTensors } from '../model/safetensors.ts'
import { Problem } from '../problems.ts'
import { type ModelOutput, type ServedModel, servedOf } from '../training/served-model.ts'
import type { TrainedModel } from '../training/trained-model.ts'
import { syncFolderSync, temporaryPath, writeNewFileSync } from './atomic.ts'
import { isMissing } from './folder.ts'
import { isName, modelFolder } from './layout.ts'
import {
  type ModelFile,
  type ModelFileName,
  type ModelManifest,
  manifestBytes,
  manifestOf,
  modelFileTypes,
  parseManifest,
  servedBy,
} from './model-manifest.ts'

/*
 * A bundle is a folder `models/{model_id}`:
 *   manifest.json         what it is; its SHA-256 begins with the hex digits of the id
 *   weights.safetensors   the parameters by name
 *   model.onnx            the same network for other programs
 *   strategy.yaml         the text it was trained from
 *   published.json        when and by which operation it was first published; no part of its identity
 */

/** Who publishes, and when. */
export type Publication = {
  /** Epoch ms. */
  readonly now: number
  readonly operationId: string | null
  /** Called before each file is written; it may throw to give up: then nothing is published. */
  readonly checkpoint?: () => void
}

export type Published = {
  readonly model_id: string
  /** Of the manifest, which names the SHA-256 of every other file. */
  readonly sha256: string
  /** False: the same model was there already. */
  readonly created: boolean
}

/** A bundle that was read whole and found undamaged. */
export type StoredModel = {
  readonly model_id: string
  readonly manifest: ModelManifest
  readonly served: ServedModel
  /** The text it was trained by. */
  readonly strategy_yaml: string
}

/** Bytes of a bundle by file name, the manifest left out. */
type Files = ReadonlyMap<ModelFileName, Uint8Array>

/** Identities are the first 26 hex digits, 104 bits, of the SHA-256 of the manifest. */
export const modelIdOf = (sha256: string): string => `mdl_${sha256.slice(0, 26)}`

/**
 * Stores a model under the hash of its content. All of it is visible at once or nothing; when this returns, it survives
 * a power cut. What is there already stays as it is, and what is there damaged is replaced. Blocks: for workers.
 */
export function publishModel(home: string, trained: TrainedModel, publication: Publication): Published {
  const served = servedOf(trained)
  const files = filesOf(trained, served)
  const listed = [...files].map(([name, bytes]) => describeFile(name, bytes))
  const manifest = manifestBytes(manifestOf(trained, served, listed))
  const sha256 = hash('sha256', manifest)
  const id = modelIdOf(sha256)
  const target = modelFolder(home, id)
  if (existsSync(target)) {
    if (isWhole(home, id)) return { model_id: id, sha256, created: false }
    discard(target)
  }
  const { now, operationId, checkpoint = () => {} } = publication
  const published = Buffer.from(JSON.stringify({ created_at: toRfc3339(now), operation_id: operationId }))
  const temporary = temporaryPath(target)
  try {
    for (const [name, bytes] of [
      ...files,
      ['manifest.json', manifest],
      ['published.json', published],
    ] as const) {
      checkpoint()
      writeNewFileSync(join(temporary, name), bytes)
    }
    syncFolderSync(temporary)
    checkpoint()
    return { model_id: id, sha256, created: moveInto(temporary, target) }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/**
 * A model, every byte of it checked. Blocks: for workers and for small models.
 * @throws {Problem} 'model-not-found', 'model-damaged'
 */
export function readModel(home: string, id: string): StoredModel {
  const manifest = readModelManifest(home, id)
  const files = new Map(manifest.files.map(file => [file.name, readFile(home, id, file)]))
  const { tensors } = readSafeTensors(files.get('weights.safetensors') ?? new Uint8Array(0))
  const model = { spec: manifest.network, parameters: tensors }
  const strategy_yaml = new TextDecoder().decode(files.get('strategy.yaml'))
  return { model_id: id, manifest, served: { ...servedBy(manifest), model }, strategy_yaml }
}

/** What a model is, its manifest checked and no other file. @throws {Problem} 'model-not-found', 'model-damaged' */
export function readModelManifest(home: string, id: string): ModelManifest {
  if (!isName('model', id) || !existsSync(modelFolder(home, id))) throw modelNotFound(id, null)
  return checkManifest(id, readOrNull(join(modelFolder(home, id), 'manifest.json'))).manifest
}

/** @param bytes null when there is no such file @throws {Problem} 'model-damaged' */
export function checkManifest(
  id: string,
  bytes: Uint8Array | null,
): { readonly manifest: ModelManifest; readonly sha256: string } {
  if (bytes === null) throw damaged(id, 'manifest.json is gone')
  const sha256 = hash('sha256', bytes)
  if (modelIdOf(sha256) !== id) throw damaged(id, 'manifest.json was changed')
  const manifest = parseManifest(bytes)
  if (manifest === null) throw damaged(id, 'manifest.json is of another version of ktrdr')
  return { manifest, sha256 }
}

/** @param meant the id that may be meant, if any is near */
export function modelNotFound(id: string, meant: string | null): Problem {
  const guess = meant === null ? '' : `Did you mean ${meant}? `
  return new Problem('model-not-found', `There is no model ${id.slice(0, 100)}.`, {
    hint: `${guess}GET /api/v1/models lists those that are stored.`,
  })
}

/** Moves a folder out of sight first: half of a model is never visible. */
function discard(folder: string): void {
  const gone = temporaryPath(folder)
  try {
    renameSync(folder, gone)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  syncFolderSync(dirname(folder))
  rmSync(gone, { recursive: true, force: true })
}

function filesOf(trained: TrainedModel, { model, output }: ServedModel): Files {
  const metadata = metadataOf(trained, output)
  const name = output.kind === 'classification' ? 'probabilities' : 'values'
  return new Map<ModelFileName, Uint8Array>([
    ['weights.safetensors', writeSafeTensors({ tensors: model.parameters, metadata })],
    ['model.onnx', writeOnnx(model, { output: name, metadata })],
    ['strategy.yaml', new TextEncoder().encode(trained.strategy_yaml)],
  ])
}

/** What a reader of one file alone needs to know: lists and maps as JSON. */
function metadataOf(trained: TrainedModel, output: ModelOutput): Readonly<Record<string, string>> {
  return {
    producer: `ktrdr ${trained.code_version}`,
    strategy: trained.strategy_name,
    network: JSON.stringify(trained.model.spec),
    features: JSON.stringify(trained.feature_ids),
    normalisers: JSON.stringify(trained.normalisers),
    output: JSON.stringify(output),
  }
}

function describeFile(name: ModelFileName, bytes: Uint8Array): ModelFile {
  return { name, media_type: modelFileTypes[name], size_bytes: bytes.length, sha256: hash('sha256', bytes) }
}

/** @returns false when another thread was faster: the folder of an equal model is as good */
function moveInto(temporary: string, target: string): boolean {
  try {
    renameSync(temporary, target)
  } catch (error) {
    if (existsSync(target)) return false
    throw error
  }
  syncFolderSync(dirname(target))
  return true
}

function isWhole(home: string, id: string): boolean {
  try {
    readModel(home, id)
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

function readFile(home: string, id: string, { name, size_bytes, sha256 }: ModelFile): Uint8Array {
  const bytes = readOrNull(join(modelFolder(home, id), name))
  if (bytes === null) throw damaged(id, `${name} is gone`)
  if (bytes.length !== size_bytes || hash('sha256', bytes) !== sha256)
    throw damaged(id, `${name} was changed`)
  return bytes
}

function readOrNull(path: string): Uint8Array | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export function damaged(id: string, why: string): Problem {
  return new Problem('model-damaged', `The model ${id} is damaged: ${why}.`, {
    hint: 'Bring its folder back from a backup, or delete the model and train it again: equal training gives the same id.',
  })
}
