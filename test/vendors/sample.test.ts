import { expect, test } from '@jest/globals'
import { type Bars, barAt, formatTime } from '../../src/market/bars.ts'
import { fetchAllBars } from '../../src/vendors/fetch.ts'
import { vendors } from '../../src/vendors/registry.ts'
import type { BarsRequest, Vendor } from '../../src/vendors/vendor.ts'
import { makeBars } from '../archive/folder.ts'

const request: BarsRequest = {
  symbol: 'AAPL',
  timeframe: '1d',
  start: null,
  end: null,
  signal: new AbortController().signal,
}
const fetch = (change: Partial<BarsRequest> = {}, vendor: Vendor = vendors.sample): Promise<Bars> =>
  fetchAllBars(vendor, { ...request, ...change }, () => undefined)

test('the sample has 1,260 raw daily bars of AAPL', async () => {
  const bars = await fetch()
  expect(bars.length).toBe(1260)
  expect(barAt(bars, 0)).toEqual({
    time: Date.UTC(2013, 4, 13),
    close_time: Date.UTC(2013, 4, 14),
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
})

test('a range is half-open', async () => {
  const bars = await fetch({ start: Date.UTC(2013, 4, 14), end: Date.UTC(2013, 4, 16) })
  expect([...bars.time].map(formatTime)).toEqual(['2013-05-14T00:00:00.000Z', '2013-05-15T00:00:00.000Z'])
})

test('what the sample has not is named together with what it has', async () => {
  for (const change of [{ symbol: 'MSFT' }, { timeframe: '1h' as const }, { end: 0 }]) {
    await expect(fetch(change)).rejects.toEqual(
      expect.objectContaining({
        code: 'bars-missing',
        hint: expect.stringMatching(/AAPL 1d only|2013-05-13.* to 2018-05-11/),
      }),
    )
  }
})

test('an operation that is to stop stops the vendor', async () => {
  await expect(fetch({ signal: AbortSignal.abort() })).rejects.toEqual(
    expect.objectContaining({ name: 'AbortError' }),
  )
})

test('pages are joined in order, and a vendor without any bar is an error', async () => {
  async function* pages() {
    yield makeBars(3)
    yield makeBars(2, 3)
  }
  async function* nothing() {}
  expect(await fetch({}, { ...vendors.sample, fetchBars: pages })).toEqual(makeBars(5))
  await expect(fetch({}, { ...vendors.sample, fetchBars: nothing })).rejects.toEqual(
    expect.objectContaining({ code: 'bars-missing' }),
  )
})
