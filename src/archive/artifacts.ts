import { hash } from 'node:crypto'
import { link, mkdir, rm } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { Artifact } from '../operations/operation.ts'
import { writeFileAtomicallySync } from './atomic.ts'
import { namesIn } from './folder.ts'
import { artifactsFolder, attemptFolder, checkedName } from './layout.ts'
import { encodeTable, type Table, tableMediaTypes } from './tables.ts'

/** What one attempt produces, from the worker's side. Nothing is visible before the operation completes. */
export class ArtifactFolder {
  private readonly folder: string
  private readonly published = new Map<string, Artifact>()

  constructor(home: string, operationId: string, attempt: number) {
    this.folder = attemptFolder(home, operationId, attempt)
  }

  /** Stores a table; clients read it in the format they like. @param name without extension, e.g. `trades` */
  table(name: string, table: Table): Artifact {
    if (name.includes('.')) throw new Error(`a table's name has no extension: ${name}`)
    const bytes = encodeTable(table)
    return this.store(
      { name, file: `${name}.arrow`, media_type: tableMediaTypes.arrow, rows: table.rows },
      bytes,
    )
  }

  /** Stores a file as it is. @param name with extension, e.g. `strategy.yaml` */
  file(name: string, bytes: Uint8Array, mediaType: string): Artifact {
    return this.store({ name, file: name, media_type: mediaType, rows: null }, bytes)
  }

  /** What was stored so far, in the order of first storing. */
  list(): readonly Artifact[] {
    return [...this.published.values()]
  }

  private store(facts: Omit<Artifact, 'size_bytes' | 'sha256'>, bytes: Uint8Array): Artifact {
    const { name, file } = facts
    checkedName('artifact', name)
    // The renditions of table `x` are the files x.json, x.csv and x.parquet.
    for (const other of this.published.values()) {
      const clashes =
        parse(other.file).name === parse(file).name && (other.rows !== null || facts.rows !== null)
      if (other.name !== name && clashes)
        throw new Error(`artifact ${name} would share files with ${other.name}`)
    }
    writeFileAtomicallySync(join(this.folder, checkedName('artifact', file)), bytes)
    const artifact = { ...facts, size_bytes: bytes.length, sha256: hash('sha256', bytes) }
    this.published.set(name, artifact)
    return artifact
  }
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
  for (const artifact of child.artifacts) {
    const target = artifactPath(home, parent.operation_id, parent.attempt, artifact)
    await rm(target, { force: true })
    await link(artifactPath(home, child.operation_id, child.attempt, artifact), target)
  }
  return child.artifacts
}

/** Removes what all attempts of an operation left. */
export async function removeArtifacts(home: string, operationId: string): Promise<void> {
  await rm(artifactsFolder(home, operationId), { recursive: true, force: true })
}

/** Removes what the attempts other than `attempt` left. */
export async function keepAttempt(home: string, operationId: string, attempt: number): Promise<void> {
  const folder = artifactsFolder(home, operationId)
  for (const name of await namesIn(folder)) {
    if (name !== String(attempt)) await rm(join(folder, name), { recursive: true, force: true })
  }
}
