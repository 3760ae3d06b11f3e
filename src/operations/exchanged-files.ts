import { existsSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { artifactPath } from '../archive/artifacts.ts'
import { fetchFiles, fetchVersions, isCopy, refresh, storeFiles } from '../archive/exchange.ts'
import { namesIn } from '../archive/folder.ts'
import {
  artifactsFolder,
  checkedName,
  checkpointsFolder,
  isName,
  modelFolder,
  snapshotPath,
} from '../archive/layout.ts'
import { systemClock } from '../clock.ts'
import { Problem } from '../problems.ts'
import type { Artifact, Checkpoint, OperationRecord } from './operation.ts'

/*
 * What an attempt reads and leaves behind, where each node has only a copy of the archive. Everything here is done at
 * once where the folder is the archive itself.
 */

type Attempt = Pick<OperationRecord, 'operation_id' | 'attempt'>

/**
 * Brings to this node what an attempt is going to read: what it has pinned, what its parameters name, and what earlier
 * attempts saved. What is nowhere is left to the worker, which knows what to say of it.
 * @throws {Problem} 'archive-unavailable', 'archive-damaged'
 */
async function fetchForAttempt(home: string, record: OperationRecord): Promise<void> {
  if (!isCopy(home)) return
  const { operation_id: id, provenance, params } = record
  await refresh(home)
  const { strategy_sha256: strategy, dataset_sha256: datasets } = provenance
  const snapshots = strategy === null ? [] : [snapshotPath(home, strategy)]
  const named = [...new Set(JSON.stringify(params).match(/\b(mdl|op)_[0-9A-Za-z]{26}\b/g) ?? [])]
  const folders = named.flatMap(name => {
    if (isName('model', name)) return [modelFolder(home, name)]
    return isName('operation', name) ? [artifactsFolder(home, name)] : []
  })
  await Promise.all([
    fetchFiles(home, snapshots, folders),
    fetchVersions(home, datasets),
    fetchEarlier(home, id),
  ])
}

/** As `fetchForAttempt`, again and again while the archive cannot be reached, until `isOver`. */
export async function fetchPatiently(
  home: string,
  record: OperationRecord,
  isOver: () => boolean,
): Promise<void> {
  for (let pauseMs = 100; ; pauseMs = Math.min(5_000, 2 * pauseMs)) {
    try {
      return await fetchForAttempt(home, record)
    } catch (error) {
      if (!passes(error) || isOver()) throw error
    }
    await sleep(pauseMs)
  }
}

/** Whether it is worth waiting: a bucket, or the database, that is down comes back. */
export const passes = (error: unknown): boolean =>
  error instanceof Problem && (error.code === 'archive-unavailable' || error.code === 'database-unavailable')

/** Of checkpoints a damaged one is passed over for an older one, which a worker does for one that is missing, too. */
async function fetchEarlier(home: string, id: string): Promise<void> {
  const folder = checkpointsFolder(home, id)
  try {
    await fetchFiles(home, [], [folder])
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'archive-damaged') throw error
  }
}

/** Gives what a completed attempt made to the other nodes: its artifacts, and the model that a training published. */
export async function storeResults(
  home: string,
  { operation_id: id, attempt, type }: Attempt & Pick<OperationRecord, 'type'>,
  { artifacts, result }: { readonly artifacts: readonly Artifact[]; readonly result: unknown },
): Promise<void> {
  if (!isCopy(home)) return
  const model = type === 'training' ? modelIn(result) : null
  const folder = model === null ? null : modelFolder(home, model)
  const paths = artifacts.map(artifact => artifactPath(home, id, attempt, artifact))
  const published = folder === null ? [] : (await namesIn(folder)).map(name => join(folder, name))
  if (folder !== null && published.length === 0) throw new Error(`there is nothing in ${folder}`)
  // What waits for a bucket for long must not look as if nobody wanted it any more.
  const now = systemClock.now() / 1000
  for (const path of [...paths, ...published]) await utimes(path, now, now)
  await storeFiles(home, paths)
  if (folder !== null) await storeFiles(home, [], [folder])
}

/** Gives a checkpoint to the other nodes, before anybody is told that there is one. */
export function storeCheckpoint(
  home: string,
  { operation_id: id }: Attempt,
  { file }: Pick<Checkpoint, 'file'>,
): Promise<void> {
  return storeFiles(home, [join(checkpointsFolder(home, id), checkedName('checkpoint', file))])
}

/** Gives what an attempt has noted in its journal so far to the other nodes. */
export async function storeJournal(home: string, { operation_id: id, attempt }: Attempt): Promise<void> {
  if (!isCopy(home)) return
  const path = join(checkpointsFolder(home, id), `${attempt}.journal`)
  if (existsSync(path)) await storeFiles(home, [path])
}

function modelIn(result: unknown): string | null {
  if (typeof result !== 'object' || result === null || !('model_id' in result)) return null
  return typeof result.model_id === 'string' && isName('model', result.model_id) ? result.model_id : null
}
