import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { createLayout, databasePath } from '../../src/archive/layout.ts'
import { prepareDatabase } from '../../src/store/postgres/tables.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { readUnfinished } from '../../src/transfer/unfinished.ts'
import { newOperation } from '../store/new-operation.ts'
import { freshDatabase, stopPostgres, withPostgres } from '../support/postgres.ts'
import { startProgram, stopPrograms } from '../support/program.ts'
import { begin, differences, everyRow, run } from './command.ts'
import { fillFolder } from './sample-store.ts'

const folders = mkdtempSync(join(tmpdir(), 'ktrdr-transfer-'))
const filled = join(folders, 'filled')
const few = join(folders, 'few')
const fewer = join(folders, 'fewer')

beforeAll(async () => {
  await fillFolder(filled, 10_000)
  await fillFolder(few, 40)
  await fillFolder(fewer, 30)
})

afterAll(async () => {
  await stopPrograms()
  await stopPostgres()
  rmSync(folders, { recursive: true, force: true })
})

/** One value of one row of an SQL query. */
async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query({ text: sql, rowMode: 'array' })
  await client.end()
  return rows[0]?.[0]
}

/** Holds a lock, so that a command has to wait for it after half of its tables, and kills it there. */
async function killWhenWaiting(url: string, lock: string, args: readonly string[]): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`begin; ${lock}`)
  const { child, ended } = begin(args)
  const waiting = 'select count(*)::integer as n, pg_sleep(0.02) from pg_locks where not granted'
  while ((await client.query(waiting)).rows[0].n === 0)
    if (child.exitCode !== null) throw new Error(`it ended before it was killed: ${(await ended).stderr}`)
  child.kill('SIGKILL')
  await ended
  await client.end()
}

const transfer = (from: string, to: string, ...more: string[]) => [
  'transfer',
  '--from',
  from,
  '--to',
  to,
  ...more,
]

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /^(artifacts|checkpoints|strategies)\/.*\.\w+$/.test(name))
    .sort()

withPostgres(describe)('transfer between SQLite and Postgres', () => {
  test('10,000 operations go there and back with every value and every file, killed in the middle each way and run again', async () => {
    const url = await freshDatabase()
    const archive = join(folders, 'archive')
    const there = transfer(filled, url, '--archive-to', archive)
    await prepareDatabase(url)
    await killWhenWaiting(url, 'lock table ktrdr.logs in share mode', there)
    expect(await ask(url, 'select count(*)::integer from ktrdr.operations')).toBe(0)
    expect(readUnfinished(archive)).toMatchObject({ command: 'transfer' })
    const arrived = await run(there)
    expect(arrived).toMatchObject({ code: 0 })
    expect(arrived.stdout).toMatch(/operations +10,000\n[\s\S]*verified/)
    expect(await ask(url, 'select count(*)::integer from ktrdr.operations')).toBe(10_000)
    expect(readUnfinished(archive)).toBeNull()

    const home = join(folders, 'back')
    const back = transfer(url, home, '--archive-from', archive)
    await killWhenWaiting(url, 'lock table ktrdr.logs in access exclusive mode', back)
    expect(readdirSync(home)).toContainEqual(expect.stringMatching(/\.tmp$/))
    expect(readdirSync(home)).not.toContain('ktrdr.sqlite')
    expect(await run(back)).toMatchObject({ code: 0 })
    const [before, after] = [everyRow(databasePath(filled)), everyRow(databasePath(home))]
    expect(differences(before, after)).toEqual([])
    expect(Object.values(before).map(rows => rows.length)).toEqual([10_000, 14_000, 14_000, 2_667])
    expect(filesOf(home)).toEqual(filesOf(filled))
    expect(filesOf(home).length).toBeGreaterThan(50)
    expect(readdirSync(home).filter(name => name.endsWith('.tmp'))).toEqual([])
  }, 180_000)

  test('in Postgres the changes go on after the newest one, and counts are those of the rows', async () => {
    const url = await freshDatabase()
    await run(transfer(few, url, '--archive-to', join(folders, 'archive-few')))
    const newest = everyRow(databasePath(few)).operations?.map(row => Number(row.change_seq)) ?? []
    expect(Number(await ask(url, 'select value from ktrdr.change_counter'))).toBe(Math.max(...newest))
    const counted = `select type, status, is_child, generation, n from ktrdr.operation_counts`
    const real = `select type, status, (parent_operation_id is not null)::integer, generation, count(*) from ktrdr.operations group by 1, 2, 3, 4`
    expect(Number(await ask(url, 'select sum(n) from ktrdr.operation_counts'))).toBe(40)
    expect(await ask(url, `select count(*)::integer from (${real} except ${counted}) x`)).toBe(0)
    expect(await ask(url, 'select count(*)::integer from ktrdr.operations where job_id is not null')).toBe(0)
  })

  test('children with ids before that of their parent arrive, and a NUL becomes what stands for it', async () => {
    const [home, url] = [join(folders, 'disorder'), await freshDatabase()]
    createLayout(home)
    const store = SqliteStore.open(databasePath(home))
    const id = (letter: string) => `op_01JD0Q4Z5N3V8K2M7P6R00000${letter}`
    const options = { idempotency: null, queueMax: 10 }
    await store.create(newOperation({ operation_id: id('Z') }), options)
    await store.claim('a node', ['exercise'], 1)
    await store.appendLogs(id('Z'), 1, [{ at: 1, level: 'info', message: 'a\0b' }])
    const child = { operation_id: id('A'), parent_operation_id: id('Z'), child_index: 0 }
    await store.createChildren(id('Z'), 1, [newOperation(child)])
    await store.close()
    expect(await run(transfer(home, url, '--archive-to', home))).toMatchObject({ code: 0 })
    expect(await ask(url, `select parent_operation_id from ktrdr.operations where child_index = 0`)).toBe(
      id('Z'),
    )
    expect(await ask(url, 'select message from ktrdr.logs')).toBe('a\ufffdb')
    expect(await run(transfer(home, url, '--archive-to', home))).toMatchObject({ code: 0 })
  })

  test('run again after its end it changes nothing; with other operations there it is refused', async () => {
    const url = await freshDatabase()
    const archive = join(folders, 'archive-again')
    const args = transfer(few, url, '--archive-to', archive)
    await run(args)
    expect(await run(args)).toMatchObject({ code: 0 })
    const other = await run(transfer(fewer, url, '--archive-to', archive))
    expect(other).toMatchObject({ code: 1, stdout: '' })
    expect(other.stderr).toMatch(/holds 40 operations.*Choose an empty/)
    expect(await ask(url, 'select count(*)::integer from ktrdr.operations')).toBe(40)
  })

  test('what a killed server left running is finished by a node of the cluster, and comes back as it ended', async () => {
    const [url, home, back] = [await freshDatabase(), join(folders, 'server'), join(folders, 'server-back')]
    const alone = await startProgram({ KTRDR_DATABASE_URL: '', KTRDR_HOME: home, KTRDR_THREADS: '1' })
    const params = { steps: 3_000, step_ms: 0.5, checkpoint_every: 100, metrics: 500 }
    const running = await alone.submit('exercise', params)
    await alone.until(running.operation_id, ({ checkpoint }) => checkpoint !== null)
    await alone.kill()
    expect(await run(transfer(home, url, '--archive-to', home))).toMatchObject({ code: 0 })

    const node = await startProgram({ KTRDR_DATABASE_URL: url, KTRDR_HOME: home })
    const finished = await node.end(running.operation_id)
    expect(finished).toMatchObject({ status: 'completed', attempt: 2 })
    await node.signal('SIGTERM')
    expect(await run(transfer(url, back, '--archive-from', home))).toMatchObject({ code: 0 })
    const again = await startProgram({ KTRDR_DATABASE_URL: '', KTRDR_HOME: back })
    expect(await again.operation(running.operation_id)).toEqual(finished)
  })

  test('a backup of Postgres is a data folder, and restores into another database', async () => {
    const [url, another] = [await freshDatabase(), await freshDatabase()]
    const archive = join(folders, 'archive-backup')
    const backup = join(folders, 'backup')
    await run(transfer(few, url, '--archive-to', archive))
    const environment = { KTRDR_DATABASE_URL: url, KTRDR_ARCHIVE_URL: `file://${archive}` }
    expect(await run(['backup', backup], environment)).toMatchObject({ code: 0 })
    expect(differences(everyRow(databasePath(backup)), everyRow(databasePath(few)))).toEqual([])
    const elsewhere = {
      KTRDR_DATABASE_URL: another,
      KTRDR_ARCHIVE_URL: `file://${join(folders, 'archive-restored')}`,
    }
    expect(await run(['restore', backup], elsewhere)).toMatchObject({ code: 0 })
    expect(await ask(another, 'select count(*)::integer from ktrdr.operations')).toBe(40)
  })

  test('a database that a node runs on is refused', async () => {
    const url = await freshDatabase()
    await run(transfer(few, url, '--archive-to', join(folders, 'archive-busy')))
    await ask(
      url,
      `insert into ktrdr.nodes values ('node_1', 'alpha', 'all', '0', 1, '[]', '[]', 0, extract(epoch from clock_timestamp()) * 1000, false) returning 1`,
    )
    const refused = await run(transfer(url, join(folders, 'never'), '--archive-from', few))
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toMatch(/nodes run on this database \(alpha\).*stop them/)
  })

  test('a database without operations of ktrdr, and one that is not there, are refused', async () => {
    const empty = await run(transfer(await freshDatabase(), join(folders, 'never'), '--archive-from', few))
    expect(empty).toMatchObject({ code: 1 })
    expect(empty.stderr).toContain('no tables of ktrdr')
    const url = 'postgres://somebody:secret-word@127.0.0.1:1/nothing'
    const gone = await run(transfer(few, url, '--archive-to', join(folders, 'never')))
    expect(gone).toMatchObject({ code: 1 })
    expect(gone.stderr).toMatch(/postgres:\/\/127.0.0.1:1\/nothing.*Check the address/)
    expect(gone.stderr).not.toContain('secret-word')
  })
})
