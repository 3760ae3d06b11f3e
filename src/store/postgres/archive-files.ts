import type { Row } from '../rows.ts'
import { archiveNowMs } from './archive-tables.ts'
import type { Reader } from './connection.ts'

/** A file of the archive, by its path below the archive's folder. */
export type ArchiveFile = {
  readonly path: string
  readonly sha256: string
  readonly size_bytes: number
  /** Epoch ms by the clock of the database. */
  readonly stored_at: number
} & (
  | { readonly object_key: string; readonly content: null }
  | { readonly object_key: null; readonly content: Uint8Array }
)

/** A file about to be named; its object, if it has one, was uploaded after `beginUploads`. */
export type NewArchiveFile = Omit<ArchiveFile, 'stored_at' | 'object_key' | 'content'> & {
  readonly object_key: string | null
  readonly content: Uint8Array | null
  /** Every node keeps it. */
  readonly everywhere: boolean
}

/** What changes in one step, or not at all. */
export type ArchiveChange = {
  readonly files: readonly NewArchiveFile[]
  /** Paths that must be there; they are as young as stored now afterwards. */
  readonly needs: readonly string[]
  /** The one file whose content decides whether anything is done. */
  readonly replace: {
    readonly path: string
    /** What it must hold now: a SHA-256, null for nothing. */
    readonly expected: string | null
    /** It shall not be there any more. */
    readonly gone: boolean
  } | null
  /** Paths that begin their time of grace anew, if they are there. */
  readonly touched: readonly string[]
}

/** `changed`: the file to replace is not what was expected. `swept`: something that is needed, or an upload, is gone. */
export type ChangeOutcome = 'stored' | 'changed' | 'swept'

/** Uploads that nobody named for so long belong to a killed node. */
const abandonedMs = 24 * 3_600_000

/**
 * The names of an archive in a bucket. Each change is one statement, and finds when it is repeated that it was done: a
 * connection may break before its answer.
 */
export class ArchiveFiles {
  readonly #reader: Reader

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** Rises with every change of a file that is kept everywhere. */
  async change(): Promise<number> {
    const [row] = await this.#reader.rows('select value from archive_change')
    return Number(row?.value)
  }

  /** The files that every node keeps. */
  async everywhere(): Promise<Pick<ArchiveFile, 'path' | 'sha256' | 'stored_at'>[]> {
    const rows = await this.#reader.rows('select path, sha256, stored_at from archive_files where everywhere')
    return rows.map(({ path, sha256, stored_at }) => ({
      path: String(path),
      sha256: String(sha256),
      stored_at: Number(stored_at),
    }))
  }

  /** Those of the paths that are there. */
  async find(paths: readonly string[]): Promise<ArchiveFile[]> {
    if (paths.length === 0) return []
    return (await this.#reader.rows('select * from archive_files where path = any (?)', [paths])).map(toFile)
  }

  /** Every file below a folder. */
  async below(folder: string): Promise<ArchiveFile[]> {
    const sql = "select * from archive_files where path >= ? || '/' and path < ? || '0' order by path"
    return (await this.#reader.rows(sql, [folder, folder])).map(toFile)
  }

  /** Of all files, sorted. */
  async paths(): Promise<string[]> {
    const rows = await this.#reader.rows('select path from archive_files order by path')
    return rows.map(({ path }) => String(path))
  }

  /** Every file of these bare names, in whatever folder. */
  async named(names: readonly string[]): Promise<ArchiveFile[]> {
    if (names.length === 0) return []
    const sql = "select * from archive_files where substring(path from '[^/]*$') = any (?)"
    return (await this.#reader.rows(sql, [names])).map(toFile)
  }

  /** Says that objects are going to be uploaded under these keys: what of them is not named in a day is deleted. */
  async beginUploads(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    await this.#reader.rows(
      `insert into archive_garbage (object_key, since) select key, ${archiveNowMs} from unnest(?::text[]) as k (key)
       on conflict do nothing`,
      [keys],
    )
  }

  /** Makes a change, all of it or nothing. */
  async store({ files, needs, replace, touched }: ArchiveChange): Promise<ChangeOutcome> {
    const listed = files.map(({ content, ...file }) => ({
      ...file,
      content: content === null ? null : Buffer.from(content).toString('base64'),
    }))
    const [row] = await this.#reader.rows(
      'select archive_store(?::jsonb, ?::text[], ?, ?, ?::boolean, ?::text[]) as outcome',
      [
        JSON.stringify(listed),
        needs,
        replace?.path ?? null,
        replace?.expected ?? null,
        replace?.gone ?? false,
        touched,
      ],
    )
    const outcome = row?.outcome
    if (outcome !== 'stored' && outcome !== 'changed' && outcome !== 'swept')
      throw new Error(`archive_store answered ${String(outcome)}`)
    return outcome
  }

  /** Gives files the age they have elsewhere. @param ages `stored_at` by path; only while no node runs */
  async date(ages: ReadonlyMap<string, number>): Promise<void> {
    await this.#reader.rows(
      `update archive_files set stored_at = age from unnest(?::text[], ?::bigint[]) as aged (name, age)
       where path = name`,
      [[...ages.keys()], [...ages.values()]],
    )
  }

  /** Takes names away. @param folder everything below it, except what is below `spared` */
  async remove(
    paths: readonly string[],
    folder: string | null = null,
    spared: string | null = null,
  ): Promise<void> {
    await this.#reader.rows('select archive_remove(?::text[], ?, ?)', [paths, folder, spared])
  }

  /**
   * Removes versions that are not the present one of their dataset nor in use, and segments that no version names,
   * those of them that nobody stored or pinned for `ageMs`.
   * @param inUse sha256 of the versions active operations have pinned  @returns how many segments
   */
  async sweepBars(inUse: readonly string[], ageMs: number): Promise<number> {
    const [row] = await this.#reader.rows('select archive_sweep_bars(?::text[], ?::bigint) as n', [
      inUse,
      ageMs,
    ])
    return Number(row?.n)
  }

  /** Removes the files of `snapshots` that are older than `ageMs` and not in use. @param inUse their sha256 */
  async sweepSnapshots(inUse: readonly string[], ageMs: number): Promise<void> {
    await this.#reader.rows('select archive_sweep_snapshots(?::text[], ?::bigint)', [inUse, ageMs])
  }

  /** Objects to delete: no file can be given them any more. @param limit of them  @param after the last key that was seen */
  async garbage(limit: number, after = ''): Promise<string[]> {
    await this.#reader.rows('select archive_doom_uploads(?::bigint)', [abandonedMs])
    const sql =
      'select object_key from archive_garbage where since = -1 and object_key > ? order by object_key limit ?'
    const rows = await this.#reader.rows(sql, [after, limit])
    return rows.map(row => String(row.object_key))
  }

  /** These objects were deleted. */
  async forgetGarbage(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    await this.#reader.rows('delete from archive_garbage where since = -1 and object_key = any (?)', [keys])
  }
}

function toFile(row: Row): ArchiveFile {
  const common = {
    path: String(row.path),
    sha256: String(row.sha256),
    size_bytes: Number(row.size_bytes),
    stored_at: Number(row.stored_at),
  }
  if (row.object_key !== null) return { ...common, object_key: String(row.object_key), content: null }
  const { content } = row as { content: unknown }
  if (!(content instanceof Uint8Array)) throw new Error(`${common.path} has no content`)
  return { ...common, object_key: null, content }
}
