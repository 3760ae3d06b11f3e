import { hash } from 'node:crypto'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { toRfc3339 } from '../clock.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { nearest } from '../strategy/nearest.ts'
import { isTemporary, syncFolder, temporaryPath } from './atomic.ts'
import { fetchFiles, isCopy, removeBelow } from './exchange.ts'
import { isMissing, namesIn } from './folder.ts'
import { isName, modelFolder, modelsFolder } from './layout.ts'
import type { ModelFileName, ModelManifest } from './model-manifest.ts'
import { checkManifest, damaged, modelNotFound } from './models.ts'

export type ModelSummary = components['schemas']['ModelSummary']

/** A stored model as far as its manifest tells. */
export type KnownModel = {
  readonly model_id: string
  /** Of the manifest. */
  readonly sha256: string
  /** RFC 3339. */
  readonly created_at: string
  readonly operation_id: string | null
  readonly manifest: ModelManifest
}

/** A file of a model that is as long as its manifest says. */
export type KnownFile = { readonly path: string; readonly media_type: string; readonly sha256: string }

/** A publication writes its files in seconds; a folder left half-made for so long belongs to a killed one. */
const temporaryGraceMs = 24 * 3_600_000

/** Manifests kept in memory: a model never changes. */
const maxKept = 2_000

/** Stored models from the side of the main thread: nothing here reads weights. */
export class ModelLibrary {
  private readonly home: string
  private readonly summaries = new Map<string, ModelSummary>()

  /** @param home the data folder */
  constructor(home: string) {
    this.home = home
  }

  /** Newest first; of equal times the greater id first. Damaged ones are left out: see {@link get}. */
  async list(): Promise<readonly ModelSummary[]> {
    const ids = await this.ids()
    const found: ModelSummary[] = []
    for (const id of ids) {
      const summary = this.summaries.get(id) ?? (await this.summarise(id))
      if (summary !== null) found.push(summary)
    }
    this.forget(new Set(ids))
    return found.sort((a, b) => compare(b.created_at, a.created_at) || compare(b.model_id, a.model_id))
  }

  /** @throws {Problem} 'model-not-found' with the id that may be meant, 'model-damaged' */
  async get(id: string): Promise<KnownModel> {
    if (!isName('model', id)) throw modelNotFound(id, null)
    const folder = modelFolder(this.home, id)
    const bytes = await readOrNull(join(folder, 'manifest.json'))
    const made = await madeAt(folder)
    if (made === null) throw modelNotFound(id, nearest(id, await this.ids()))
    const { manifest, sha256 } = checkManifest(id, bytes)
    return { model_id: id, sha256, ...(await readPublication(folder, made)), manifest }
  }

  /**
   * A file of a model by its name.
   * @throws {Problem} 'model-not-found', 'model-damaged' when it is gone or has another length
   */
  async file(id: string, name: ModelFileName | 'manifest.json'): Promise<KnownFile> {
    const { manifest, sha256 } = await this.get(id)
    const path = join(modelFolder(this.home, id), name)
    if (name === 'manifest.json') return { path, media_type: 'application/json', sha256 }
    const listed = manifest.files.find(file => file.name === name)
    await fetchFiles(this.home, [path])
    const size = listed === undefined ? null : await sizeOf(path)
    if (listed === undefined || size === null) throw damaged(id, `${name} is gone`)
    if (size !== listed.size_bytes) throw damaged(id, `${name} was changed`)
    return { path, media_type: listed.media_type, sha256: listed.sha256 }
  }

  /** Brings the files of a model to this node, which may have no more than its manifest. */
  async fetch(id: string): Promise<void> {
    await fetchFiles(this.home, [], [modelFolder(this.home, id)])
  }

  /** The text a model was trained from. @throws {Problem} as `file`, 'model-damaged' also when it was changed */
  async strategyText(id: string): Promise<string> {
    const { path, sha256 } = await this.file(id, 'strategy.yaml')
    const bytes = await readOrNull(path)
    if (bytes === null || hash('sha256', bytes) !== sha256) throw damaged(id, 'strategy.yaml was changed')
    return bytes.toString()
  }

  /**
   * Removes a model, damaged or not: it is gone at once, and never half of it.
   * @param users operations that need it now
   * @throws {Problem} 'model-not-found', 'model-in-use'
   */
  async remove(id: string, users: readonly string[]): Promise<void> {
    const folder = isName('model', id) ? modelFolder(this.home, id) : null
    if (folder === null || (await madeAt(folder)) === null)
      throw modelNotFound(id, nearest(id, await this.ids()))
    if (users.length > 0)
      throw new Problem('model-in-use', `The model ${id} is being used by ${users.slice(0, 10).join(', ')}.`)
    await removeBelow(this.home, folder)
    const gone = temporaryPath(folder)
    try {
      await rename(folder, gone)
    } catch (error) {
      // A copy hears of its own removal, too.
      if (isCopy(this.home) && isMissing(error)) return
      throw error
    }
    await syncFolder(modelsFolder(this.home))
    await rm(gone, { recursive: true, force: true })
  }

  private async ids(): Promise<readonly string[]> {
    return (await namesIn(modelsFolder(this.home))).filter(name => isName('model', name))
  }

  private async summarise(id: string): Promise<ModelSummary | null> {
    try {
      const summary = summaryOf(await this.get(id))
      if (this.summaries.size < maxKept) this.summaries.set(id, summary)
      return summary
    } catch (error) {
      // Damaged, or deleted since the folder was listed.
      if (error instanceof Problem) return null
      throw error
    }
  }

  private forget(present: ReadonlySet<string>): void {
    for (const id of this.summaries.keys()) if (!present.has(id)) this.summaries.delete(id)
  }
}

/** Removes what killed publications left. @param home the data folder  @param now epoch ms */
export async function sweepModels(home: string, now: number): Promise<void> {
  for (const name of await namesIn(modelsFolder(home))) {
    if (!isTemporary(name)) continue
    const path = join(modelsFolder(home), name)
    const made = await madeAt(path)
    if (made !== null && now - made >= temporaryGraceMs) await rm(path, { recursive: true, force: true })
  }
}

function summaryOf({ model_id, sha256, created_at, operation_id, manifest }: KnownModel): ModelSummary {
  return {
    model_id,
    sha256,
    created_at,
    operation_id,
    strategy: manifest.strategy,
    symbols: manifest.symbols,
    timeframes: [...manifest.timeframes],
    network_kind: manifest.network.kind,
    output: outputOf(manifest),
    features: manifest.pipeline.features.length,
    parameters: manifest.parameters,
    size_bytes: manifest.files.reduce((sum, file) => sum + file.size_bytes, 0),
  }
}

function outputOf({ output }: ModelManifest): ModelSummary['output'] {
  return output.kind === 'regression'
    ? { kind: output.kind }
    : { kind: output.kind, classes: [...output.classes] }
}

/** When and by whom; of a folder whose note of it is lost, when the folder was made. */
async function readPublication(
  folder: string,
  madeAtMs: number,
): Promise<Pick<KnownModel, 'created_at' | 'operation_id'>> {
  const bytes = await readOrNull(join(folder, 'published.json'))
  const value = bytes === null ? null : parse(bytes)
  if (typeof value !== 'object' || value === null || !('created_at' in value) || !('operation_id' in value))
    return { created_at: toRfc3339(Math.floor(madeAtMs)), operation_id: null }
  const { created_at, operation_id } = value
  return { created_at: String(created_at), operation_id: operation_id === null ? null : String(operation_id) }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** When a folder was last changed, epoch ms; null when there is none. */
async function madeAt(folder: string): Promise<number | null> {
  try {
    return (await stat(folder)).mtimeMs
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function readOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
