import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { ArtifactFolder, artifactPath, keepAttempt, removeArtifacts } from '../../src/archive/artifacts.ts'
import { barsTable } from '../../src/archive/bars.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import { makeBars, makeHome, operationId } from './folder.ts'

test('a stored table and a stored file are listed with size and checksum, and read back', () => {
  const home = makeHome()
  const folder = new ArtifactFolder(home, operationId, 1)
  const table = folder.table('trades', barsTable(makeBars(5)))
  const file = folder.file('strategy.yaml', Buffer.from('name: x'), 'application/yaml')
  expect(folder.list()).toEqual([table, file])
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

test('names that are paths, and names whose files would clash, are refused', () => {
  const folder = new ArtifactFolder(makeHome(), operationId, 1)
  folder.table('trades', barsTable(makeBars(1)))
  for (const name of ['../x', 'a/b', '.x', 'X.yaml', '..', 'trades.json']) {
    expect(() => folder.file(name, Buffer.from(''), 'text/plain')).toThrow()
  }
})

test('keeping an attempt removes the others, and removing an operation removes all', async () => {
  const home = makeHome()
  const paths = [1, 2].map(attempt => {
    const artifact = new ArtifactFolder(home, operationId, attempt).file(
      'a.txt',
      Buffer.from('x'),
      'text/plain',
    )
    return artifactPath(home, operationId, attempt, artifact)
  })
  await keepAttempt(home, operationId, 2)
  expect(paths.map(path => existsSync(path))).toEqual([false, true])
  await removeArtifacts(home, operationId)
  await removeArtifacts(home, operationId)
  await keepAttempt(home, operationId, 2)
  expect(paths.map(path => existsSync(path))).toEqual([false, false])
})
