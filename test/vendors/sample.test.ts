import { expect, test } from '@jest/globals'
import { type Bars, barAt, formatTime } from '../../src/market/bars.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { vendors } from '../../src/vendors/registry.ts'
import type { BarsPage, BarsRequest, VendorContext } from '../../src/vendors/vendor.ts'
import { makeContext } from './vendor-server.ts'

const vendor = vendors.sample
const offline = 'http://127.0.0.1:9'

async function fetchPage(
  change: Partial<BarsRequest> = {},
  context: VendorContext = makeContext(offline),
): Promise<BarsPage> {
  const request: BarsRequest = {
    symbol: 'AAPL',
    timeframe: '1d',
    start: null,
    end: Date.UTC(2026, 0, 5),
    calendar: new Calendars().get('XNYS'),
    exchange: null,
    ...change,
  }
  const pages = await Array.fromAsync(vendor.fetchBars(request, context))
  expect(pages.length).toBe(1)
  return pages[0] as BarsPage
}

const closeOn = (bars: Bars, day: number) => bars.close[bars.time.indexOf(day)]

test('the sample has 1,260 daily bars of AAPL, dated at 00:00 UTC, complete at the close of New York', async () => {
  const { bars, until } = await fetchPage()
  expect(bars.length).toBe(1260)
  expect(barAt(bars, 0)).toEqual({
    time: Date.UTC(2013, 4, 13),
    close_time: Date.UTC(2013, 4, 13, 20),
    open: 64.501427,
    high: 65.414284,
    low: 64.5,
    close: 64.96286,
    volume: 79237200,
  })
  expect(barAt(bars, 1259)).toMatchObject({
    time: Date.UTC(2018, 4, 11),
    close: 188.589996,
    volume: 25806600,
  })
  // What came after the sample is not known.
  expect(until).toBe(Date.UTC(2018, 4, 11, 20))
})

test('a bar before a winter or half-day close is complete at that close', async () => {
  const { bars } = await fetchPage()
  const closeOf = (time: number) => bars.close_time[bars.time.indexOf(time)]
  expect(closeOf(Date.UTC(2014, 0, 2))).toBe(Date.UTC(2014, 0, 2, 21))
  // The day after Thanksgiving closes at 13:00 in New York.
  expect(closeOf(Date.UTC(2014, 10, 28))).toBe(Date.UTC(2014, 10, 28, 18))
})

// Apple split 7:1 on 2014-06-09; traded prices would fall to a seventh that day.
test('its prices are adjusted for the split of 2014, so it tells no split', async () => {
  const page = await fetchPage()
  expect(closeOn(page.bars, Date.UTC(2014, 5, 6))).toBe(92.224289)
  expect(closeOn(page.bars, Date.UTC(2014, 5, 9))).toBe(93.699997)
  expect(page.actions).toBeUndefined()
  expect(vendor.description).toContain('adjusted for the 7:1 split')
})

test('a range is half-open', async () => {
  const { bars, until } = await fetchPage({ start: Date.UTC(2013, 4, 14), end: Date.UTC(2013, 4, 16) })
  expect([...bars.time].map(formatTime)).toEqual(['2013-05-14T00:00:00.000Z', '2013-05-15T00:00:00.000Z'])
  expect(until).toBe(Date.UTC(2013, 4, 16))
})

test('what the sample has not is named together with what it has', async () => {
  for (const change of [{ symbol: 'MSFT' }, { timeframe: '1h' as const }]) {
    await expect(fetchPage(change)).rejects.toMatchObject({
      code: 'bars-missing',
      hint: expect.stringContaining('AAPL 1d only'),
    })
  }
})

test('a range without bars is told as answered, with what there is instead', async () => {
  const { bars, until, remarks } = await fetchPage({ end: Date.UTC(2000, 0, 1) })
  expect([bars.length, until]).toEqual([0, Date.UTC(2000, 0, 1)])
  expect(remarks).toEqual([expect.stringMatching(/2013-05-13.* to 2018-05-11/)])
})

test('an operation that is to stop stops the vendor', async () => {
  const stopped = makeContext(offline, { signal: AbortSignal.abort() })
  await expect(fetchPage({}, stopped)).rejects.toMatchObject({ name: 'AbortError' })
})

test('every vendor of the contract says what it can be asked for', async () => {
  for (const [name, { name: own, timeframes, description }] of Object.entries(vendors)) {
    expect(own).toBe(name)
    expect(timeframes.length).toBeGreaterThan(0)
    expect(description.length).toBeGreaterThan(20)
  }
  expect(await vendor.listSymbols?.(null, makeContext(offline))).toEqual([
    { symbol: 'AAPL', description: expect.stringContaining('1d') },
  ])
})
