import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatTime } from '../../src/market/bars.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { UnreadableAnswer } from '../../src/vendors/http.ts'
import { readStooq, stooqVendor } from '../../src/vendors/stooq.ts'
import type { BarsPage, BarsRequest, VendorContext } from '../../src/vendors/vendor.ts'
import { answer, fault, makeContext, startVendorServer, type VendorServer } from './vendor-server.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

const path = '/q/d/l/'
const header = 'Date,Open,High,Low,Close,Volume'
const row = (date: string, close = 10) => `${date},10,${close + 1},9,${close},1000`
const file = (...rows: string[]) => `${[header, ...rows].join('\r\n')}\r\n`

// The clock of makeContext shows Monday, 2026-01-05 00:00 UTC.
const week = file(row('2025-12-29'), row('2025-12-30'), row('2025-12-31'), row('2026-01-02', 11))

async function fetchPage(change: Partial<BarsRequest> = {}, context?: VendorContext): Promise<BarsPage> {
  const request: BarsRequest = {
    symbol: 'AAPL.US',
    timeframe: '1d',
    start: null,
    end: Date.UTC(2026, 0, 5),
    calendar: new Calendars().get('XNYS'),
    exchange: null,
    ...change,
  }
  const pages = await Array.fromAsync(stooqVendor.fetchBars(request, context ?? makeContext(server.url)))
  expect(pages.length).toBe(1)
  return pages[0] as BarsPage
}
const days = ({ bars }: BarsPage) => [...bars.time].map(time => formatTime(time).slice(0, 10))

describe('what is asked', () => {
  test('the key of the operator goes with each request and stands in no problem', async () => {
    const context = makeContext(server.url)
    const stooq = { ...context.settings.stooq, apiKey: 'hush-hush' }
    const keyed = { ...context, settings: { ...context.settings, stooq } }
    server.on(path, answer(week), fault.status(403))
    await fetchPage({ start: Date.UTC(2025, 11, 29) }, keyed)
    expect(server.requests[0]?.query.get('apikey')).toBe('hush-hush')
    const refusal = await fetchPage({}, keyed).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'vendor-unavailable' })
    expect(JSON.stringify(refusal, Object.getOwnPropertyNames(refusal))).not.toContain('hush-hush')
  })

  test('a symbol in lower case, its dates as whole days, and the interval', async () => {
    server.on(path, answer(week))
    await fetchPage({ start: Date.UTC(2025, 11, 29) })
    await fetchPage({
      symbol: '^SPX',
      timeframe: '1w',
      start: Date.UTC(2025, 11, 31),
      end: Date.UTC(2026, 0, 8),
    })
    await fetchPage({
      symbol: '^SPX',
      timeframe: '1M',
      start: Date.UTC(2025, 11, 31),
      end: Date.UTC(2026, 1, 1),
    })
    expect(server.requests.map(request => request.rawUrl)).toEqual([
      '/q/d/l/?s=aapl.us&d1=20251229&d2=20260104&i=d',
      '/q/d/l/?s=%5Espx&d1=20251229&d2=20260111&i=w',
      '/q/d/l/?s=%5Espx&d1=20251201&d2=20260131&i=m',
    ])
  })

  test('without a start, no dates: that is everything', async () => {
    server.on(path, answer(week))
    await fetchPage()
    expect(server.requests[0]?.rawUrl).toBe('/q/d/l/?s=aapl.us&i=d')
  })
})

describe('what comes back', () => {
  test('daily bars that are complete at the close of their session', async () => {
    server.on(path, answer(week))
    const page = await fetchPage()
    expect(days(page)).toEqual(['2025-12-29', '2025-12-30', '2025-12-31', '2026-01-02'])
    expect(page.bars.close_time[3]).toBe(Date.UTC(2026, 0, 2, 21))
    expect(page.remarks).toEqual([expect.stringContaining('adjusted for splits')])
    expect(page.actions).toBeUndefined()
  })

  test('weeks are labelled by their Monday and months by their first, whichever day Stooq dates them by', async () => {
    server.on(path, answer(file(row('2025-12-19'), row('2025-12-24'), row('2026-01-02'))))
    expect(days(await fetchPage({ timeframe: '1w' }))).toEqual(['2025-12-15', '2025-12-22', '2025-12-29'])
    server.on(path, answer(file(row('2025-10-31'), row('2025-11-28'), row('2026-01-02'))))
    expect(days(await fetchPage({ timeframe: '1M' }))).toEqual(['2025-10-01', '2025-11-01'])
  })

  test('an unfinished last day is left out and is asked for again', async () => {
    const now = Date.UTC(2026, 0, 2, 20, 59)
    server.on(path, answer(week))
    const page = await fetchPage({}, makeContext(server.url, { now: () => now }))
    expect(days(page)).toEqual(['2025-12-29', '2025-12-30', '2025-12-31'])
    expect(page.until).toBe(Date.UTC(2026, 0, 2))
    const later = await fetchPage({}, makeContext(server.url, { now: () => now + 60_000 }))
    expect(days(later).at(-1)).toBe('2026-01-02')
  })

  test('days of the last week that are missing may yet come; older ones are told not to exist', async () => {
    server.on(path, answer(file(row('2025-12-29'), row('2025-12-30'))))
    expect((await fetchPage()).until).toBe(Date.UTC(2025, 11, 31))
    server.on(path, answer(file(row('2025-06-02'))))
    expect((await fetchPage({ start: Date.UTC(2025, 5, 1) })).until).toBe(Date.UTC(2025, 11, 29))
  })

  test('files without volume have bars without volume', async () => {
    server.on(path, answer('Date,Open,High,Low,Close\r\n2025-12-30,1.1,1.2,1.05,1.15\r\n'))
    const { bars } = await fetchPage({ symbol: 'EURUSD', calendar: new Calendars().get('24-5') })
    expect([bars.close[0], bars.volume[0]]).toEqual([1.15, 0])
  })

  test('rows in any order and twice, a gap, and a bar that could not have happened', async () => {
    const rows = [row('2026-01-02'), row('2025-12-29'), '2025-12-30,10,9,11,10,5', row('2025-12-29', 12)]
    server.on(path, answer(file(...rows)))
    const page = await fetchPage()
    expect(days(page)).toEqual(['2025-12-29', '2026-01-02'])
    expect(page.bars.close[0]).toBe(12)
    expect(page.remarks?.join()).toContain('2025-12-30')
  })

  test('a last line that was cut off is not taken for a row', async () => {
    const whole = file(row('2025-12-29'), row('2025-12-30'))
    server.on(path, answer(whole.slice(0, -4)))
    const page = await fetchPage()
    expect(days(page)).toEqual(['2025-12-29'])
    expect(page.until).toBe(Date.UTC(2025, 11, 30))
  })
})

describe('what goes wrong', () => {
  test('an unknown symbol is named; no data since the last bar is no fault', async () => {
    server.on(path, answer('No data'))
    await expect(fetchPage({ symbol: 'NOSUCH.US' })).rejects.toMatchObject({
      code: 'bars-missing',
      message: expect.stringContaining('NOSUCH.US'),
    })
    const start = Date.UTC(2026, 0, 3)
    expect(await fetchPage({ start })).toMatchObject({ bars: { length: 0 }, until: start })
  })

  test('the daily limit is told at once, with when to come back', async () => {
    server.on(path, answer('Exceeded the daily hits limit'))
    await expect(fetchPage()).rejects.toMatchObject({
      code: 'vendor-unavailable',
      hint: expect.stringContaining('tomorrow'),
    })
    expect(server.requests.length).toBe(1)
  })

  test.each(['<!DOCTYPE html><script>verify()</script>', 'Get your apikey:\n1. Open the page'])(
    'a page for people is told at once: %s',
    async page => {
      server.on(path, answer(page))
      await expect(fetchPage()).rejects.toMatchObject({
        code: 'vendor-unavailable',
        hint: expect.stringContaining('folder of the vendor csv'),
      })
      expect(server.requests.length).toBe(1)
    },
  )

  test('too many requests, a server error, half a file and a broken connection are tried again', async () => {
    const replies = [fault.tooMany(0), fault.status(500), fault.truncated(header, 0.5), fault.cutOff(week)]
    for (const reply of replies) {
      server.on(path, reply, answer(week))
      expect((await fetchPage()).bars.length).toBe(4)
    }
    expect(server.requests.length).toBe(replies.length * 2)
  })

  test('a timeframe that Stooq has not is refused without asking', async () => {
    await expect(fetchPage({ timeframe: '1h' })).rejects.toMatchObject({
      code: 'bars-missing',
      hint: 'It has 1d, 1w and 1M.',
    })
    expect(server.requests).toEqual([])
  })
})

test('whatever stands in a cell, the answer is rows with whole times or refused as unreadable', () => {
  const cell = fc.oneof(
    fc.constantFrom('2025-12-30', '2025-02-30', '1.5', '-1', '1e400', '', 'NaN', 'null'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 7 }), { maxLength: 4 }), rows => {
      const text = `${header}\n${rows.map(cells => `${cells.join(',')}\n`).join('')}`
      try {
        for (const { time, close } of readStooq(text)) {
          expect(Number.isSafeInteger(time)).toBe(true)
          expect(Number.isFinite(close)).toBe(true)
        }
      } catch (error) {
        expect(
          error instanceof UnreadableAnswer || (error as { code?: string }).code === 'vendor-unavailable',
        ).toBe(true)
      }
    }),
  )
})

test('the calendar follows from the market in the symbol', () => {
  expect(['AAPL.US', 'eurusd', 'BTC.V', 'XAUUSD', '^SPX', 'PKO'].map(stooqVendor.calendarOf)).toEqual([
    'XNYS',
    '24-5',
    '24-7',
    '24-5',
    '24-5',
    '24-5',
  ])
})
