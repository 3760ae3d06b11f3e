import {
  type CopiedTable,
  copiedTables,
  digestOf,
  nodeColumns,
  type TableDigest,
  TableHash,
  type TableReader,
  type TableWriter,
} from '../store/tables.ts'
import type { NamedFiles } from './named-files.ts'
import type { Progress } from './progress.ts'
import { Refusal } from './refusal.ts'

export type RowCounts = Readonly<Record<CopiedTable, number>>

/**
 * Copies every row of every table, reads the copy back, and commits only if both are the same to the last value.
 * @param begin opens an empty target  @returns how many rows each table has
 */
export async function copyRows(
  reader: TableReader,
  begin: () => Promise<TableWriter>,
  { progress, named }: { readonly progress: Progress; readonly named: NamedFiles },
): Promise<RowCounts> {
  const writer = await begin()
  try {
    const counts = await eachTable(async table => {
      const columns = await sharedColumns(table, reader, writer)
      const total = await reader.count(table)
      const hash = new TableHash()
      for await (const rows of reader.rows(table, columns)) {
        hash.add(rows)
        if (table === 'operations') named.add(columns, rows)
        await writer.write(table, columns, rows)
        progress.count(table, hash.rows, total)
      }
      const written = hash.digest()
      if (written.rows !== total)
        throw new Error(`of ${total} rows of ${table} only ${written.rows} were found`)
      assertSame(table, written, await digestOf(writer, table, columns))
      return written.rows
    })
    await writer.commit()
    return counts
  } catch (error) {
    await writer.close()
    throw error
  } finally {
    progress.end()
  }
}

function assertSame(table: CopiedTable, written: TableDigest, read: TableDigest): void {
  if (written.sha256 === read.sha256) return
  throw new Error(`${table} does not read back as it was written; nothing was kept`)
}

/**
 * Makes sure that a target which is not empty holds exactly the rows of the source: a command that was interrupted after
 * its commit may be run again.
 * @throws {Refusal} when it holds others
 */
export async function comparePresent(
  reader: TableReader,
  present: TableReader,
  progress: Progress,
): Promise<RowCounts> {
  progress.say('The target holds operations: comparing them with those of the source')
  return eachTable(async table => {
    const columns = await sharedColumns(table, reader, present)
    const [wanted, found] = [await digestOf(reader, table, columns), await digestOf(present, table, columns)]
    if (wanted.sha256 !== found.sha256)
      throw new Refusal(
        `The target is not empty: it holds ${await present.count('operations')} operations, and other ones than the source.`,
        'Choose an empty data folder or database.',
      )
    return wanted.rows
  })
}

/** By name, so that the order of a database does not matter. */
async function sharedColumns(
  table: CopiedTable,
  one: TableReader,
  other: TableReader,
): Promise<readonly string[]> {
  const [left, right] = await Promise.all([one.columns(table), other.columns(table)])
  const isCopied = (name: string) => !nodeColumns.includes(name)
  const copied = left.filter(isCopied)
  const different = [
    ...copied.filter(name => !right.includes(name)),
    ...right.filter(name => isCopied(name) && !left.includes(name)),
  ]
  if (copied.length === 0 || different.length > 0)
    throw new Refusal(
      `The table ${table} has other columns in the source than in the target: ${different.join(', ')}.`,
      'Start this ktrdr once on both and stop it again, so that both have its schema.',
    )
  return copied.toSorted()
}

async function eachTable(work: (table: CopiedTable) => Promise<number>): Promise<RowCounts> {
  const counts: [CopiedTable, number][] = []
  for (const table of copiedTables) counts.push([table, await work(table)])
  return Object.fromEntries(counts) as RowCounts
}
