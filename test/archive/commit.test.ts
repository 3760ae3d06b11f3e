import { Worker } from 'node:worker_threads'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BarsArchive } from '../../src/archive/bars.ts'
import { datasetFolder } from '../../src/archive/layout.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { joinBars } from '../../src/market/merge-bars.ts'
import { filesIn, makeBars, makeHome, makeMinuteBars, pickBars } from './folder.ts'

const from = { source: 'yahoo', now: Date.UTC(2024, 0, 1), calendar: 'XNYS' }
const none = makeBars(0)

function makeArchive() {
  const home = makeHome()
  return { home, archive: new BarsArchive(home), folder: datasetFolder(home, 'AAPL', '1m') }
}

/** Two days of each of four months. */
const truth = joinBars([0, 1, 2, 3].map(month => makeMinuteBars(2 * 24, Date.UTC(2023, month + 10, 1), 60)))

test('the same bars are the same dataset, however they were cut into pages and in whatever order they came', async () => {
  const whole = await makeArchive().archive.publish('AAPL', '1m', truth, from)
  const page = fc.array(fc.nat(truth.length - 1), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(fc.array(page, { maxLength: 4 }), async pages => {
      const { archive } = makeArchive()
      const seen = new Set<number>()
      for (const chosen of pages) {
        const rows = new Set(chosen)
        const committed = await archive.commit(
          'AAPL',
          '1m',
          { bars: pickBars(truth, i => rows.has(i)) },
          from,
        )
        expect(committed).toMatchObject({
          added: [...rows].filter(row => !seen.has(row)).length,
          changed: 0,
          created: seen.size === 0,
        })
        for (const row of rows) seen.add(row)
        const stored = archive.read('AAPL', '1m', committed?.manifest.sha256 ?? '')
        expect(stored).toEqual(pickBars(truth, i => seen.has(i)))
      }
      const all = await archive.commit('AAPL', '1m', { bars: pickBars(truth, () => true) }, from)
      expect(all?.manifest.sha256).toBe(whole.manifest.sha256)
    }),
    { numRuns: 15 },
  )
})

test('a page replaces the bars of its open times and nothing else', async () => {
  const { archive } = makeArchive()
  await archive.publish('AAPL', '1m', truth, from)
  const corrected = pickBars(truth, i => i === 10 || i === 20 || i === 100)
  corrected.close[1] = 100.5
  const committed = await archive.commit('AAPL', '1m', { bars: corrected }, from)
  expect(committed).toMatchObject({ added: 0, changed: 1, created: false })
  const expected = { ...truth, close: truth.close.slice() }
  expected.close[20] = 100.5
  expect(archive.read('AAPL', '1m', committed?.manifest.sha256 ?? '')).toEqual(expected)
})

test('a page writes only the partitions it concerns', async () => {
  const { archive, folder } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1m', truth, from)
  const page = { bars: makeMinuteBars(3, Date.UTC(2024, 0, 20)) }
  const committed = await archive.commit('AAPL', '1m', page, from)
  const [november, december, january, february] = manifest.partitions
  expect(committed?.manifest.partitions).toEqual([
    november,
    december,
    {
      ...january,
      sha256: expect.not.stringContaining(january?.sha256 ?? ''),
      bars: 51,
      last_ms: expect.any(Number),
      size_bytes: expect.any(Number),
    },
    february,
  ])
  expect(filesIn(folder).filter(name => name.startsWith('segments'))).toHaveLength(5)
})

test('a page that says nothing new writes no segment and keeps the identity, but what was asked is noted', async () => {
  const { archive, folder } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1m', truth, from)
  const before = filesIn(folder)
  const fetched = { start: Date.UTC(2023, 10, 1), end: Date.UTC(2024, 2, 1) }
  const again = await archive.commit(
    'AAPL',
    '1m',
    { bars: sliceBars(truth, fetched.start, fetched.end), fetched },
    { ...from, now: from.now + 1 },
  )
  expect(again).toMatchObject({ added: 0, changed: 0, created: false })
  expect(again?.manifest).toMatchObject({ sha256: manifest.sha256, fetched: [fetched] })
  expect(again?.manifest.fetched_at).toBe('2024-01-01T00:00:00.001Z')
  expect(filesIn(folder)).toEqual(before)
})

test('nothing is stored for a vendor that has no bars at all', async () => {
  const { archive } = makeArchive()
  const page = { bars: none, fetched: { start: 0, end: 1 } }
  expect(await archive.commit('AAPL', '1m', page, from)).toBeNull()
  expect(await archive.list()).toEqual([])
})

test('times that failed stay noted, with their reason, until they are fetched', async () => {
  const { archive } = makeArchive()
  await archive.publish('AAPL', '1m', truth, { ...from, source: 'import' })
  const commit = async (page: object) =>
    (await archive.commit('AAPL', '1m', { bars: none, ...page }, { ...from, now: 0 }))?.manifest
  const failed = { start: 100, end: 200, reason: 'vendor-unavailable' }
  const noted = await commit({ failed })
  expect(noted).toMatchObject({ failed: [failed], fetched: [], source: 'import' })
  expect(noted?.fetched_at).toBe('2024-01-01T00:00:00.000Z')
  const fetched = await commit({ fetched: { start: 150, end: 300 } })
  expect(fetched).toMatchObject({ failed: [{ ...failed, end: 150 }], fetched: [{ start: 150, end: 300 }] })
  expect(await commit({ fetched: { start: 100, end: 150 } })).toMatchObject({
    failed: [],
    fetched: [{ start: 100, end: 300 }],
  })
  await archive.publish('AAPL', '1m', truth, from)
  expect(await archive.manifest('AAPL', '1m')).toMatchObject({ failed: [], fetched: [] })
})

test('splits and dividends are counted, become part of the identity, and replace all that was known: a vendor may take one back', async () => {
  const { archive } = makeArchive()
  const plain = await archive.publish('AAPL', '1m', truth, from)
  const dividend = { kind: 'dividend', ex_date: '2023-12-01', amount: 0.24 } as const
  const split = { kind: 'split', ex_date: '2023-11-02', ratio: 4 } as const
  const commit = async (actions: readonly (typeof dividend | typeof split)[]) =>
    (await archive.commit('AAPL', '1m', { bars: none, actions }, from))?.manifest
  const wrong = await commit([{ ...dividend, amount: 5 } as unknown as typeof dividend, split])
  const right = await commit([dividend])
  expect(right).toMatchObject({ splits: 0, dividends: 1, actions: [dividend] })
  expect(new Set([plain.manifest.sha256, wrong?.sha256, right?.sha256]).size).toBe(3)
  const both = await commit([dividend, split])
  expect(both).toMatchObject({ splits: 1, dividends: 1, actions: [split, dividend] })
  expect((await commit([split, dividend]))?.sha256).toBe(both?.sha256)
})

test('bars that no market can have made are refused and change nothing', async () => {
  const { archive } = makeArchive()
  const { manifest } = await archive.publish('AAPL', '1m', truth, from)
  const bars = makeMinuteBars(2, Date.UTC(2030, 0, 1))
  bars.low[1] = 500
  await expect(archive.commit('AAPL', '1m', { bars }, from)).rejects.toMatchObject({ code: 'bars-invalid' })
  expect(await archive.manifest('AAPL', '1m')).toEqual(manifest)
})

test('commits of several threads at once lose nothing', async () => {
  const { home, archive } = makeArchive()
  const source = new URL('./committing-thread.ts', import.meta.url)
  const ended = [0, 1, 2].map(
    thread =>
      new Promise((resolve, reject) => {
        const worker = new Worker(source, { workerData: { home, thread, threads: 3, pages: 12 } })
        worker.once('error', reject).once('exit', resolve)
      }),
  )
  expect(await Promise.all(ended)).toEqual([0, 0, 0])
  const manifest = await archive.manifest('AAPL', '1m')
  expect(archive.read('AAPL', '1m', manifest?.sha256 ?? '')).toEqual(
    makeMinuteBars(3 * 12 * 10, Date.UTC(2023, 10, 30, 22)),
  )
  expect(manifest?.fetched).toEqual([{ start: 0, end: 36 }])
})
