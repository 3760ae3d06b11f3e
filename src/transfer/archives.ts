import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type ArchiveFile, copyFiles, filesIn, isManifest } from './files.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'
import { clearUnfinished, markUnfinished, readUnfinished, type Unfinished } from './unfinished.ts'

/** Files of an archive that were put into another. */
export type MovedFiles = {
  readonly files: readonly ArchiveFile[]
  readonly bytes: number
  /** Of these, how many lay there already. */
  readonly kept: number
}

export const isSameArchive = (one: string, other: string): boolean => resolve(one) === resolve(other)

/**
 * Makes sure that a folder may be filled: it is empty, or the same command began to fill it. From then on, until
 * {@link finishArchive}, no server starts on it.
 */
export async function beginArchive(archive: string, what: Unfinished): Promise<void> {
  const begun = readUnfinished(archive)
  if (begun !== null && (begun.command !== what.command || begun.from !== what.from))
    throw new Refusal(
      `In ${archive} the ${begun.command} from ${begun.from} did not finish.`,
      'Run that command again, or choose an empty folder.',
    )
  const [first] = begun === null ? await filesIn(archive) : []
  if (first !== undefined)
    throw new Refusal(
      `${archive} is not empty: it holds ${first}.`,
      'Choose an empty folder, or empty this one.',
    )
  await markUnfinished(archive, what)
}

/** Everything is there. */
export const finishArchive = clearUnfinished

/**
 * Copies a whole archive whose server is stopped. What an interrupted run has copied stays, what the source does not
 * hold (any more) is removed. Manifests go last: what they name is there before them.
 */
export async function moveArchive(
  ways: { readonly from: string; readonly to: string },
  progress: Progress,
): Promise<MovedFiles> {
  const paths = await filesIn(ways.from)
  const wanted = new Set(paths)
  for (const path of await filesIn(ways.to)) if (!wanted.has(path)) await rm(join(ways.to, path))
  const counting = countFiles(progress, paths.length)
  const first = await copyFiles(
    paths.filter(path => !isManifest(path)),
    ways,
    counting,
  )
  const last = await copyFiles(paths.filter(isManifest), ways, counting)
  progress.end()
  return summed([...first.files, ...last.files], first.kept + last.kept)
}

/** @param kept of the files, how many lay there already */
export function summed(files: readonly ArchiveFile[], kept: number): MovedFiles {
  return { files, bytes: files.reduce((sum, { size_bytes }) => sum + size_bytes, 0), kept }
}

/** @param total null when it is not known */
export function countFiles(progress: Progress, total: number | null): () => void {
  let done = 0
  return () => {
    done += 1
    progress.count('files', done, total)
  }
}
