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
    id: 'played',
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

type Mangle = (
  sent: readonly number[],
  all: readonly number[],
  sinceMs: number,
  limit: number,
) => readonly number[]

/** Wrong answers. They leave out more than one answer's worth of candles; fewer are not told from a rare trade. */
const mangled = {
  nothing: () => [],
  'one late candle after the first': ([first], all, sinceMs, limit) => {
    const last = all.at(-1) ?? 0
    const kept = first === undefined ? [] : [first]
    return last > (first ?? sinceMs) + limit * hourMs ? [...kept, last] : kept
  },
  'the newest candles': (sent, all, sinceMs, limit) => {
    const newest = all.slice(-limit)
    return (newest[0] ?? 0) > sinceMs + limit * hourMs ? newest : sent
  },
} satisfies Record<string, Mangle>

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

    test('tells every candle even if every third answer is wrong', async () => {
      const hour = fc.integer({ min: 0, max: 24 * 60 })
      const wrong = fc.constantFrom(...(Object.keys(mangled) as (keyof typeof mangled)[]))
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(hour, { maxLength: 400 }),
          fc.integer({ min: 1, max: 30 }),
          fc.array(fc.option(wrong), { minLength: 1, maxLength: 20 }),
          fc.tuple(hour, hour),
          async (hours, limit, faults, [a, b]) => {
            const [startMs, endMs] = [Math.min(a, b) * hourMs, Math.max(a, b) * hourMs]
            const times = hours.map(at => at * hourMs).toSorted((x, y) => x - y)
            const honest = playExchange(kind, hours, limit).source
            let asked = 0
            let right = 2
            const ask: CandleSource['ask'] = async (timeframe, sinceMs) => {
              const rows = await honest.ask(timeframe, sinceMs)
              const fault = right < 2 ? null : (faults[asked++ % faults.length] ?? null)
              right = fault === null ? right + 1 : 0
              if (fault === null) return rows
              if (timeframe === '1d') return []
              const sent = mangled[fault](
                rows.map(({ time }) => time),
                times,
                sinceMs,
                limit,
              )
              return sent.map(candle)
            }
            const told = await walk({ ...honest, ask }, startMs, endMs)
            expect(told.times).toEqual(times.filter(time => time >= startMs && time < endMs))
            for (const [i, page] of told.pages.entries()) {
              const [from, to] = [told.pages[i - 1]?.untilMs ?? startMs, page.untilMs]
              for (const { time } of page.rows) expect(time >= from && time < to).toBe(true)
            }
          },
        ),
      )
    })

    test('is asked few times for the years before a market was listed', async () => {
      const listed = 24 * 365 * 11
      const { source, asked } = playExchange(kind, [listed, listed + 1, listed + 2], 300)
      const { times } = await walk(source, 0, (listed + 3) * hourMs)
      expect(times.length).toBe(3)
      expect(asked.length).toBeLessThan(45)
    })
  },
)

test('candles before the range or twice do not hold the walk up', async () => {
  const endMs = 10 * hourMs
  const source: CandleSource = {
    id: 'played',
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
  const source: CandleSource = {
    id: 'played',
    timeframe: '1h',
    limit: 3,
    hasDays: true,
    ask: async () => old,
  }
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
  const source: CandleSource = { id: 'played', timeframe: '1d', limit: 100, hasDays: true, ask }
  const { pages } = await walk(source, 0, 365 * dayMs)
  // Four steps, each asked for twice.
  expect(asked).toEqual(Array.from({ length: 8 }, () => '1d'))
  expect(pages.at(-1)?.untilMs).toBe(365 * dayMs)
})

describe('an exchange that denies what its days show', () => {
  const hours = Array.from({ length: 24 * 20 }, (_, i) => i)
  const deny = (limit: number, fromMs: number, toMs: number, volume = 1) => {
    const { source } = playExchange('candles of the next n periods', hours, limit)
    const ask: CandleSource['ask'] = async (timeframe, sinceMs) => {
      const rows = await source.ask(timeframe, sinceMs)
      return timeframe === '1d'
        ? rows.map(row => ({ ...row, volume }))
        : rows.filter(({ time }) => time < fromMs || time >= toMs)
    }
    return { ...source, ask }
  }

  test.each([7, 50])('is not believed, and nothing of that time is told (limit %d)', async limit => {
    let untilMs = 0
    const read = async () => {
      for await (const page of walkCandles(deny(limit, 100 * hourMs, 300 * hourMs), 0, 480 * hourMs))
        untilMs = page.untilMs
    }
    await expect(read()).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining('no 1h candle from 1970-01-06'),
    })
    expect(untilMs).toBe(100 * hourMs)
  })

  test('is taken at its word where candles follow in the same answer, with a word on it', async () => {
    const { pages } = await walk(deny(300, 100 * hourMs, 300 * hourMs), 0, 480 * hourMs)
    expect(pages.flatMap(({ missing }) => missing ?? [])).toEqual([
      { fromMs: 100 * hourMs, toMs: 300 * hourMs, isAllButNewest: false },
    ])
  })

  test('is believed where its days show no trade, or a part of a day is missing', async () => {
    const end = 480 * hourMs
    const quiet = await walk(deny(50, 100 * hourMs, 300 * hourMs, 0), 0, end)
    expect([quiet.times.length, quiet.pages.at(-1)?.untilMs]).toEqual([280, end])
    const night = await walk(deny(7, 100 * hourMs, 119 * hourMs), 0, end)
    expect([night.times.length, night.pages.at(-1)?.untilMs]).toEqual([461, end])
  })
})

test('a time without candles that is longer than an answer is told, and whether only the newest are there', async () => {
  const newest = Array.from({ length: 50 }, (_, i) => 950 + i)
  const ask: CandleSource['ask'] = async timeframe =>
    timeframe === '1h' ? newest.map(hour => candle(hour * hourMs)) : []
  const source: CandleSource = { id: 'played', timeframe: '1h', limit: 50, hasDays: true, ask }
  const missing = { fromMs: 0, toMs: 950 * hourMs, isAllButNewest: true }
  expect((await walk(source, 0, 1000 * hourMs)).pages).toMatchObject([{ missing, untilMs: 1000 * hourMs }])
  expect((await walk({ ...source, limit: 60 }, 0, 1000 * hourMs)).pages).toMatchObject([
    { missing: { ...missing, isAllButNewest: false } },
  ])
  const closed = playExchange('next n candles', [0, 1, 2], 50).source
  expect((await walk(closed, 0, 1000 * hourMs)).pages).toMatchObject([
    { missing: null, untilMs: 3 * hourMs },
    { missing: { fromMs: 3 * hourMs, toMs: 1000 * hourMs, isAllButNewest: false } },
  ])
})
