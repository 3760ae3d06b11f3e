import { rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BarsArchive } from '../../src/archive/bars.ts'
import { datasetFolder } from '../../src/archive/layout.ts'
import { type Bars, sliceBars } from '../../src/market/bars.ts'
import { filesIn, makeBars, makeHome, makeMinuteBars } from './folder.ts'

const from = { source: 'import', now: 0, calendar: '24-7' }
/** Seven hours apart: four months. */
const bars = makeMinuteBars(400, Date.UTC(2023, 10, 5), 7 * 60)

function makeArchive() {
  const home = makeHome()
  return { archive: new BarsArchive(home), folder: datasetFolder(home, 'AAPL', '1m') }
}

const cut = (start: number, end: number): Bars =>
  sliceBars(bars, bars.time[start] ?? 0, bars.time[end] ?? Number.POSITIVE_INFINITY)

/** `bars` cut at these rows. */
function chunksAt(rows: readonly number[]): Bars[] {
  const borders = [0, ...[...new Set(rows)].sort((a, b) => a - b), bars.length]
  return borders.slice(1).map((end, i) => cut(borders[i] ?? 0, end))
}

test('chunks of any size, forwards or backwards, become the dataset that one publication makes', async () => {
  const whole = await makeArchive().archive.publish('AAPL', '1m', bars, from)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(399), { maxLength: 12 }), fc.boolean(), async (rows, isBackwards) => {
      const { archive } = makeArchive()
      const writer = archive.writer('AAPL', '1m')
      const chunks = chunksAt(rows)
      for (const chunk of isBackwards ? chunks.reverse() : chunks) writer.append(chunk)
      expect(await writer.publish(from)).toEqual(whole)
      expect(archive.read('AAPL', '1m', whole.manifest.sha256)).toEqual(bars)
    }),
    { numRuns: 25 },
  )
})

test('nothing is visible before publishing, and the dataset before it stays whole', async () => {
  const { archive } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1m', cut(0, 10), from)
  const writer = archive.writer('AAPL', '1m')
  for (const chunk of chunksAt([100, 200, 300])) writer.append(chunk)
  expect(await archive.manifest('AAPL', '1m')).toEqual(manifest)
  expect(await writer.publish(from)).toMatchObject({ created: false, manifest: { bars: 400, segments: 4 } })
})

test('a discarded writer leaves nothing, and can do nothing any more', async () => {
  const { archive, folder } = makeArchive()
  const writer = archive.writer('AAPL', '1m')
  for (const chunk of chunksAt([100, 200, 300])) writer.append(chunk)
  expect(filesIn(folder).length).toBeGreaterThan(1)
  writer.discard()
  expect(filesIn(folder)).toEqual([])
  expect(() => writer.append(bars)).toThrow('closed')
  await expect(writer.publish(from)).rejects.toThrow('closed')
  const other = archive.writer('AAPL', '1m')
  other.append(bars)
  const { manifest } = await other.publish(from)
  other.discard()
  expect(archive.read('AAPL', '1m', manifest.sha256)).toEqual(bars)
})

test('partitions that were complete hours before publishing survive the sweeps that run meanwhile', async () => {
  const { archive, folder } = makeArchive()
  const writer = archive.writer('AAPL', '1m')
  for (const chunk of chunksAt([100, 200, 300])) writer.append(chunk)
  const hoursAgo = new Date(Date.now() - 3 * 3_600_000)
  for (const name of filesIn(folder)) utimesSync(join(folder, name), hoursAgo, hoursAgo)
  let isPublished = false
  const published = writer.publish(from).finally(() => {
    isPublished = true
  })
  while (!isPublished) await archive.sweep(new Set())
  const { manifest } = await published
  expect(archive.read('AAPL', '1m', manifest.sha256)).toEqual(bars)
})

test('what was staged is removed at once when it cannot be published', async () => {
  const { archive, folder } = makeArchive()
  const writer = archive.writer('AAPL', '1m')
  for (const chunk of chunksAt([100, 200, 300])) writer.append(chunk)
  const [staged = ''] = filesIn(folder)
  rmSync(join(folder, staged))
  await expect(writer.publish(from)).rejects.toMatchObject({ code: 'ENOENT' })
  writer.discard()
  expect(filesIn(folder)).toEqual([])
})

test('chunks that overlap, or change their direction, are refused', () => {
  for (const order of [
    [cut(0, 10), cut(9, 20)],
    [cut(10, 20), cut(0, 11)],
    [cut(10, 20), cut(20, 30), cut(0, 10)],
    [cut(10, 20), cut(0, 10), cut(20, 30)],
    [cut(0, 10), cut(20, 30), cut(10, 20)],
    [cut(0, 30), cut(10, 20)],
  ]) {
    const writer = makeArchive().archive.writer('AAPL', '1m')
    const append = () => {
      for (const chunk of order) writer.append(chunk)
    }
    expect(append).toThrow(expect.objectContaining({ code: 'bars-invalid', hint: expect.any(String) }))
    writer.discard()
  }
})

test('bars that no market can have made, and none at all, are refused and store nothing', async () => {
  const { archive } = makeArchive()
  const writer = archive.writer('AAPL', '1m')
  writer.append(makeBars(0))
  const refused = expect.objectContaining({ code: 'bars-invalid' })
  await expect(writer.publish(from)).rejects.toEqual(refused)
  const wrong = makeBars(2)
  wrong.high[1] = 1
  expect(() => archive.writer('AAPL', '1m').append(wrong)).toThrow(refused)
  expect(await archive.list()).toEqual([])
})
