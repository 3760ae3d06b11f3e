import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startVendorServer, type VendorServer } from './vendor-server.ts'
import { fetchYahoo, playYahoo, row, timesOf, type WireRow } from './yahoo-wire.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

const asked = (name: string) => server.requests.slice(1).map(({ query }) => Number(query.get(name)) * 1000)
const now = '2025-11-20T12:00:00Z'

test('hours open at 09:30 of New York on both sides of a change of the clock', async () => {
  // Daylight saving time ended on 2 November 2025.
  const rows = [row('2025-10-31T13:30Z', 9), row('2025-10-31T19:30Z', 9), row('2025-11-03T14:30Z', 9)]
  playYahoo(server, 'AAPL', { rows })
  const pages = await fetchYahoo(server, { timeframe: '1h', start: '2025-10-01T00:00Z', now })
  expect(timesOf(pages)).toEqual(['2025-10-31T13:30', '2025-10-31T19:30', '2025-11-03T14:30'])
  // The last bar of a session closes with it, after half an hour.
  const { time, close_time } = pages[0]!.bars
  expect([...close_time].map((close, i) => (close - time[i]!) / 60_000)).toEqual([60, 30, 60])
  expect(pages[0]?.remarks).toBeUndefined()
})

test('the print at the close and the live row are no bars', async () => {
  const rows: WireRow[] = [
    row('2025-11-19T20:30Z', 9),
    ['2025-11-19T21:00Z', 9, 9, 9, 9, 0],
    row('2025-11-20T14:30Z', 9),
    row('2025-11-20T15:07:11Z', 9),
  ]
  playYahoo(server, 'AAPL', { rows })
  const pages = await fetchYahoo(server, {
    timeframe: '1h',
    start: '2025-11-19T00:00Z',
    now: '2025-11-20T15:10Z',
  })
  expect(timesOf(pages)).toEqual(['2025-11-19T20:30'])
  expect(pages[0]?.until).toBe(Date.parse('2025-11-20T14:30Z'))
  expect(pages[0]?.remarks).toBeUndefined()
})

test('the running hour is stored an hour later', async () => {
  playYahoo(server, 'AAPL', { rows: [row('2025-11-19T14:30Z', 9), row('2025-11-19T15:30Z', 9)] })
  const at = (time: string) =>
    fetchYahoo(server, { timeframe: '1h', start: '2025-11-19T00:00Z', now: `2025-11-19T${time}Z` })
  expect(timesOf(await at('16:20'))).toEqual(['2025-11-19T14:30'])
  expect(timesOf(await at('17:20'))).toEqual(['2025-11-19T14:30', '2025-11-19T15:30'])
})

test('rows outside the sessions of the calendar are remarked upon', async () => {
  const rows = ['00:00', '01:00', '02:00'].map(time => row(`2025-11-19T${time}Z`, 9, 0))
  playYahoo(server, '^N225', { zone: 'Asia/Tokyo', rows })
  const [page] = await fetchYahoo(server, {
    symbol: '^N225',
    timeframe: '1h',
    start: '2025-11-18T00:00Z',
    now,
  })
  expect(page?.bars.length).toBe(0)
  expect(page?.remarks).toEqual([
    expect.stringMatching(/^2 of 3 rows do not open with a 1h bar of the calendar XNYS .*2025-11-19T00:00/),
  ])
})

describe('what Yahoo keeps', () => {
  const rows = [row('2025-10-22T13:30Z', 9), row('2025-11-19T14:30Z', 9)]

  test('1m: 30 days in requests of at most 7, told page by page', async () => {
    playYahoo(server, 'AAPL', { rows })
    const pages = await fetchYahoo(server, { timeframe: '1m', start: '2025-01-01T00:00Z', now })
    expect(timesOf(pages)).toEqual(['2025-10-22T13:30', '2025-11-19T14:30'])
    expect(asked('period1')[0]).toBe(Date.parse('2025-10-22T00:00Z'))
    const lengths = asked('period2').map((end, i) => (end - asked('period1')[i]!) / 86_400_000)
    expect(lengths).toEqual([7, 7, 7, 7, 2])
    expect(pages.map(({ until }) => until)).toEqual([
      ...asked('period2').slice(0, 4),
      Date.parse(now) - 20 * 60_000,
    ])
    expect(pages.map(({ remarks }) => remarks?.length ?? 0)).toEqual([1, 0, 0, 0, 0])
    expect(pages[0]?.remarks?.[0]).toContain('fetched from 2025-10-22')
  })

  test('a request for everything is no reason for a remark', async () => {
    playYahoo(server, 'AAPL', { rows })
    for (const start of [undefined, '1800-01-01T00:00:00Z']) {
      const pages = await fetchYahoo(server, {
        timeframe: '5m',
        now,
        ...(start === undefined ? {} : { start }),
      })
      expect(timesOf(pages)).toEqual(['2025-10-22T13:30', '2025-11-19T14:30'])
      expect(pages[0]?.remarks).toBeUndefined()
    }
  })

  test('a range it no longer has is missing', async () => {
    playYahoo(server, 'AAPL', { rows })
    await expect(
      fetchYahoo(server, { timeframe: '5m', start: '2025-01-01T00:00Z', end: '2025-02-01T00:00Z', now }),
    ).rejects.toMatchObject({ code: 'bars-missing', message: expect.stringContaining('last 60 days') })
    expect(server.requests).toEqual([])
  })

  test('a range without bars is an empty page', async () => {
    playYahoo(server, 'AAPL', { rows: [] })
    const [page] = await fetchYahoo(server, {
      timeframe: '1h',
      start: '2025-11-15T00:00Z',
      end: '2025-11-16T00:00Z',
      now,
    })
    expect(page?.bars.length).toBe(0)
    expect(page?.until).toBe(Date.parse('2025-11-16T00:00Z'))
  })
})
