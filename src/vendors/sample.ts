import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { gridOf } from '../market/bar-grid.ts'
import { type Bars, formatTime, sliceBars } from '../market/bars.ts'
import { CsvBarsReader } from '../market/csv.ts'
import { Problem } from '../problems.ts'
import { throwIfAborted } from './pacing.ts'
import type { BarsPage, BarsRequest, Vendor, VendorContext } from './vendor.ts'

const symbol = 'AAPL'
const timeframe = '1d'
const csvPath = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv')

/**
 * Five years of real daily bars that ship with the server: Apple on NASDAQ, 2013-05-13 to 2018-05-11, from the
 * npm package @observablehq/sample-datasets (ISC), which has them from Yahoo.
 *
 * The one vendor whose bars are not as traded: prices and volumes before 2014-06-09 are adjusted for the 7:1 split
 * of that day (the close of 2014-06-06 is 92.22; it was traded at 645.57). Raw prices are not in the file and are not
 * made up, so there is no split to report: an adjustment for it would be made twice. Dividends are not in the prices
 * (the column `Adj Close` has them and is not used) and not in the file.
 */
export const sampleVendor: Vendor = {
  name: 'sample',
  description:
    'Ships with the server: AAPL 1d, 1,260 bars from 2013-05-13 to 2018-05-11, adjusted for the 7:1 split of 2014. Needs no network.',
  network: false,
  timeframes: [timeframe],
  prices: 'split_adjusted',
  exchanges: false,
  calendarOf: () => 'XNYS',
  fetchBars,
  listSymbols: async () => [{ symbol, description: 'Apple, NASDAQ; 1d only' }],
}

async function* fetchBars(request: BarsRequest, context: VendorContext): AsyncGenerator<BarsPage> {
  if (request.symbol !== symbol || request.timeframe !== timeframe) {
    throw new Problem('bars-missing', `the sample vendor has no ${request.symbol} ${request.timeframe}`, {
      hint: `It has ${symbol} ${timeframe} only. Import other bars with PUT /api/v1/datasets/{symbol}/{timeframe}.`,
    })
  }
  throwIfAborted(context.signal)
  const { closeTimeOf } = gridOf(request.calendar, timeframe)
  const reader = new CsvBarsReader({ timeframe, closeTimeOf })
  reader.write(await readFile(csvPath))
  const all = reader.end()
  // What came after the sample is not known: no bar is missing there.
  const until = Math.min(request.end, context.now(), all.close_time.at(-1) ?? 0)
  const bars = sliceBars(all, request.start, until)
  yield { bars, until, ...(bars.length === 0 ? { remarks: [extentOf(all)] } : {}) }
}

function extentOf({ time, length }: Bars): string {
  const [from, to] = [time[0] as number, time[length - 1] as number].map(formatTime)
  return `The bars of the sample open from ${from} to ${to}`
}
