import { rmSync, statSync } from 'node:fs'
import { rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, parse } from 'node:path'
import { isNativeError } from 'node:util/types'
import { Problem } from '../problems.ts'
import { isTemporary } from './atomic.ts'
import { isMissing, namesIn } from './folder.ts'
import { type DatasetName, manifestPath, renditionsFolder, segmentsFolder, versionsFolder } from './layout.ts'
import { readManifest, withManifest } from './manifest.ts'
import { aliasOf, findVersion, type Version } from './version.ts'

/** A file that was stored, replaced or pinned so recently may be wanted by an operation about to be accepted. */
const graceMs = 3_600_000
/** A dataset that is being written waits under temporary names, as long as its operation runs. */
const temporaryGraceMs = 24 * graceMs
/** Files removed under one lock: writers wait that long. */
const batch = 50

/** What to remove from one dataset, and when it is. */
type Sweep = {
  readonly dataset: DatasetName
  /** sha256 of the versions active operations have pinned. */
  readonly inUse: ReadonlySet<string>
  /** Epoch ms. */
  readonly now: number
}

/**
 * Removes versions nobody wants, then segments no version names, renditions of versions that are gone, what killed
 * writers left, and folders that became empty.
 * @returns how many segments were removed
 */
export async function sweepDataset(sweep: Sweep): Promise<number> {
  const { dataset, now } = sweep
  const folder = dirname(manifestPath(dataset))
  const inside = [renditionsFolder(dataset), segmentsFolder(dataset), versionsFolder(dataset)]
  // Asked first, because removing files makes a folder young.
  const unused = await onlyOld([...inside, folder, dirname(folder)], now)
  const kept = await sweepVersions(sweep)
  const isNamed = namedBy(dataset, kept)
  const isRendered = (name: string) => kept.has(stemOf(name))
  await removeFiles(dataset, renditionsFolder(dataset), { isKept: isRendered, now })
  const removed = await removeFiles(dataset, segmentsFolder(dataset), {
    isKept: name => isNamed(stemOf(name)),
    now,
  })
  await removeFiles(dataset, folder, { isKept: name => !isTemporary(name), now })
  for (const empty of unused) await removeEmpty(empty)
  return removed
}

/** @returns the versions that stay */
async function sweepVersions({ dataset, inUse, now }: Sweep): Promise<ReadonlySet<string>> {
  const folder = versionsFolder(dataset)
  const wanted = new Set<string>()
  const present = (await readManifest(dataset))?.sha256
  for (const name of await namesIn(folder)) {
    const sha256 = stemOf(name)
    const isWanted = sha256 === present || inUse.has(sha256) || !(await isOld(join(folder, name), now))
    if (isTemporary(name) || !isWanted) continue
    wanted.add(sha256)
    const meant = aliasOf(dataset, sha256)
    if (meant !== null) wanted.add(meant)
  }
  await removeFiles(dataset, folder, { isKept: name => wanted.has(stemOf(name)), now })
  return new Set((await namesIn(folder)).filter(name => !isTemporary(name)).map(stemOf))
}

/** Whether any of the versions names a segment; a version that cannot be read names them all. */
function namedBy(dataset: DatasetName, versions: ReadonlySet<string>): (sha256: string) => boolean {
  const named = new Set<string>()
  for (const sha256 of versions) {
    const version = readableVersion(dataset, sha256)
    if (version === 'damaged') return () => true
    for (const segment of version?.segments ?? []) named.add(segment.sha256)
  }
  return sha256 => named.has(sha256)
}

function readableVersion(dataset: DatasetName, sha256: string): Version | null | 'damaged' {
  try {
    return findVersion(dataset, sha256)
  } catch (error) {
    if (error instanceof Problem) return 'damaged'
    throw error
  }
}

/** Removes the old ones among the files of a folder that are not kept, a few at a time while no manifest can change. @returns how many, temporary ones not counted */
async function removeFiles(
  dataset: DatasetName,
  folder: string,
  { isKept, now }: { isKept: (name: string) => boolean; now: number },
): Promise<number> {
  const waste: string[] = []
  for (const name of await namesIn(folder))
    if (!isKept(name) && (await isOld(join(folder, name), now))) waste.push(join(folder, name))
  let removed = 0
  for (let at = 0; at < waste.length; at += batch) {
    removed += await withManifest(dataset, present => {
      const needed = new Set([present?.sha256, ...(present?.partitions ?? []).map(({ sha256 }) => sha256)])
      // Looked at again: a writer may have found the file useful meanwhile.
      const old = waste.slice(at, at + batch).filter(path => {
        const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs
        return modified !== undefined && now - modified >= graceOf(path) && !needed.has(stemOf(path))
      })
      for (const path of old) rmSync(path, { force: true })
      return old.filter(path => !isTemporary(basename(path))).length
    })
  }
  return removed
}

const graceOf = (path: string): number => (isTemporary(basename(path)) ? temporaryGraceMs : graceMs)

async function isOld(path: string, now: number): Promise<boolean> {
  try {
    return now - (await stat(path)).mtimeMs >= graceOf(path)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function onlyOld(paths: readonly string[], now: number): Promise<string[]> {
  const old: string[] = []
  for (const path of paths) if (await isOld(path, now)) old.push(path)
  return old
}

/** `{sha256}` of `{sha256}.arrow`. */
const stemOf = (path: string): string => parse(path).name

/** Removes a folder unless something is in it. */
async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (isNativeError(error) && 'code' in error && keepsFolder.has(String(error.code))) return
    throw error
  }
}

/** It is not empty, in the words of the operating systems, or gone. */
const keepsFolder = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EBUSY', 'ENOENT'])
