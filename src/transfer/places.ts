import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isTemporary, makeFolder, syncFolder, temporaryPath } from '../archive/atomic.ts'
import { namesIn } from '../archive/folder.ts'
import { databasePath } from '../archive/layout.ts'
import type { Config } from '../config.ts'
import { lockDatabase, SqliteTables, SqliteTablesWriter } from '../store/sqlite/tables.ts'
import type { TableReader, TableWriter } from '../store/tables.ts'
import type { ArchivePlace } from './archives.ts'
import { Refusal } from './refusal.ts'

/** Where operations live, and where the files are that belong to them. */
export type Place = { readonly archive: ArchivePlace } & (
  | { readonly kind: 'folder'; readonly home: string }
  | { readonly kind: 'postgres'; readonly url: string }
)

/** The place that a server with this configuration uses. */
export function placeOf({ databaseUrl, home, archive, bucket }: Config): Place {
  const folder = { kind: 'folder', folder: archive } as const
  if (databaseUrl === null) return { kind: 'folder', home, archive: folder }
  const url = databaseUrl
  return {
    kind: 'postgres',
    url,
    archive: bucket === null ? folder : { kind: 'bucket', settings: bucket, url },
  }
}

/** Without the password. */
export function describePlace(place: Place): string {
  if (place.kind === 'folder') return place.home
  const { host, pathname } = new URL(place.url)
  return `postgres://${host}${pathname}`
}

export const isSamePlace = (one: Place, other: Place): boolean =>
  one.kind === 'folder' && other.kind === 'folder'
    ? resolve(one.home) === resolve(other.home)
    : one.kind === other.kind && describePlace(one) === describePlace(other)

/** Tables to read, until `close`. */
export type Source = { readonly reader: TableReader; close(): Promise<void> }

/** @param wanted `stopped`: refuse while a server runs there, and keep it from starting; `any`: read beside it */
export async function openSource(place: Place, wanted: 'stopped' | 'any'): Promise<Source> {
  if (place.kind === 'postgres') {
    const { PostgresTables, refuseRunningNodes } = await postgres()
    if (wanted === 'stopped') await refusing(place, () => refuseRunningNodes(place.url))
    const reader = await PostgresTables.open(place.url)
    return { reader, close: () => reader.close() }
  }
  const file = databasePath(place.home)
  if (!existsSync(file))
    throw new Refusal(
      `${place.home} holds no operations: there is no ${file}.`,
      'Name the data folder of a server.',
    )
  const release = wanted === 'stopped' ? await lockFolder(place.home) : () => undefined
  try {
    const reader = SqliteTables.open(file)
    return { reader, close: () => reader.close().finally(release) }
  } catch (error) {
    release()
    throw error
  }
}

/** A place that no server runs on, to be filled. */
export type Target = {
  /** What is there already; null when that is nothing. */
  readonly present: TableReader | null
  /** Begins to fill it. */
  readonly begin: () => Promise<TableWriter>
  readonly close: () => Promise<void>
}

/** Opens a place for filling, with everything that is needed made. @throws {Refusal} when a server runs on it */
export async function openTarget(place: Place): Promise<Target> {
  if (place.kind === 'folder') return openFolder(place.home)
  const { PostgresTables, PostgresTablesWriter, refuseRunningNodes, prepareDatabase } = await postgres()
  await refusing(place, async () => {
    await prepareDatabase(place.url)
    await refuseRunningNodes(place.url)
  })
  const present = await PostgresTables.open(place.url)
  const isEmpty = (await present.count('operations')) === 0
  if (isEmpty) await present.close()
  return {
    present: isEmpty ? null : present,
    begin: () => refusing(place, () => PostgresTablesWriter.open(place.url)),
    close: () => present.close(),
  }
}

async function openFolder(home: string): Promise<Target> {
  await makeFolder(home)
  const release = await lockFolder(home)
  try {
    for (const name of await namesIn(home)) if (isTemporary(name)) await rm(join(home, name), { force: true })
    const present = await presentIn(databasePath(home))
    return {
      present,
      begin: async () => new FolderWriter(databasePath(home)),
      close: async () => {
        await present?.close()
        release()
      },
    }
  } catch (error) {
    release()
    throw error
  }
}

async function presentIn(file: string): Promise<TableReader | null> {
  if (!existsSync(file)) return null
  const reader = SqliteTables.open(file)
  if ((await reader.count('operations')) > 0) return reader
  await reader.close()
  return null
}

/** Fills a file under another name; the commit gives it its own. */
export class FolderWriter extends SqliteTablesWriter {
  readonly #temporary: string
  readonly #file: string

  /** @param file of the database */
  constructor(file: string) {
    const temporary = temporaryPath(file)
    super(temporary)
    this.#temporary = temporary
    this.#file = file
  }

  override async commit(): Promise<void> {
    await super.commit()
    await publishDatabase(this.#temporary, this.#file)
  }

  override async close(): Promise<void> {
    await super.close()
    await rm(this.#temporary, { force: true })
  }
}

/** Gives a finished file the name of the database, so that it survives a power cut. */
async function publishDatabase(temporary: string, file: string): Promise<void> {
  const handle = await open(temporary, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  // The log of an empty database that lay here would be taken for the new one's.
  for (const rest of ['-wal', '-shm']) await rm(`${file}${rest}`, { force: true })
  await rename(temporary, file)
  await syncFolder(join(file, '..'))
}

async function lockFolder(home: string): Promise<() => void> {
  try {
    return lockDatabase(databasePath(home))
  } catch {
    throw new Refusal(
      `A server runs on ${home}, or another command works on it.`,
      'Stop it, then run the command again.',
    )
  }
}

/** Loaded only when a place is one. */
const postgres = () => import('../store/postgres/tables.ts')

async function refusing<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(
      `${describePlace(place)}: ${error instanceof Error ? error.message : String(error)}`,
      'Check the address, that Postgres runs, and that the user may use the database.',
    )
  }
}
