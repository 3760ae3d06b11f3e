import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { writeFileAtomically, writeFileAtomicallySync } from '../../src/archive/atomic.ts'
import {
  artifactsFolder,
  attemptFolder,
  checkpointsFolder,
  datasetFolder,
  snapshotPath,
} from '../../src/archive/layout.ts'
import { makeHome, operationId } from './folder.ts'

test('a written file is whole, private, and alone in its folder', async () => {
  const home = makeHome()
  await writeFileAtomically(join(home, 'new', 'deep', 'a'), Buffer.from('first'))
  await writeFileAtomically(join(home, 'new', 'deep', 'a'), Buffer.from('second'))
  writeFileAtomicallySync(join(home, 'new', 'other', 'b'), Buffer.from('third'))
  expect(readFileSync(join(home, 'new', 'deep', 'a'), 'utf8')).toBe('second')
  expect(readFileSync(join(home, 'new', 'other', 'b'), 'utf8')).toBe('third')
  expect(readdirSync(join(home, 'new', 'deep'))).toEqual(['a'])
  expect(statSync(join(home, 'new', 'deep', 'a')).mode & 0o077).toBe(0)
  expect(statSync(home).mode & 0o077).toBe(0)
})

test('a write that fails leaves the old file and no temporary one', async () => {
  const home = makeHome()
  mkdirSync(join(home, 'taken', 'inside'), { recursive: true })
  await expect(writeFileAtomically(join(home, 'taken'), Buffer.from('x'))).rejects.toThrow()
  expect(() => writeFileAtomicallySync(join(home, 'taken'), Buffer.from('x'))).toThrow()
  expect(readdirSync(home).filter(name => name.includes('taken'))).toEqual(['taken'])
})

test('names that are paths never become part of one', () => {
  for (const name of [
    '..',
    '../x',
    'a/b',
    'a\\b',
    '/etc',
    '',
    'a\0',
    '.hidden',
    `${'a'.repeat(33)}`,
    'a\n',
  ]) {
    expect(() => datasetFolder('/home', name, '1d')).toThrow('cannot be a symbol')
    expect(() => datasetFolder('/home', 'AAPL', name)).toThrow('not a timeframe')
    expect(() => snapshotPath('/home', name)).toThrow('cannot be a sha256')
    expect(() => checkpointsFolder('/home', name)).toThrow('cannot be a operation')
    expect(() => artifactsFolder('/home', name)).toThrow('cannot be a operation')
  }
  expect(() => attemptFolder('/home', operationId, 1.5)).toThrow('cannot be a attempt')
})
