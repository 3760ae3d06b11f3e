import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startVendorServer, type VendorServer } from './vendor-server.ts'
import { type Asked, fetchYahoo, linesOf, playYahoo, row, timesOf } from './yahoo-wire.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

test('a day is labelled with its date in New York on both sides of a change of the clock', async () => {
  // Daylight saving time began on 8 March 2020 and ended on 1 November 2020: 09:30 was 14:30Z, 13:30Z, 14:30Z.
  const stamps = ['2020-03-06T14:30Z', '2020-03-09T13:30Z', '2020-10-30T13:30Z', '2020-11-02T14:30Z']
  playYahoo(server, 'AAPL', { rows: stamps.map(stamp => row(stamp, 100)) })
  expect(timesOf(await fetchYahoo(server))).toEqual([
    '2020-03-06T00:00',
    '2020-03-09T00:00',
    '2020-10-30T00:00',
    '2020-11-02T00:00',
  ])
})

test('a day that opens on the day before in UTC, or at midnight in London, keeps its own date', async () => {
  // Sydney opens at 10:00, in summer 23:00Z of the day before.
  playYahoo(server, 'BHP.AX', { zone: 'Australia/Sydney', rows: [row('2026-01-04T23:00Z', 45)] })
  const sydney = await fetchYahoo(server, {
    symbol: 'BHP.AX',
    start: '2026-01-05T00:00Z',
    now: '2026-01-07T00:00Z',
  })
  expect(timesOf(sydney)).toEqual(['2026-01-05T00:00'])
  // In summer a day of London begins at 23:00Z of the day before.
  playYahoo(server, 'EURUSD=X', { zone: 'Europe/London', rows: [row('2025-07-01T23:00Z', 10, 0)] })
  const london = await fetchYahoo(server, { symbol: 'EURUSD=X', start: '2025-07-02T00:00Z' })
  expect(timesOf(london)).toEqual(['2025-07-02T00:00'])
})

test('a zone that is unknown here is read by its offset', async () => {
  playYahoo(server, 'X.YZ', { zone: 'Mars/Olympus', rows: [row('2025-07-02T02:00Z', 10)] })
  expect(timesOf(await fetchYahoo(server, { symbol: 'X.YZ' }))).toEqual(['2025-07-01T00:00'])
})

describe('the running day', () => {
  const rows = [
    row('2026-01-02T14:30Z', 100),
    row('2026-01-05T14:30Z', 101),
    // The live row, stamped with the last trade.
    row('2026-01-05T20:59:58Z', 101, 1234),
  ]

  test('is not stored, and the page ends before it so that it is asked for again', async () => {
    playYahoo(server, 'AAPL', { rows })
    const pages = await fetchYahoo(server, { now: '2026-01-05T20:59:59Z' })
    expect(timesOf(pages)).toEqual(['2026-01-02T00:00'])
    expect(pages.at(-1)?.until).toBe(Date.UTC(2026, 0, 5))
  })

  test('is stored an hour later, once, with the volume of the live row', async () => {
    playYahoo(server, 'AAPL', { rows })
    const pages = await fetchYahoo(server, { now: '2026-01-05T21:59:59Z', start: '2026-01-05T00:00Z' })
    expect(linesOf(pages)).toEqual(['2026-01-05T00:00 101 103 100 102 1234'])
  })

  test('is not stored in the minutes in which Yahoo still shows an older price', async () => {
    playYahoo(server, 'AAPL', { rows })
    expect(timesOf(await fetchYahoo(server, { now: '2026-01-05T21:10Z' }))).toEqual(['2026-01-02T00:00'])
  })

  test('of forex ends with the day of London, not with that of New York', async () => {
    const fx = [row('2026-01-05T00:00Z', 1.5, 0), row('2026-01-06T00:00Z', 1.5, 0)]
    playYahoo(server, 'EURUSD=X', { zone: 'Europe/London', rows: fx })
    const at = (now: string) => fetchYahoo(server, { symbol: 'EURUSD=X', now })
    expect(timesOf(await at('2026-01-06T22:30Z'))).toEqual(['2026-01-05T00:00'])
    expect(timesOf(await at('2026-01-07T01:30Z'))).toEqual(['2026-01-05T00:00', '2026-01-06T00:00'])
  })
})

describe("bars of a clock that is not the calendar's", () => {
  const closes = async (timeframe: '1d' | '1w' | '1M', stamps: readonly string[], asked: Asked = {}) => {
    const rows = stamps.map(stamp => row(stamp, 1.5, 0))
    playYahoo(server, 'EURUSD=X', { zone: 'Europe/London', rows })
    const pages = await fetchYahoo(server, { symbol: 'EURUSD=X', timeframe, ...asked })
    return pages.flatMap(page => [...page.bars.close_time].map(ms => new Date(ms).toISOString().slice(0, 16)))
  }

  test('close no sooner than its midnight, in summer and in winter', async () => {
    // Days of London, whose prices run to its midnight; New York closes at 21:00Z in summer and 22:00Z in winter.
    expect(await closes('1d', ['2025-06-30T23:00Z', '2025-12-01T00:00Z'])).toEqual([
      '2025-07-01T23:00',
      '2025-12-02T00:00',
    ])
    // London leaves summer time on 26 October 2025.
    expect(await closes('1d', ['2025-10-26T00:00Z', '2025-10-26T23:00Z'])).not.toContain('2025-10-27T21:00')
    expect(await closes('1w', ['2025-06-29T23:00Z', '2025-12-01T00:00Z'])).toEqual([
      '2025-07-06T23:00',
      '2025-12-08T00:00',
    ])
    expect(await closes('1M', ['2025-05-31T23:00Z', '2025-11-01T00:00Z'])).toEqual([
      '2025-06-30T23:00',
      '2025-12-01T00:00',
    ])
  })

  test('are not stored before that midnight and the minutes Yahoo is late', async () => {
    const stamps = ['2025-06-30T23:00Z', '2025-07-01T23:00Z']
    expect(await closes('1d', stamps, { now: '2025-07-02T23:19Z' })).toEqual(['2025-07-01T23:00'])
    expect((await closes('1d', stamps, { now: '2025-07-02T23:20Z' })).length).toBe(2)
    // Of the running day nothing was sent yet.
    playYahoo(server, 'EURUSD=X', { zone: 'Europe/London', rows: [row('2025-06-30T23:00Z', 1.5, 0)] })
    const pages = await fetchYahoo(server, { symbol: 'EURUSD=X', now: '2025-07-02T22:50Z' })
    expect(pages.at(-1)?.until).toBe(Date.UTC(2025, 6, 2))
  })

  test('of shares in New York close with its session', async () => {
    playYahoo(server, 'AAPL', { rows: [row('2025-12-01T14:30Z', 100)] })
    const [page] = await fetchYahoo(server)
    expect(page?.bars.close_time[0]).toBe(Date.UTC(2025, 11, 1, 21))
  })
})

describe('weeks and months', () => {
  test('are labelled with their Monday and their first', async () => {
    playYahoo(server, 'AAPL', { rows: [row('2025-10-27T04:00Z', 100), row('2025-11-03T05:00Z', 101)] })
    expect(timesOf(await fetchYahoo(server, { timeframe: '1w' }))).toEqual([
      '2025-10-27T00:00',
      '2025-11-03T00:00',
    ])
    playYahoo(server, 'AAPL', { rows: [row('2025-10-01T04:00Z', 100), row('2025-12-01T05:00Z', 101)] })
    expect(timesOf(await fetchYahoo(server, { timeframe: '1M' }))).toEqual([
      '2025-10-01T00:00',
      '2025-12-01T00:00',
    ])
  })

  test('have their last day, which Yahoo tells in a row of its own, added', async () => {
    const rows = [
      row('2025-12-22T05:00Z', 90),
      ['2025-12-29T05:00Z', 100, 110, 95, 105, 3000],
      ['2026-01-02T21:00:01Z', 106, 107, 92, 103, 500],
      // Sent twice, it counts once.
      ['2026-01-02T21:00:01Z', 106, 107, 92, 103, 500],
    ] as const
    playYahoo(server, 'AAPL', { rows })
    const pages = await fetchYahoo(server, { timeframe: '1w', now: '2026-01-03T12:00Z' })
    expect(linesOf(pages)).toEqual([
      '2025-12-22T00:00 90 92 89 91 1000',
      '2025-12-29T00:00 100 110 92 103 3500',
    ])
  })

  test('that run are not stored', async () => {
    playYahoo(server, 'AAPL', { rows: [row('2025-12-01T05:00Z', 90), row('2026-01-01T05:00Z', 91)] })
    const pages = await fetchYahoo(server, { timeframe: '1M', now: '2026-01-30T20:00Z' })
    expect(timesOf(pages)).toEqual(['2025-12-01T00:00'])
    expect(pages[0]?.until).toBe(Date.UTC(2026, 0, 1))
  })

  test('are asked for whole, so that the edge of the range cuts none', async () => {
    playYahoo(server, 'AAPL', { rows: [row('2025-12-15T05:00Z', 90)] })
    await fetchYahoo(server, { timeframe: '1w', start: '2025-12-17T00:00Z', end: '2025-12-25T00:00Z' })
    const asked = server.requests.at(-1)?.query
    expect(Number(asked?.get('period1'))).toBeLessThanOrEqual(Date.UTC(2025, 11, 15) / 1000)
    expect(Number(asked?.get('period2'))).toBeGreaterThanOrEqual(Date.UTC(2025, 11, 29) / 1000)
  })
})

test('a range is half-open, whatever day more Yahoo tells', async () => {
  const rows = ['01', '02', '03', '04', '05'].map(day => row(`2025-12-${day}T14:30Z`, 100))
  playYahoo(server, 'AAPL', { rows })
  const pages = await fetchYahoo(server, { start: '2025-12-02T00:00Z', end: '2025-12-04T00:00Z' })
  expect(timesOf(pages)).toEqual(['2025-12-02T00:00', '2025-12-03T00:00'])
  expect(pages[0]?.until).toBe(Date.UTC(2025, 11, 4))
})
