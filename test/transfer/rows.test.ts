import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { databasePath } from '../../src/archive/layout.ts'
import { systemClock } from '../../src/clock.ts'
import { SqliteTables } from '../../src/store/sqlite/tables.ts'
import type { CopiedRow, CopiedTable } from '../../src/store/tables.ts'
import { NamedFiles } from '../../src/transfer/named-files.ts'
import { FolderWriter } from '../../src/transfer/places.ts'
import { Progress } from '../../src/transfer/progress.ts'
import { copyRows } from '../../src/transfer/rows.ts'
import { markUnfinished, refuseUnfinished } from '../../src/transfer/unfinished.ts'
import { differences, everyRow } from './command.ts'
import { fillFolder } from './sample-store.ts'

const folders = mkdtempSync(join(tmpdir(), 'ktrdr-rows-'))
afterAll(() => rmSync(folders, { recursive: true, force: true }))

/** A database that keeps a little less than it was given. */
class Forgetful extends FolderWriter {
  override write(table: CopiedTable, columns: readonly string[], rows: readonly CopiedRow[]): Promise<void> {
    const at = columns.indexOf('message')
    return super.write(
      table,
      columns,
      rows.map(row => row.map((cell, index) => (index === at ? String(cell).slice(0, 3) : cell))),
    )
  }
}

const tools = { progress: new Progress({ write: () => true }, systemClock), named: new NamedFiles() }

test('a copy that does not read back as it was written is not kept', async () => {
  const home = join(folders, 'source')
  await fillFolder(home, 60)
  const target = join(mkdtempSync(join(folders, 'target-')), 'ktrdr.sqlite')
  const reader = SqliteTables.open(databasePath(home))
  await expect(copyRows(reader, async () => new Forgetful(target), tools)).rejects.toThrow(
    'logs does not read back as it was written; nothing was kept',
  )
  expect(readdirSync(join(target, '..'))).toEqual([])
  expect(await copyRows(reader, async () => new FolderWriter(target), tools)).toMatchObject({
    operations: 60,
  })
  expect(differences(everyRow(target), everyRow(databasePath(home)))).toEqual([])
  await reader.close()
})

test('a database of a newer ktrdr, and one that is missing, are not read', async () => {
  const file = join(mkdtempSync(join(folders, 'newer-')), 'ktrdr.sqlite')
  expect(() => SqliteTables.open(file)).toThrow('there is no')
  expect(existsSync(file)).toBe(false)
  const writer = new FolderWriter(file)
  await writer.commit()
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(file)
  database.exec('pragma user_version = 999')
  database.close()
  expect(() => SqliteTables.open(file)).toThrow(/has schema 999.*use the newer ktrdr/)
})

test('a folder that was filled in part is refused with what to do, any other is not', async () => {
  const folder = mkdtempSync(join(folders, 'part-'))
  expect(() => refuseUnfinished(folder)).not.toThrow()
  expect(() => refuseUnfinished(join(folder, 'missing'))).not.toThrow()
  await markUnfinished(folder, { command: 'restore', from: '/backups/monday' })
  expect(() => refuseUnfinished(folder)).toThrow(
    /filled only in part: the restore from \/backups\/monday did not finish\. Run the same command again/,
  )
})
