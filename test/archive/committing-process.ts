import { BarsArchive } from '../../src/archive/bars.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { makeMinuteBars } from './folder.ts'

/** Goes on with pages of ten minutes where the last process was killed, and tells each page, until it is killed. */
const archive = new BarsArchive(process.argv[2] ?? '')
const startMs = Date.UTC(2023, 10, 30, 22)
const minuteMs = 60_000
const bars = makeMinuteBars(100_000, startMs)
const first = (await archive.manifest('AAPL', '1m'))?.bars ?? 0
for (let at = first; at < bars.length; at += 10) {
  const start = startMs + at * minuteMs
  const page = {
    bars: sliceBars(bars, start, start + 10 * minuteMs),
    fetched: { start: at, end: at + 10 },
  }
  await archive.commit('AAPL', '1m', page, { source: 'yahoo', now: 0, calendar: '24-7' })
  process.stdout.write('page\n')
}
