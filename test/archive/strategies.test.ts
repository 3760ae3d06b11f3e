import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readSnapshot, readStrategy, StrategyLibrary } from '../../src/archive/strategies.ts'
import { makeHome } from './folder.ts'

const yamlOf = (name: string, description = 'x') => `name: ${name}
description: ${description}
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: 10 }
decisions:
  rules:
    enter_long: "close > fast"
    exit_long: "close < fast"
`

function makeLibrary() {
  const home = makeHome()
  const shipped = mkdtempSync(join(tmpdir(), 'ktrdr-shipped-'))
  writeFileSync(join(shipped, 'cross.yaml'), yamlOf('cross', 'shipped one'))
  const store = (file: string, text: string) => writeFileSync(join(home, 'strategies', file), text)
  return { home, shipped, store, library: new StrategyLibrary(home, shipped) }
}

test('shipped and stored strategies are listed by name, and a stored one shadows a shipped one', async () => {
  const { library, store } = makeLibrary()
  store('mine.yaml', yamlOf('mine'))
  expect((await library.list()).map(({ name, source, valid }) => [name, source, valid])).toEqual([
    ['cross', 'shipped', true],
    ['mine', 'stored', true],
  ])
  store('cross.yaml', yamlOf('cross', 'my own'))
  expect((await library.list())[0]).toMatchObject({ name: 'cross', source: 'stored', description: 'my own' })
  expect((await library.get('cross'))?.yaml).toContain('my own')
})

test('a strategy that is wrong, or named otherwise than its file, is listed as invalid', async () => {
  const { library, store } = makeLibrary()
  store('broken.yaml', 'name: [')
  store('renamed.yaml', yamlOf('another'))
  const verdicts = (await library.list()).map(({ name, valid }) => [name, valid])
  expect(verdicts).toEqual([
    ['broken', false],
    ['cross', true],
    ['renamed', false],
  ])
  expect(readStrategy(yamlOf('another'), 'renamed').errors[0]).toMatchObject({
    pointer: '/name',
    code: 'name_mismatch',
  })
  expect(readStrategy(yamlOf('another'), null).strategy?.name).toBe('another')
})

test('links that leave the folder, folders, large files and other bytes than UTF-8 are refused', async () => {
  const { home, library } = makeLibrary()
  const folder = join(home, 'strategies')
  writeFileSync(join(home, 'outside.yaml'), yamlOf('outside'))
  symlinkSync(join(home, 'outside.yaml'), join(folder, 'outside.yaml'))
  mkdirSync(join(folder, 'folder.yaml'))
  writeFileSync(join(folder, 'large.yaml'), `# ${'x'.repeat(256 * 1024)}`)
  writeFileSync(join(folder, 'latin.yaml'), Buffer.from([0x6e, 0xe9]))
  for (const name of ['outside', 'folder', 'large', 'latin']) {
    await expect(library.get(name)).rejects.toEqual(expect.objectContaining({ code: 'strategy-invalid' }))
  }
  expect((await library.list()).map(({ name }) => name)).toEqual(['cross'])
})

test('a name that differs from another only in case is refused, its own is not', async () => {
  const { library } = makeLibrary()
  await library.put('Mine', yamlOf('Mine'), {})
  for (const [name, other] of [
    ['mine', 'Mine'],
    ['MINE', 'Mine'],
    ['CROSS', 'cross'],
  ] as const) {
    const message = `the strategy '${other}' is there already and differs only in case`
    await expect(library.put(name, yamlOf(name), { ifMatch: '*' })).rejects.toMatchObject({
      code: 'strategy-invalid',
      errors: [{ pointer: '/name', code: 'name', message }],
    })
    expect(await library.versions(name)).toEqual([])
  }
  expect((await library.put('Mine', yamlOf('Mine', 'again'), { ifMatch: '*' })).created).toBe(false)
  await library.remove('Mine', {})
  expect((await library.put('mine', yamlOf('mine'), {})).created).toBe(true)
})

test('a strategy named like a device of Windows is not stored, whatever its case', async () => {
  const { library } = makeLibrary()
  for (const name of ['con', 'Nul', 'AUX', 'prn', 'com1', 'lpt9'])
    await expect(library.put(name, yamlOf(name), {})).rejects.toThrow(/device on Windows/)
  for (const name of ['cons', 'com0', 'com10', 'nul_1'])
    expect((await library.put(name, yamlOf(name), {})).created).toBe(true)
})

test('names that are paths find nothing', async () => {
  const { library } = makeLibrary()
  for (const name of ['../cross', 'x/../cross', 'cross.yaml', '', 'cross\0'])
    expect(await library.get(name)).toBeNull()
})

test('a snapshot survives changes of the strategy and is found damaged when it was touched', async () => {
  const { home, library } = makeLibrary()
  const sha256 = await library.snapshot(yamlOf('cross'))
  expect(await library.snapshot(yamlOf('cross'))).toBe(sha256)
  expect(library.readSnapshot(sha256)).toBe(yamlOf('cross'))
  writeFileSync(join(home, 'snapshots', `${sha256}.yaml`), 'name: other')
  expect(() => readSnapshot(home, sha256)).toThrow('damaged')
  await library.snapshot(yamlOf('cross'))
  expect(readSnapshot(home, sha256)).toBe(yamlOf('cross'))
})

test('a sweep removes the snapshots nobody names, but none of the last hour', async () => {
  const home = makeHome()
  const library = new StrategyLibrary(home, join(home, 'shipped'))
  const [kept, dropped] = [await library.snapshot('name: kept'), await library.snapshot('name: dropped')]
  await library.sweep(new Set([kept]))
  expect(library.readSnapshot(dropped)).toBe('name: dropped')
  await library.sweep(new Set([kept]), Date.now() + 2 * 3_600_000)
  expect(library.readSnapshot(kept)).toBe('name: kept')
  expect(() => library.readSnapshot(dropped)).toThrow()
})
