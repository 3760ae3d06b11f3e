import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from '@jest/globals'
import { outcomeOfError } from '../../src/execution/failures.ts'
import { answerProblem } from '../../src/http/problem-response.ts'
import { Problem } from '../../src/problems.ts'
import { asProblem } from '../../src/system-problems.ts'
import { filesIn } from '../archive/folder.ts'
import { type Problem as ProblemBody, type Program, startProgram, stopPrograms } from '../support/program.ts'

const systemError = (code: string) => Object.assign(new Error(`${code}: it failed, write`), { code })

const mounted: { readonly folder: string; readonly program: Program | null }[] = []
afterAll(async () => {
  for (const { folder, program } of mounted) {
    await program?.kill()
    spawnSync('umount', [folder])
  }
  await stopPrograms()
})

const mount = (folder: string, options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder]).status === 0

/** Only root may, and not in every container. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'ktrdr-disk-'))
  const isMounted = process.platform === 'linux' && mount(folder, 'size=64k')
  if (isMounted) mounted.push({ folder, program: null })
  return isMounted
}

const csv = (days: number, price: number): string =>
  `time,open,high,low,close\n${Array.from({ length: days }, (_, day) => {
    const date = new Date(Date.UTC(2000, 0, 1 + day)).toISOString()
    return `${date},${price},${price},${price},${price}\n`
  }).join('')}`

/** A server whose bars lie on a disk of their own, of 64 KiB until it grows. */
async function startOnSmallDisk() {
  const program = await startProgram()
  const folder = join(program.home, 'bars')
  if (!mount(folder, 'size=64k')) throw new Error('the disk cannot be mounted')
  mounted.push({ folder, program })
  const put = (symbol: string, body: string) =>
    program.request<ProblemBody>('PUT', `/api/v1/datasets/${symbol}/1d?calendar=24-7`, {
      raw: body,
      headers: { 'content-type': 'text/csv' },
    })
  const stored = async () => (await program.get('/api/v1/datasets/OLD/1d', { accept: 'text/csv' })).text
  const grow = () => expect(mount(folder, 'remount,size=16m')).toBe(true)
  return { program, folder, put, stored, grow }
}

const onDisk = canMount() ? test : test.skip

onDisk(
  'what a full disk does not take is refused as such, costs nothing stored, and can be tried again',
  async () => {
    const { program, folder, put, stored, grow } = await startOnSmallDisk()
    expect((await put('OLD', csv(100, 7))).status).toBe(201)
    const [before, files] = [await stored(), filesIn(folder)]
    const refused = await put('NEW', csv(3_000, 1))
    expect([refused.status, refused.body]).toEqual([
      507,
      expect.objectContaining({
        code: 'storage-full',
        retryable: true,
        hint: expect.stringMatching(/KTRDR_HOME/),
      }),
    ])
    const params = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
    const { operation_id: id } = await program.submit('data_download', params)
    expect(await program.end(id)).toMatchObject({ status: 'failed', problem: { code: 'storage-full' } })
    expect(filesIn(folder)).toEqual(files)
    expect(await stored()).toBe(before)
    grow()
    expect((await put('NEW', csv(3_000, 1))).status).toBe(201)
    expect((await program.request('POST', `/api/v1/operations/${id}/retry`)).status).toBe(202)
    expect((await program.end(id)).status).toBe('completed')
  },
)

onDisk('a dataset can be deleted from a full disk', async () => {
  const { program, put } = await startOnSmallDisk()
  expect((await put('OLD', csv(100, 7))).status).toBe(201)
  expect((await put('NEW', csv(3_000, 1))).status).toBe(507)
  expect((await program.request('DELETE', '/api/v1/datasets/OLD/1d')).status).toBe(204)
})

test('what disk and database say of a full disk is an expected failure, and nothing else is', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS'])
    expect(asProblem(systemError(code))).toMatchObject({ code: 'storage-full', hint: expect.any(String) })
  const database = new DatabaseSync(':memory:')
  database.exec('create table t (bytes blob); pragma max_page_count = 4')
  const failureOf = (sql: string): unknown => {
    try {
      return database.exec(sql)
    } catch (error) {
      return error
    }
  }
  expect(asProblem(failureOf('insert into t values (zeroblob(100000))'))?.code).toBe('storage-full')
  expect(asProblem(failureOf('insert into nowhere values (1)'))).toBeNull()
  for (const bug of [systemError('ENOENT'), new TypeError('x'), 'ENOSPC', null, undefined])
    expect(asProblem(bug)).toBeNull()
  const problem = new Problem('bars-missing', 'none')
  expect(asProblem(problem)).toBe(problem)
})

test('a route that meets a full disk answers 507 and tells the operator; a worker thread fails with the same', () => {
  const logged: string[] = []
  const write = (event: string) => logged.push(event)
  const log = { debug: write, info: write, warn: write, error: write }
  const request = { requestId: 'r', url: '/api/v1/operations?x=1', method: 'POST' }
  const answer = answerProblem(systemError('ENOSPC'), request, log)
  expect(answer).toMatchObject({
    status: 507,
    body: { code: 'storage-full', instance: '/api/v1/operations' },
  })
  expect(logged).toEqual(['http.storage_full'])
  expect(outcomeOfError(systemError('EDQUOT'), null, { timeoutMs: 1 })).toMatchObject({
    kind: 'failed',
    problem: { code: 'storage-full' },
  })
})
