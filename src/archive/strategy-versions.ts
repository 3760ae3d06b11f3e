import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from './atomic.ts'
import { removeFiles, storeFiles } from './exchange.ts'
import { isMissing, namesIn, touchFile } from './folder.ts'
import { isName, strategyVersionPath, strategyVersionsFolder } from './layout.ts'
import type { StrategyFile } from './strategies.ts'

/** A text that was stored under a name. */
export type StrategyVersion = {
  readonly sha256: string
  /** When it was last stored, epoch ms. */
  readonly stored_at: number
  readonly size_bytes: number
  /** Whether it is the strategy of that name now. */
  readonly current: boolean
}

/** Older ones are removed. */
const maxVersions = 100

/**
 * Keeps a text under a name and its sha256. Where other nodes have copies, the version of a text stored now gets to them
 * with the text itself.
 * @param stored `before`: when one is kept already, its time stays
 * @returns whether it was kept already
 */
export async function keepVersion(
  home: string,
  name: string,
  { sha256, yaml, stored }: Pick<StrategyFile, 'sha256' | 'yaml'> & { readonly stored: 'now' | 'before' },
): Promise<boolean> {
  const path = strategyVersionPath(home, name, sha256)
  const isKept = stored === 'now' ? await touchFile(path) : existsSync(path)
  if (isKept) return true
  await writeFileAtomically(path, Buffer.from(yaml))
  const kept = await listVersions(home, name, null)
  if (stored === 'before') await storeFiles(home, [path])
  const waste = kept.slice(maxVersions).map(version => strategyVersionPath(home, name, version.sha256))
  await removeFiles(home, waste)
  for (const old of waste) await rm(old, { force: true })
  return false
}

/** Newest first. @param current what the name stands for now, which may have been written by hand */
export async function listVersions(
  home: string,
  name: string,
  current: Pick<StrategyFile, 'sha256' | 'source'> | null,
): Promise<StrategyVersion[]> {
  const folder = strategyVersionsFolder(home, name)
  const versions: StrategyVersion[] = []
  for (const file of await namesIn(folder)) {
    const sha256 = file.replace(/\.yaml$/, '')
    if (!isName('sha256', sha256)) continue
    const { mtimeMs, size } = await stat(join(folder, file))
    const isCurrent = current?.source === 'stored' && current.sha256 === sha256
    versions.push({ sha256, stored_at: mtimeMs, size_bytes: size, current: isCurrent })
  }
  return versions.sort((a, b) => b.stored_at - a.stored_at || (a.sha256 < b.sha256 ? -1 : 1))
}

/** A kept text, or null. @throws {Error} when its file was changed */
export async function readStrategyVersion(
  home: string,
  name: string,
  sha256: string,
): Promise<StrategyFile | null> {
  if (!isName('strategy', name) || !isName('sha256', sha256)) return null
  try {
    const bytes = await readFile(strategyVersionPath(home, name, sha256))
    if (hash('sha256', bytes) !== sha256) throw new Error(`version ${sha256} of ${name} is damaged`)
    return { name, source: 'stored', sha256, yaml: bytes.toString() }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
