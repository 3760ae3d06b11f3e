import { createHash } from 'node:crypto'
import { link, mkdir, rm } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { Artifact } from '../operations/operation.ts'
import { fetchFiles, removeBelow } from './exchange.ts'
import { FileBatch, type Parts } from './file-batch.ts'
import { namesIn } from './folder.ts'
import { artifactsFolder, attemptFolder, checkedName } from './layout.ts'
import { encodeParts, type Table, tableMediaTypes } from './tables.ts'

/**
 * What one attempt produces, from the worker's side. Files are written in the background and get their names when the
 * attempt publishes them; clients see them when the operation completes.
 */
export class ArtifactFolder {
  private readonly files: FileBatch
  private readonly stored = new Map<string, Artifact>()

  constructor(home: string, operationId: string, attempt: number) {
    this.files = new FileBatch(attemptFolder(home, operationId, attempt))
  }

  /**
   * Stores a table; clients read it in the format they like.
   * @param name without extension, e.g. `trades`  @param table its columns must not change before it is published
   */
  table(name: string, table: Table): Artifact {
    if (name.includes('.')) throw new Error(`a table's name has no extension: ${name}`)
    const facts = { name, file: `${name}.arrow`, media_type: tableMediaTypes.arrow, rows: table.rows }
    return this.store(facts, encodeParts(table))
  }

  /** Stores a file as it is. @param name with extension, e.g. `strategy.yaml`  @param bytes must not change either */
  file(name: string, bytes: Uint8Array, mediaType: string): Artifact {
    return this.store({ name, file: name, media_type: mediaType, rows: null }, [bytes])
  }

  /**
   * Resolves when everything stored is on the disk.
   * @returns what it is, in the order of first storing
   */
  async publish(): Promise<readonly Artifact[]> {
    await this.files.publish()
    return [...this.stored.values()]
  }

  /** Resolves when nothing is written any more; what was not published is gone. */
  discard(): Promise<void> {
    return this.files.discard()
  }

  private store(facts: Omit<Artifact, 'size_bytes' | 'sha256'>, parts: Parts): Artifact {
    const { name, file } = facts
    checkedName('artifact', name)
    // The renditions of table `x` are the files x.json, x.csv and x.parquet.
    for (const other of this.stored.values()) {
      const clashes =
        parse(other.file).name === parse(file).name && (other.rows !== null || facts.rows !== null)
      if (other.name !== name && clashes)
        throw new Error(`artifact ${name} would share files with ${other.name}`)
    }
    this.files.write(checkedName('artifact', file), parts)
    const artifact = { ...facts, ...measure(parts) }
    this.stored.set(name, artifact)
    return artifact
  }
}

function measure(parts: Parts): Pick<Artifact, 'size_bytes' | 'sha256'> {
  const hash = createHash('sha256')
  let size_bytes = 0
  for (const part of parts) {
    hash.update(part)
    size_bytes += part.length
  }
  return { size_bytes, sha256: hash.digest('hex') }
}

/** Where an artifact is, as stored. @param attempt the attempt that completed */
export function artifactPath(
  home: string,
  operationId: string,
  attempt: number,
  artifact: Pick<Artifact, 'file'>,
): string {
  return join(attemptFolder(home, operationId, attempt), checkedName('artifact', artifact.file))
}

/** One attempt of an operation and what it produced. */
type Producer = { readonly operation_id: string; readonly attempt: number }

/**
 * Makes the artifacts of a completed child those of its parent as well: the files are linked, not copied, and stay when
 * the child's go. Doing it again changes nothing.
 */
export async function adoptArtifacts(
  home: string,
  child: Producer & { readonly artifacts: readonly Artifact[] },
  parent: Producer,
): Promise<readonly Artifact[]> {
  const folder = attemptFolder(home, parent.operation_id, parent.attempt)
  await mkdir(folder, { recursive: true })
  await fetchFiles(
    home,
    child.artifacts.map(artifact => artifactPath(home, child.operation_id, child.attempt, artifact)),
  )
  for (const artifact of child.artifacts) {
    const target = artifactPath(home, parent.operation_id, parent.attempt, artifact)
    await rm(target, { force: true })
    await link(artifactPath(home, child.operation_id, child.attempt, artifact), target)
  }
  return child.artifacts
}

/** Removes what all attempts of an operation left. */
export async function removeArtifacts(home: string, operationId: string): Promise<void> {
  await removeBelow(home, artifactsFolder(home, operationId))
  await rm(artifactsFolder(home, operationId), { recursive: true, force: true })
}

/** Removes what the attempts other than `attempt` left. */
export async function keepAttempt(home: string, operationId: string, attempt: number): Promise<void> {
  const folder = artifactsFolder(home, operationId)
  await removeBelow(home, folder, attemptFolder(home, operationId, attempt))
  for (const name of await namesIn(folder)) {
    if (name !== String(attempt)) await rm(join(folder, name), { recursive: true, force: true })
  }
}
