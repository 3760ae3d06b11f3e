import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dayMs } from '../../src/market/timeframe.ts'
import { type CandleSource, walkCandles } from '../../src/vendors/ccxt-walk.ts'
import type { VendorRow } from '../../src/vendors/page.ts'

const hourMs = 3_600_000
const candle = (time: number): VendorRow => ({ time, open: 1, high: 1, low: 1, close: 1, volume: 1 })

/** How exchanges understand "n candles since". */
type Kind = 'next n candles' | 'candles of the next n periods'

/** An exchange with hourly candles at `hours`, and with the daily ones that follow from them. */
function playExchange(kind: Kind, hours: readonly number[], limit: number, hasDays = true) {
  const asked: string[] = []
  const opens = {
    '1h': hours.map(hour => hour * hourMs),
    '1d': [...new Set(hours.map(hour => Math.floor(hour / 24) * dayMs))],
  }
  const source: CandleSource = {
    timeframe: '1h',
    limit,
    hasDays,
    ask: async (timeframe, sinceMs) => {
      asked.push(timeframe)
      if (timeframe !== '1h' && timeframe !== '1d') throw new Error(`nobody asked for ${timeframe}`)
      const periodMs = timeframe === '1h' ? hourMs : dayMs
      const since = opens[timeframe].filter(time => time >= sinceMs).toSorted((a, b) => a - b)
      const within = since.filter(time => time < sinceMs + limit * periodMs)
      return (kind === 'next n candles' ? since.slice(0, limit) : within).map(candle)
    },
  }
  return { source, asked }
}

async function walk(source: CandleSource, startMs: number, endMs: number) {
  const pages = await Array.fromAsync(walkCandles(source, startMs, endMs))
  const inside = pages
    .flatMap(page => page.rows.map(row => row.time))
    .filter(time => time >= startMs && time < endMs)
  return { pages, times: [...new Set(inside)].toSorted((a, b) => a - b) }
}

describe.each<Kind>(['next n candles', 'candles of the next n periods'])(
  'an exchange that answers the %s',
  kind => {
    test('tells every candle of any range, however sparse, and the walk ends', async () => {
      const hour = fc.integer({ min: 0, max: 24 * 60 })
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(hour, { maxLength: 60 }),
          fc.integer({ min: 1, max: 30 }),
          fc.boolean(),
          fc.tuple(hour, hour),
          async (hours, limit, hasDays, [a, b]) => {
            const [startMs, endMs] = [Math.min(a, b) * hourMs, Math.max(a, b) * hourMs]
            const { source } = playExchange(kind, hours, limit, hasDays)
            const { pages, times } = await walk(source, startMs, endMs)
            const truth = hours.map(at => at * hourMs).filter(time => time >= startMs && time < endMs)
            expect(times).toEqual(truth.toSorted((x, y) => x - y))
            const untils = pages.map(page => page.untilMs)
            expect(untils).toEqual([...new Set(untils)].toSorted((x, y) => x - y))
            if (startMs < endMs) expect(untils.at(-1)).toBe(endMs)
          },
        ),
      )
    })

    test('is asked few times for the years before a market was listed', async () => {
      const listed = 24 * 365 * 11
      const { source, asked } = playExchange(kind, [listed, listed + 1, listed + 2], 300)
      const { times } = await walk(source, 0, (listed + 3) * hourMs)
      expect(times.length).toBe(3)
      expect(asked.length).toBeLessThan(25)
    })
  },
)

test('candles before the range or twice do not hold the walk up', async () => {
  const endMs = 10 * hourMs
  const source: CandleSource = {
    timeframe: '1h',
    limit: 3,
    hasDays: false,
    // An exchange that always sends the candle before the one asked for, too.
    ask: async (_timeframe, sinceMs) => [sinceMs, sinceMs - hourMs, sinceMs].map(candle),
  }
  const { pages, times } = await walk(source, 0, endMs)
  expect(times).toEqual(Array.from({ length: 10 }, (_, i) => i * hourMs))
  expect(pages.length).toBe(10)
})

test('an exchange that ignores what is asked and sends the same candles for ever is left', async () => {
  const old = [0, 1, 2].map(hour => candle(hour * hourMs))
  const source: CandleSource = { timeframe: '1h', limit: 3, hasDays: true, ask: async () => old }
  const { pages, times } = await walk(source, 5 * dayMs, 50 * dayMs)
  expect(times).toEqual([])
  expect(pages.at(-1)?.untilMs).toBe(50 * dayMs)
})

test('days and longer are stepped over without a look at daily candles', async () => {
  const asked: string[] = []
  const ask: CandleSource['ask'] = async timeframe => {
    asked.push(timeframe)
    return []
  }
  const { pages } = await walk({ timeframe: '1d', limit: 100, hasDays: true, ask }, 0, 365 * dayMs)
  expect(asked).toEqual(['1d', '1d', '1d', '1d'])
  expect(pages.at(-1)?.untilMs).toBe(365 * dayMs)
})
