import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { formatTime, sliceBars } from '../market/bars.ts'
import { CsvBarsReader } from '../market/csv.ts'
import { Problem } from '../problems.ts'
import type { BarsRequest, Vendor } from './vendor.ts'

const symbol = 'AAPL'
const timeframe = '1d'
const csvPath = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv')

/**
 * Five years of real daily bars that ship with the server: Apple on NASDAQ, 2013-05-13 to 2018-05-11, from the
 * npm package @observablehq/sample-datasets (ISC). Raw prices: the column `Adj Close` is not used.
 */
export const sampleVendor: Vendor = {
  name: 'sample',
  description: 'Ships with the server: AAPL 1d, 1,260 bars from 2013-05-13 to 2018-05-11. Needs no network.',
  network: false,
  fetchBars: fetchSample,
}

async function* fetchSample(request: BarsRequest) {
  if (request.symbol !== symbol || request.timeframe !== timeframe) {
    throw new Problem('bars-missing', `the sample vendor has no ${request.symbol} ${request.timeframe}`, {
      hint: `It has ${symbol} ${timeframe} only. Import other bars with PUT /api/v1/datasets/{symbol}/{timeframe}.`,
    })
  }
  const reader = new CsvBarsReader({ timeframe })
  reader.write(await readFile(csvPath, { signal: request.signal }))
  const all = reader.end()
  const bars = sliceBars(all, request.start, request.end)
  if (bars.length === 0) {
    const from = formatTime(all.time[0] as number)
    const to = formatTime(all.time[all.length - 1] as number)
    throw new Problem('bars-missing', `the sample vendor has no ${symbol} ${timeframe} in that range`, {
      hint: `Its bars open from ${from} to ${to}.`,
    })
  }
  yield bars
}
