import { workerData } from 'node:worker_threads'
import { BarsArchive } from '../../src/archive/bars.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { makeMinuteBars } from './folder.ts'

type Share = {
  readonly home: string
  readonly thread: number
  readonly threads: number
  readonly pages: number
}

/** Commits every so-many-th page of ten minutes, over the end of a month. */
const { home, thread, threads, pages } = workerData as Share
const archive = new BarsArchive(home)
const startMs = Date.UTC(2023, 10, 30, 22)
const bars = makeMinuteBars(threads * pages * 10, startMs)
const pageMs = 10 * 60_000
for (let page = thread; page < threads * pages; page += threads) {
  const start = startMs + page * pageMs
  await archive.commit(
    'AAPL',
    '1m',
    { bars: sliceBars(bars, start, start + pageMs), fetched: { start: page, end: page + 1 } },
    { source: 'yahoo', now: 0, calendar: '24-7' },
  )
}
