import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { createLayout, databasePath } from '../../src/archive/layout.ts'
import { startProgram, stopPrograms } from '../support/program.ts'
import { differences, everyRow, killWhenSaying, run } from './command.ts'
import { fillFolder } from './sample-store.ts'

const folders = mkdtempSync(join(tmpdir(), 'ktrdr-backup-'))
const fresh = (name: string) => join(mkdtempSync(join(folders, 'x-')), name)

afterAll(async () => {
  await stopPrograms()
  rmSync(folders, { recursive: true, force: true })
})

const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }

test('a backup taken from a running server restores elsewhere to one that answers the same and finishes the work', async () => {
  const [home, copy, elsewhere] = [fresh('home'), fresh('copy'), fresh('elsewhere')]
  const first = await startProgram({ KTRDR_DATABASE_URL: '', KTRDR_HOME: home })
  await first.end((await first.submit('data_download', download)).operation_id)
  const params = { strategy: 'sma_cross', symbol: 'AAPL', timeframe: '1d' }
  const tested = await first.end((await first.submit('backtesting', params)).operation_id)
  const trades = await first.get(`/api/v1/operations/${tested.operation_id}/artifacts/trades`)
  const exercise = { steps: 8_000, step_ms: 0.5, checkpoint_every: 100, metrics: 1_000 }
  const running = await first.submit('exercise', exercise)
  await first.until(running.operation_id, ({ checkpoint }) => checkpoint !== null)

  const backup = await run(['backup', copy], { KTRDR_HOME: home })
  expect(backup).toMatchObject({ code: 0 })
  await first.kill()
  expect(await run(['restore', copy], { KTRDR_HOME: elsewhere })).toMatchObject({ code: 0 })

  const second = await startProgram({ KTRDR_DATABASE_URL: '', KTRDR_HOME: elsewhere })
  expect(await second.operation(tested.operation_id)).toEqual(tested)
  const again = await second.get(`/api/v1/operations/${tested.operation_id}/artifacts/trades`)
  expect(again.text).toBe(trades.text)
  expect((await second.get('/api/v1/datasets/AAPL/1d')).status).toBe(200)
  const resumed = await second.until(running.operation_id, ({ attempt }) => attempt > 1)
  expect(resumed.status).not.toBe('failed')
  expect((await second.end(running.operation_id)).status).toBe('completed')
})

test('a backup holds every row and names every file with its hash', async () => {
  const [home, copy] = [fresh('home'), fresh('copy')]
  await fillFolder(home, 100)
  expect(await run(['backup', copy], { KTRDR_HOME: home })).toMatchObject({ code: 0 })
  expect(differences(everyRow(databasePath(copy)), everyRow(databasePath(home)))).toEqual([])
  const manifest = JSON.parse(readFileSync(join(copy, 'backup.json'), 'utf8'))
  expect(manifest).toMatchObject({ format: 'ktrdr-backup', rows: { operations: 100 } })
  const named = manifest.files.map(({ path }: { path: string }) => path)
  const present = readdirSync(copy, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter(entry => entry.isFile() && entry.name !== 'backup.json')
    .map(entry => join(entry.parentPath, entry.name).slice(copy.length + 1))
  expect(named).toEqual(present.sort())
  expect(named.length).toBeGreaterThan(10)
})

test('a backup killed in the middle goes on when it is run again', async () => {
  const [home, copy] = [fresh('home'), fresh('copy')]
  await fillFolder(home, 5_000)
  await killWhenSaying('Copying rows', ['backup', copy], { KTRDR_HOME: home })
  const refused = await run(['restore', copy], { KTRDR_HOME: fresh('never') })
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.stderr).toMatch(/holds no backup.*interrupted: run the backup again/)
  expect(await run(['backup', copy], { KTRDR_HOME: home })).toMatchObject({ code: 0 })
  expect(differences(everyRow(databasePath(copy)), everyRow(databasePath(home)))).toEqual([])
})

test('a restore that was killed is refused by the server, and goes on when it is run again', async () => {
  const [home, copy, target] = [fresh('home'), fresh('copy'), fresh('target')]
  await fillFolder(home, 5_000)
  await run(['backup', copy], { KTRDR_HOME: home })
  await killWhenSaying('Copying rows', ['restore', copy], { KTRDR_HOME: target })
  await expect(startProgram({ KTRDR_DATABASE_URL: '', KTRDR_HOME: target })).rejects.toThrow(
    /filled only in part.*Run the same command again/,
  )
  expect(await run(['restore', copy], { KTRDR_HOME: target })).toMatchObject({ code: 0 })
  expect(differences(everyRow(databasePath(target)), everyRow(databasePath(home)))).toEqual([])
})

test('a damaged file, a missing file and a damaged database of a backup are named, and nothing is restored', async () => {
  const home = fresh('home')
  await fillFolder(home, 50)
  const damages: [RegExp, (copy: string) => void][] = [
    [
      /strategies\/mine\.yaml is not as it was/,
      copy => appendFileSync(join(copy, 'strategies/mine.yaml'), ' '),
    ],
    [/strategies\/mine\.yaml is missing/, copy => rmSync(join(copy, 'strategies/mine.yaml'))],
    [/ktrdr\.sqlite is not as it was/, copy => appendFileSync(join(copy, 'ktrdr.sqlite'), ' ')],
  ]
  for (const [message, damage] of damages) {
    const [copy, target] = [fresh('copy'), fresh('target')]
    await run(['backup', copy], { KTRDR_HOME: home })
    damage(copy)
    const { code, stderr } = await run(['restore', copy], { KTRDR_HOME: target })
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
    expect(() => readFileSync(databasePath(target))).toThrow('ENOENT')
  }
})

test('folders that are not empty, in use, or inside of one another are refused, each with what to do', async () => {
  const [home, copy] = [fresh('home'), fresh('copy')]
  await fillFolder(home, 20)
  await run(['backup', copy], { KTRDR_HOME: home })
  const filled = fresh('filled')
  createLayout(filled)
  writeFileSync(join(filled, 'strategies', 'precious.yaml'), 'name: precious\n')
  const program = await startProgram({ KTRDR_DATABASE_URL: '' })
  const refusals: [RegExp, readonly string[], string][] = [
    [/finished backup.*Choose a new folder/, ['backup', copy], home],
    [/lies in the data folder.*outside/, ['backup', join(home, 'copy')], home],
    [/is not empty: it holds strategies\/precious\.yaml/, ['backup', filled], home],
    [/is not empty: it holds strategies\/precious\.yaml/, ['restore', copy], filled],
    [/A server runs on.*Stop it/, ['restore', copy], program.home],
    [/A server runs on.*Stop it/, ['transfer', '--from', program.home, '--to', fresh('new')], home],
    [/holds no operations/, ['transfer', '--from', fresh('nothing'), '--to', fresh('new')], home],
    [/are the same/, ['transfer', '--from', home, '--to', home], home],
  ]
  for (const [message, args, environment] of refusals) {
    const { code, stderr } = await run(args, { KTRDR_HOME: environment })
    expect([args, code, stderr]).toEqual([args, 1, expect.stringMatching(message)])
  }
  expect(readFileSync(join(filled, 'strategies', 'precious.yaml'), 'utf8')).toBe('name: precious\n')
})

test('wrong arguments are told with the help, a wrong environment with its faults', async () => {
  const wrong = [
    [],
    ['copy'],
    ['backup'],
    ['backup', 'a', 'b'],
    ['transfer', '--from', 'a'],
    ['restore', '--force'],
  ]
  for (const args of [...wrong, ['transfer', '--from', 'a', '--to', 'mysql://b/c']]) {
    const { code, stderr } = await run(args)
    expect([args, code, stderr]).toEqual([args, 64, expect.stringContaining('npm run transfer --')])
  }
  const { code, stderr } = await run(['backup', fresh('copy')], { KTRDR_PORT: 'eighty' })
  expect([code, stderr]).toEqual([78, expect.stringContaining('KTRDR_PORT must be')])
})
