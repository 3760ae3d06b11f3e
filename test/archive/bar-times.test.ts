import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BarTimes } from '../../src/archive/bar-times.ts'
import { BarsArchive } from '../../src/archive/bars.ts'
import { makeHome, makeMinuteBars } from './folder.ts'

const minuteMs = 60_000

/** Archive that counts how many segments are read. */
class CountingArchive extends BarsArchive {
  reads = 0
  override read(...asked: Parameters<BarsArchive['read']>) {
    this.reads++
    return super.read(...asked)
  }
}

async function store(bars: ReturnType<typeof makeMinuteBars>) {
  const archive = new CountingArchive(makeHome())
  await archive.publish('AAPL', '1m', bars, { source: 'import', now: 0, calendar: '24-7' })
  const pinned = await archive.pin('AAPL', '1m', 'none')
  if (pinned === null) throw new Error('nothing is stored')
  const { manifest, sha256 } = pinned
  const times = new BarTimes(archive, { symbol: 'AAPL', timeframe: '1m', sha256 }, manifest.partitions)
  return { archive, times, segments: manifest.partitions.length }
}

test('times found by segments are those found among all bars, whatever is asked', async () => {
  // Seven hours apart: four months.
  const bars = makeMinuteBars(400, Date.UTC(2023, 10, 5), 7 * 60)
  const { times } = await store(bars)
  await fc.assert(
    fc.asyncProperty(fc.nat(410), fc.integer({ min: -2, max: 2 }), async (index, minutes) => {
      expect(await times.closeOf(index)).toBe(bars.close_time[index] ?? null)
      const wanted = (bars.time[index] ?? Date.UTC(2024, 6, 1)) + minutes * minuteMs
      const at = bars.close_time.findIndex(close => close >= wanted)
      expect(await times.openOfClosing(wanted)).toBe(bars.time[at] ?? null)
    }),
  )
})

test('the last bar of a month closes when the next month begins, and is the first to do so', async () => {
  const february = Date.UTC(2024, 1, 1)
  const { times } = await store(makeMinuteBars(20, february - 10 * minuteMs))
  expect(await times.openOfClosing(february)).toBe(february - minuteMs)
})

test('asking in ascending order reads each segment once', async () => {
  const { archive, times, segments } = await store(makeMinuteBars(400, Date.UTC(2023, 10, 5), 7 * 60))
  for (let index = 0; index < 400; index++) await times.closeOf(index)
  expect([segments, archive.reads]).toEqual([4, 4])
})
