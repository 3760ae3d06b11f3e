import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { databasePath } from '../../src/archive/layout.ts'
import { prepareDatabase } from '../../src/store/postgres/tables.ts'
import { filesIn } from '../../src/transfer/files.ts'
import { type BucketServer, startBucket, stopBuckets } from '../support/bucket.ts'
import { freshDatabase, stopPostgres, withPostgres } from '../support/postgres.ts'
import { newCluster, type Program, startNode, startProgram, stopPrograms } from '../support/program.ts'
import { begin, differences, everyRow, run } from './command.ts'
import { fillFolder } from './sample-store.ts'

const folders = mkdtempSync(join(tmpdir(), 'ktrdr-transfer-bucket-'))
const fresh = (name: string) => join(mkdtempSync(join(folders, 'x-')), name)
const filled = join(folders, 'filled')
/** A backup of it. */
const copy = join(folders, 'copy')
let bucket: BucketServer

afterAll(stopPrograms)
afterAll(stopBuckets)
afterAll(stopPostgres)
afterAll(() => rmSync(folders, { recursive: true, force: true }))

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function write(home: string, path: string, text: string, at: Date): void {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  utimesSync(join(home, path), at, at)
}

/** Beside the files of operations one of each kind that an archive holds, of some age, and more than are named at once. */
function addFiles(home: string): void {
  const bars = 'bars/ABC/1d'
  const some = {
    [`${bars}/manifest.json`]: '{"partitions":[]}',
    [`${bars}/versions/${sha256('a version')}.json`]: '{"segments":[]}',
    [`${bars}/segments/${sha256('bars')}.arrow`]: 'bars',
    [`strategy-versions/mine/${sha256('old')}.yaml`]: 'old',
    'models/mdl_1/manifest.json': '{}',
    'models/mdl_1/weights.safetensors': 'x'.repeat(3_000_000),
    'models/mdl_1/empty.bin': '',
    'artifacts/op_1/1/parts.journal': 'a journal, which grows elsewhere',
    'strategies/größe & co.txt': 'a name that is no key',
    ...Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`snapshots/${sha256(`${n}`)}.arrow`, `${n}`]),
    ),
  }
  for (const [n, [path, text]] of Object.entries(some).entries())
    write(home, path, text, new Date(1_600_000_000_000 + n * 86_400_123))
}

type Facts = Record<string, readonly [sha256: string, modified: number]>

/** Of every file, by path: its bytes and its age. */
async function factsOf(home: string): Promise<Facts> {
  const facts = (await filesIn(home)).map(path => {
    const at = join(home, path)
    return [path, [sha256(readFileSync(at)), Math.round(statSync(at).mtimeMs)]] as const
  })
  return Object.fromEntries(facts)
}

/** The rows of an SQL query. */
async function ask(url: string, sql: string): Promise<unknown[][]> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
  await client.end()
  return rows
}

/** An empty database and an empty place in the bucket, as variables. */
const emptyCluster = async () => {
  const { KTRDR_ARCHIVE_URL = '', ...more } = bucket.environment()
  return { ...more, KTRDR_ARCHIVE_URL, KTRDR_DATABASE_URL: await freshDatabase() }
}

/** Has a command wait for a lock, does something meanwhile, and lets it go on. */
async function whileWaiting(url: string, lock: string, meanwhile: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`begin; ${lock}`)
  const waiting = 'select count(*)::integer as n, pg_sleep(0.02) from pg_locks where not granted'
  while ((await client.query(waiting)).rows[0].n === 0);
  await client.query(`${meanwhile}; commit`)
  await client.end()
}

withPostgres(describe)('an archive in a bucket', () => {
  beforeAll(async () => {
    bucket = await startBucket()
    await fillFolder(filled, 200)
    addFiles(filled)
    expect(await run(['backup', copy], { KTRDR_HOME: filled })).toMatchObject({ code: 0 })
  })

  test('everything of one server goes into a bucket, into another and back, every value, every byte, every age', async () => {
    const [first, second, back] = [await emptyCluster(), await emptyCluster(), fresh('back')]
    const from = (url: string, archive: string) => ['--from', url, '--archive-from', archive]
    const to = (url: string, archive: string) => ['--to', url, '--archive-to', archive]
    const there = ['transfer', '--from', filled, '--to', 'environment']
    const arrived = await run(there, first)
    expect(arrived).toMatchObject({ code: 0 })
    expect(arrived.stdout).toMatch(/operations +200\n[\s\S]*verified/)
    // Done before, it changes nothing.
    const puts = bucket.front.puts.length
    expect(await run(there, first)).toMatchObject({ code: 0 })
    expect(bucket.front.puts.slice(puts).every(path => path.includes('/probe~'))).toBe(true)

    const across = [
      ...from(first.KTRDR_DATABASE_URL, first.KTRDR_ARCHIVE_URL),
      ...to(second.KTRDR_DATABASE_URL, second.KTRDR_ARCHIVE_URL),
    ]
    const { KTRDR_DATABASE_URL: url, ...rest } = second
    expect(await run(['transfer', ...across], rest)).toMatchObject({ code: 0 })
    expect(await run(['transfer', '--from', url, '--to', back], rest)).toMatchObject({ code: 0 })
    expect(differences(everyRow(databasePath(filled)), everyRow(databasePath(back)))).toEqual([])
    const [before, after] = [await factsOf(filled), await factsOf(back)]
    expect(Object.keys(before).length).toBeGreaterThan(75)
    expect(after).toEqual(before)
    expect(existsSync(join(back, 'transfer.unfinished.json'))).toBe(false)
  })

  test('a restore that was killed is refused by nodes and other commands, and goes on when it is run again', async () => {
    const target = await emptyCluster()
    const puts = bucket.front.puts.length
    const { child, ended } = begin(['restore', copy], target)
    // The objects of one batch, one of the next, and that of the look whether the bucket can be used.
    while (bucket.front.puts.length < puts + 66) {
      if (child.exitCode !== null) throw new Error(`it was over: ${(await ended).stderr}`)
      await new Promise(setImmediate)
    }
    child.kill('SIGKILL')
    expect((await ended).code).toBeNull()

    const url = target.KTRDR_DATABASE_URL
    await expect(startNode({ database: url, archive: target }, 'api')).rejects.toThrow(
      /s3:\/\/ktrdr\/\S+ at http\S+ was filled only in part: the restore from \S+copy did not finish\. Run the same command again/,
    )
    const other = await run(['transfer', '--from', filled, '--to', 'environment'], target)
    expect(other).toMatchObject({ code: 1, stdout: '' })
    expect(other.stderr).toMatch(/the restore from \S+copy did not finish\. Run that command again/)
    const half = await run(['backup', fresh('half')], target)
    expect([half.code, half.stderr]).toEqual([1, expect.stringMatching(/was filled only in part/)])

    const again = await run(['restore', copy], target)
    expect(again).toMatchObject({ code: 0 })
    expect(Number(/(\d+) of them were there already/.exec(again.stdout)?.[1])).toBeGreaterThan(50)
    const wanted = Object.entries(await factsOf(copy)).map(([path, [hash]]) => [path, hash])
    expect(await ask(url, 'select path, sha256 from ktrdr.archive_files order by path')).toEqual(wanted)
    expect(await ask(url, 'select count(*)::integer from ktrdr.operations')).toEqual([[200]])
  })

  test('a command and a node that begin at the same moment do not both go on', async () => {
    const target = await emptyCluster()
    const url = target.KTRDR_DATABASE_URL
    const move = ['transfer', '--from', filled, '--to', 'environment']
    await prepareDatabase(url)
    // The command has looked for nodes, and one comes before it says what it does.
    const moving = run(move, target)
    const node = `insert into ktrdr.nodes values ('node_1', 'alpha', 'all', '0', 1, '[]', '[]', 0, extract(epoch from clock_timestamp()) * 1000, false)`
    await whileWaiting(url, 'lock table ktrdr.archive_files in access exclusive mode', node)
    const { code, stderr } = await moving
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/nodes run on this database \(alpha\).*stop them/),
    ])
    expect(await ask(url, 'select path from ktrdr.archive_files')).toEqual([])
    // The node has seen an empty archive, and a command comes before it is known.
    const starting = startNode({ database: url, archive: target }, 'api')
    const mark = `insert into ktrdr.archive_files values ('transfer.unfinished.json', 'x', 1, null, '{"command":"restore","from":"monday"}', false, 1)`
    const lock = 'lock table ktrdr.nodes in share mode'
    await Promise.all([
      expect(starting).rejects.toThrow(/filled only in part: the restore from monday/),
      whileWaiting(url, lock, mark),
    ])
  })

  test('wrong places are refused with what to do, and nothing is left in them', async () => {
    const empty = await emptyCluster()
    const restore = ['restore', copy]
    const wrong: [RegExp, readonly string[], Record<string, string>][] = [
      [
        /s3:\/\/nothing\/x at \S+ does not exist .*make it first/,
        restore,
        { KTRDR_ARCHIVE_URL: 's3://nothing/x' },
      ],
      [
        /AWS_SECRET_ACCESS_KEY is not the key of.*Correct the environment/,
        ['backup', fresh('never')],
        { AWS_SECRET_ACCESS_KEY: 'swordfish' },
      ],
      [/no tables of ktrdr/, ['backup', fresh('never')], {}],
    ]
    for (const [message, args, environment] of wrong) {
      const { code, stderr } = await run(args, { ...empty, ...environment })
      expect([args, code, stderr]).toEqual([args, 1, expect.stringMatching(message)])
      expect(stderr).not.toContain('swordfish')
      if (args[0] === 'backup') expect(existsSync(args[1] ?? '')).toBe(false)
    }
    const url = empty.KTRDR_DATABASE_URL
    expect(await ask(url, "select to_regnamespace('ktrdr')")).toEqual([[null]])

    const old = fresh('old')
    await fillFolder(old, 10)
    const path = `bars/ABC/1d/${sha256('bars')}.arrow`
    write(old, path, 'bars', new Date())
    const older = await run(['transfer', '--from', old, '--to', 'environment'], empty)
    expect([older.code, older.stderr]).toEqual([
      1,
      expect.stringMatching(/older layout.*Start this ktrdr once/),
    ])
    expect(await ask(url, 'select path from ktrdr.archive_files')).toEqual([])
    rmSync(join(old, path))

    // A segment with other bytes than its name says is left out and told: the rest is worth more than nothing.
    const segment = `bars/ABC/1d/segments/${sha256('bars')}.arrow`
    write(old, segment, 'other bars', new Date())
    const partly = await run(['transfer', '--from', old, '--to', 'environment'], empty)
    expect(partly).toMatchObject({ code: 2 })
    expect(partly.stdout).toContain(`Warning: left out: ${segment} is damaged: its name is not its checksum.`)
    await ask(url, 'delete from ktrdr.operations returning 1')
    const full = await run(restore, empty)
    expect([full.code, full.stderr]).toEqual([
      1,
      expect.stringMatching(/s3:\S+ at \S+ is not empty: it holds \S+\. .*name a new database/),
    ])
    const mixed = await run([
      'transfer',
      '--from',
      filled,
      '--archive-from',
      's3://ktrdr/x',
      '--to',
      fresh('x'),
    ])
    expect([mixed.code, mixed.stderr]).toEqual([
      64,
      expect.stringContaining('only a database goes with a bucket'),
    ])
  })

  test('what no bucket is part of loads nothing of one', async () => {
    const hook = pathToFileURL(join(import.meta.dirname, '..', 'cluster', 'note-modules.mjs'))
    const list = fresh('modules')
    hook.searchParams.set('to', list)
    const environment = { NODE_OPTIONS: `--import=${hook.href}` }
    const url = await freshDatabase()
    const move = ['transfer', '--from', filled, '--to', url, '--archive-to', fresh('archive')]
    expect(await run(move, environment)).toMatchObject({ code: 0 })
    const loaded = readFileSync(list, 'utf8').split('\n')
    expect(loaded.some(url => url.includes('/node_modules/pg/'))).toBe(true)
    expect(loaded.filter(url => /aws4fetch|src\/bucket\//.test(url))).toEqual([])
  })
})

withPostgres(describe)('a backup of a running cluster whose archive is in a bucket', () => {
  const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  const yaml = { 'content-type': 'application/yaml', 'if-match': '*' }
  let node: Program
  let environment: Record<string, string>
  let tested: string
  beforeAll(async () => {
    bucket ??= await startBucket()
    const cluster = await newCluster(bucket.environment())
    environment = { KTRDR_DATABASE_URL: cluster.database, ...cluster.archive }
    node = await startNode(cluster, 'all')
    await node.end((await node.submit('data_download', download)).operation_id)
    const params = { strategy: 'sma_cross', symbol: 'AAPL', timeframe: '1d' }
    tested = (await node.submit('backtesting', params)).operation_id
    await node.end(tested)
  })

  const answersOf = async (program: Program) => ({
    operation: await program.operation(tested),
    trades: (await program.get(`/api/v1/operations/${tested}/artifacts/trades`)).text,
    bars: (await program.get('/api/v1/datasets/AAPL/1d', { accept: 'text/csv' })).text,
    versions: (await program.get('/api/v1/strategies/sma_cross/versions')).text,
  })

  test('restores into another bucket and into a folder to servers that answer the same and go on with the work', async () => {
    const text = (await node.get<string>('/api/v1/strategies/sma_cross', { accept: 'application/yaml' })).text
    const put = await node.request('PUT', '/api/v1/strategies/sma_cross', {
      raw: `${text}\n# mine\n`,
      headers: yaml,
    })
    expect(put.status).toBeLessThan(300)
    const exercise = { steps: 1_000_000, step_ms: 0.5, checkpoint_every: 2_000, metrics: 10 }
    const { operation_id: running } = await node.submit('exercise', exercise)
    await node.until(running, ({ checkpoint }) => checkpoint !== null)
    const copy = fresh('copy')
    bucket.front.refuses = (method, path) =>
      method === 'GET' && path.includes('/equity') ? [403, 'InvalidAccessKeyId'] : null
    const broken = await run(['backup', copy], environment)
    bucket.front.refuses = () => null
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringMatching(/GET of \S+ was answered 403/)])
    const backup = await run(['backup', copy], environment)
    expect(backup).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/[1-9] of them were there already/),
    })
    await node.cancel(running)
    await node.end(running)
    const before = await answersOf(node)
    expect(before.trades.length).toBeGreaterThan(1_000)

    const [elsewhere, home] = [await emptyCluster(), fresh('home')]
    for (const target of [elsewhere, { KTRDR_HOME: home }])
      expect(await run(['restore', copy], target)).toMatchObject({ code: 0 })
    const servers = await Promise.all([
      startNode({ database: elsewhere.KTRDR_DATABASE_URL, archive: elsewhere }, 'all'),
      startProgram({ KTRDR_DATABASE_URL: '', KTRDR_HOME: home }),
    ])
    for (const server of servers) {
      expect(await answersOf(server)).toEqual(before)
      const resumed = await server.until(running, ({ attempt }) => attempt > 1)
      expect(resumed).toMatchObject({ status: 'running', problem: null })
      await server.kill()
    }
  })

  test('names a file whose object is damaged or gone, with its key, and leaves it out', async () => {
    const [equity = '', trades = ''] = ['equity', 'trades'].map(
      name => bucket.objects(`${tested}/1/${name}`)[0],
    )
    truncateSync(equity, 10)
    rmSync(trades)
    const [copy, home] = [fresh('copy'), fresh('home')]
    const backup = await run(['backup', copy], environment)
    expect(backup).toMatchObject({ code: 2 })
    expect(backup.stderr).not.toContain('once more')
    const rows = await ask(
      environment.KTRDR_DATABASE_URL ?? '',
      `select path, object_key, size_bytes from ktrdr.archive_files where path ~ '${tested}/1/(equity|trades)' order by path`,
    )
    const faults = rows.map(([path, key, bytes], n) => {
      const fault = n === 0 ? `it has 10 bytes instead of ${bytes}` : 'its object is gone'
      return `left out: ${path} in the bucket of the archive is damaged: ${fault} (object ${key}).`
    })
    expect(faults).toHaveLength(2)
    const manifest = JSON.parse(readFileSync(join(copy, 'backup.json'), 'utf8'))
    expect(manifest.warnings.toSorted()).toEqual(faults)
    for (const fault of faults) expect(backup.stdout).toContain(`Warning: ${fault}`)
    const restored = await run(['restore', copy], { KTRDR_HOME: home })
    expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining(faults[0] ?? '') })
    const there = readdirSync(join(home, 'artifacts', tested, '1'))
    expect(there.filter(name => /^(equity|trades)/.test(name))).toEqual([])
    expect(there.length).toBeGreaterThan(0)
  })
})
