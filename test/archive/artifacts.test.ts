import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { ArtifactFolder, artifactPath, keepAttempt, removeArtifacts } from '../../src/archive/artifacts.ts'
import { barsTable } from '../../src/archive/bars.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import { makeBars, makeHome, operationId } from './folder.ts'

test('a stored table and a stored file are listed with size and checksum, and read back', async () => {
  const home = makeHome()
  const folder = new ArtifactFolder(home, operationId, 1)
  const table = folder.table('trades', barsTable(makeBars(5)))
  const file = folder.file('strategy.yaml', Buffer.from('name: x'), 'application/yaml')
  expect(await folder.publish()).toEqual([table, file])
  expect(table).toMatchObject({
    file: 'trades.arrow',
    media_type: 'application/vnd.apache.arrow.file',
    rows: 5,
  })
  expect(file).toMatchObject({
    file: 'strategy.yaml',
    media_type: 'application/yaml',
    rows: null,
    size_bytes: 7,
  })
  expect(decodeTable(readFileSync(artifactPath(home, operationId, 1, table))).rows).toBe(5)
  expect(readFileSync(artifactPath(home, operationId, 1, file), 'utf8')).toBe('name: x')
})

test('what is stored again under its name replaces what was stored before, and keeps its place', async () => {
  const home = makeHome()
  const folder = new ArtifactFolder(home, operationId, 1)
  folder.file('a.txt', Buffer.from('one'), 'text/plain')
  const other = folder.file('b.txt', Buffer.from('two'), 'text/plain')
  const again = folder.file('a.txt', Buffer.from('three'), 'text/plain')
  expect(await folder.publish()).toEqual([again, other])
  expect(readFileSync(artifactPath(home, operationId, 1, again), 'utf8')).toBe('three')
})

test('no file has its name before all are published, and nothing is left of what was discarded', async () => {
  const home = makeHome()
  const folder = new ArtifactFolder(home, operationId, 1)
  const table = folder.table('trades', barsTable(makeBars(50_000)))
  const path = artifactPath(home, operationId, 1, table)
  await new Promise(resolve => setImmediate(resolve))
  expect(existsSync(path)).toBe(false)
  await folder.discard()
  expect(readdirSync(dirname(path))).toEqual([])
  folder.table('trades', barsTable(makeBars(50_000)))
  await folder.publish()
  await folder.discard()
  expect(readdirSync(dirname(path))).toEqual(['trades.arrow'])
})

const onUnix = process.platform === 'win32' ? test.skip : test

onUnix('a file that cannot be written fails the publication, and no other gets its name', () => {
  const program = fileURLToPath(new URL('./storing-process.ts', import.meta.url))
  // No file of this process may be longer than 64 blocks, 32 or 64 KiB.
  const limited = 'trap "" XFSZ; ulimit -f 64; exec "$0" "$@"'
  const { stdout } = spawnSync('sh', ['-c', limited, process.execPath, program, makeHome(), operationId])
  expect(JSON.parse(stdout.toString())).toEqual({ failed: 'EFBIG', named: [], left: [] })
})

test('names that are paths, and names whose files would clash, are refused', () => {
  const folder = new ArtifactFolder(makeHome(), operationId, 1)
  folder.table('trades', barsTable(makeBars(1)))
  for (const name of ['../x', 'a/b', '.x', 'X.yaml', '..', 'trades.json']) {
    expect(() => folder.file(name, Buffer.from(''), 'text/plain')).toThrow()
  }
})

test('keeping an attempt removes the others, and removing an operation removes all', async () => {
  const home = makeHome()
  const paths: string[] = []
  for (const attempt of [1, 2]) {
    const folder = new ArtifactFolder(home, operationId, attempt)
    const artifact = folder.file('a.txt', Buffer.from('x'), 'text/plain')
    await folder.publish()
    paths.push(artifactPath(home, operationId, attempt, artifact))
  }
  await keepAttempt(home, operationId, 2)
  expect(paths.map(path => existsSync(path))).toEqual([false, true])
  await removeArtifacts(home, operationId)
  await removeArtifacts(home, operationId)
  await keepAttempt(home, operationId, 2)
  expect(paths.map(path => existsSync(path))).toEqual([false, false])
})
