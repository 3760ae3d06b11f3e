import { rm, stat } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { datasetFolders } from '../archive/dataset-folders.ts'
import { isMissing, namesIn } from '../archive/folder.ts'
import type { ArchiveFiles } from '../store/postgres/archive-files.ts'
import { isKeptEverywhere } from './kinds.ts'

/** What was written or wanted here so recently stays, named or not: it may be on its way to the bucket. */
const graceMs = 3_600_000
/** A dataset that is being written waits under temporary names, as long as its operation runs. */
const temporaryGraceMs = 24 * graceMs
/** Paths asked for at once. */
const batch = 500

/**
 * Clears a copy of what was removed from the archive: files that have no row any more, and what killed writers left.
 * @param now epoch ms  @returns how many files
 */
export async function evict(home: string, files: Pick<ArchiveFiles, 'find'>, now: number): Promise<number> {
  const old: string[] = []
  for (const path of await cachedIn(home)) if (await isOld(home, path, now)) old.push(path)
  let removed = 0
  for (let at = 0; at < old.length; at += batch) {
    const some = old.slice(at, at + batch)
    const asked = [...some, ...some.map(originalOf)]
    const named = new Set((await files.find(asked)).map(({ path }) => path))
    for (const path of some) {
      // Looked at again: somebody may have wanted it meanwhile.
      if (named.has(path) || named.has(originalOf(path)) || !(await isOld(home, path, now))) continue
      await rm(join(home, path), { force: true })
      removed++
    }
  }
  return removed
}

/** Paths of the files that are here because somebody needed them. */
async function cachedIn(home: string): Promise<string[]> {
  const folders = ['snapshots']
  for (const { symbol, timeframe } of await datasetFolders(home))
    for (const part of ['versions', 'segments', 'renditions'])
      folders.push(`bars/${symbol}/${timeframe}/${part}`)
  for (const kind of ['models', 'checkpoints'])
    for (const name of await namesIn(join(home, kind))) folders.push(`${kind}/${name}`)
  for (const name of await namesIn(join(home, 'artifacts')))
    for (const attempt of await namesIn(join(home, 'artifacts', name)))
      folders.push(`artifacts/${name}/${attempt}`)
  const found: string[] = []
  for (const folder of folders)
    for (const name of await filesIn(join(home, folder))) found.push(`${folder}/${name}`)
  return found.filter(path => !isKeptEverywhere(path))
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return (await stat(folder)).isDirectory() ? await namesIn(folder) : []
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** The stored file that another was rendered from; else the file itself. */
function originalOf(path: string): string {
  const { dir, name } = parse(path)
  if (dir.endsWith('/renditions')) return `${dir.replace(/renditions$/, 'versions')}/${name}.json`
  return dir.startsWith('artifacts/') && /\.(json|csv|parquet)$/.test(path) ? `${dir}/${name}.arrow` : path
}

async function isOld(home: string, path: string, now: number): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(join(home, path))
    return now - mtimeMs >= (path.endsWith('.tmp') ? temporaryGraceMs : graceMs)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
