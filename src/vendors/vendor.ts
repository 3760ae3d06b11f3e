import type { Bars } from '../market/bars.ts'
import type { Timeframe } from '../market/timeframe.ts'

/** What to fetch: bars whose open time is in `[start, end)`, epoch ms UTC; null is unbounded. */
export type BarsRequest = {
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly start: number | null
  readonly end: number | null
  /** Aborted when the operation is to stop; a vendor that waits for the network gives up at once. */
  readonly signal: AbortSignal
}

/** Where bars come from. */
export type Vendor = {
  readonly name: string
  readonly description: string
  /** Whether it fetches over the network. */
  readonly network: boolean
  /**
   * Pages of raw bars, each complete and oldest first, every page later than the one before. At least one bar.
   * @throws {Problem} 'bars-missing' when the vendor has none, 'bars-invalid' when what it sends cannot be read
   */
  readonly fetchBars: (request: BarsRequest) => AsyncIterable<Bars>
}
