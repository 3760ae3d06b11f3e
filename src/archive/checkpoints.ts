import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isNativeError } from 'node:util/types'
import { deserialize, serialize } from 'node:v8'
import type { Checkpoint } from '../operations/operation.ts'
import { isTemporary, writeFileAtomicallySync } from './atomic.ts'
import { removeBelow, removeFiles, storedBelow } from './exchange.ts'
import { isMissing, namesIn } from './folder.ts'
import { checkedName, checkpointsFolder, isName } from './layout.ts'

/*
 * A checkpoint file: 8 bytes magic, 32 bytes SHA-256 of the payload, the payload (v8.serialize).
 * `{attempt}-{n}.ckpt`, n counting up within the attempt: names say which is newer, whatever the clock did.
 */
const magic = Buffer.from('KTRDRCK1')
const headerBytes = magic.length + 32

/**
 * Saves a state from which an operation can go on. Blocks; when it returns, the checkpoint survives a power cut.
 * @param state whatever structured clone can copy  @param about.now epoch ms
 */
export function writeCheckpoint(
  home: string,
  operationId: string,
  attempt: number,
  state: unknown,
  about: { readonly label: string; readonly best: boolean; readonly now: number },
): Omit<Checkpoint, 'metrics_seq'> {
  const folder = checkpointsFolder(home, operationId)
  const payload = serialize(state)
  const sha256 = hash('sha256', payload)
  const file = checkedName('checkpoint', `${attempt}-${nextNumber(folder, attempt)}.ckpt`)
  const bytes = Buffer.concat([magic, Buffer.from(sha256, 'hex'), payload])
  writeFileAtomicallySync(join(folder, file), bytes)
  return {
    attempt,
    saved_at: about.now,
    label: about.label,
    size_bytes: bytes.length,
    sha256,
    file,
    best: about.best,
  }
}

/** The state that was saved. @throws {Error} when the file is missing, torn, changed, or another one */
export function readCheckpoint(
  home: string,
  operationId: string,
  checkpoint: Pick<Checkpoint, 'file' | 'sha256'>,
): unknown {
  const path = join(checkpointsFolder(home, operationId), checkedName('checkpoint', checkpoint.file))
  const bytes = readFileSync(path)
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) {
    throw new Error(`${path} is not a checkpoint`)
  }
  const payload = bytes.subarray(headerBytes)
  const sha256 = hash('sha256', payload)
  if (sha256 !== checkpoint.sha256 || sha256 !== bytes.toString('hex', magic.length, headerBytes)) {
    throw new Error(`${path} is damaged: its checksum is wrong`)
  }
  return deserialize(payload)
}

/** What an attempt starts from; `damaged` are the newer ones that could not be read. */
export type Restored = { readonly damaged: readonly Checkpoint[] } & (
  | { readonly state: unknown; readonly checkpoint: Checkpoint }
  | { readonly state: null; readonly checkpoint: null }
)

/** The newest checkpoint that reads whole. @param checkpoints in any order */
export function newestReadable(
  home: string,
  operationId: string,
  checkpoints: readonly Checkpoint[],
): Restored {
  const damaged: Checkpoint[] = []
  for (const checkpoint of checkpoints.toSorted((a, b) => compareFiles(b.file, a.file))) {
    try {
      return { state: readCheckpoint(home, operationId, checkpoint), checkpoint, damaged }
    } catch (error) {
      if (!isNativeError(error)) throw error
      damaged.push(checkpoint)
    }
  }
  return { state: null, checkpoint: null, damaged }
}

/**
 * Removes the checkpoints that are neither kept nor newer than the newest kept one: a worker may have written
 * those and its message be on the way. With nothing to keep, all are removed.
 */
export async function pruneCheckpoints(
  home: string,
  operationId: string,
  keepFiles: ReadonlySet<string>,
): Promise<void> {
  const folder = checkpointsFolder(home, operationId)
  const newest = [...keepFiles].sort(compareFiles).at(-1)
  if (newest === undefined) return removeCheckpoints(home, operationId)
  await removeNames(home, folder, name => {
    if (keepFiles.has(name)) return false
    const file = isTemporary(name) ? name.slice(1, name.indexOf('.ckpt') + '.ckpt'.length) : name
    return isName('checkpoint', file) && compareFiles(file, newest) < 0
  })
}

/** Removes the checkpoints of the attempts before `attempt`, which may be writing its own by now. */
export async function removeCheckpointsBefore(
  home: string,
  operationId: string,
  attempt: number,
): Promise<void> {
  const folder = checkpointsFolder(home, operationId)
  await removeNames(home, folder, name => numbersIn(name.replace(/^\./, ''))[0] < attempt)
}

/** Removes all checkpoints of an operation. */
export async function removeCheckpoints(home: string, operationId: string): Promise<void> {
  await removeBelow(home, checkpointsFolder(home, operationId))
  await rm(checkpointsFolder(home, operationId), { recursive: true, force: true })
}

/** Removes the files of a folder that are `waste`, also those that only other nodes have. */
async function removeNames(home: string, folder: string, waste: (name: string) => boolean): Promise<void> {
  const pathOf = (name: string) => join(folder, name)
  await removeFiles(home, (await storedBelow(home, folder)).filter(waste).map(pathOf))
  for (const name of (await namesIn(folder)).filter(waste)) await rm(pathOf(name), { force: true })
}

function nextNumber(folder: string, attempt: number): number {
  let highest = 0
  try {
    for (const name of readdirSync(folder)) {
      const [of, number] = numbersIn(name)
      if (isName('checkpoint', name) && of === attempt) highest = Math.max(highest, number)
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return highest + 1
}

function compareFiles(a: string, b: string): number {
  const [attemptA, numberA] = numbersIn(a)
  const [attemptB, numberB] = numbersIn(b)
  return attemptA - attemptB || numberA - numberB
}

function numbersIn(file: string): [attempt: number, number: number] {
  const [attempt, number] = file.split(/[-.]/)
  return [Number(attempt), Number(number)]
}
