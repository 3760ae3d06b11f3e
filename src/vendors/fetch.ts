import { type Bars, barFields } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import type { BarsRequest, Vendor } from './vendor.ts'

/**
 * All pages of a request as one.
 * @param onPage told after each page how many bars there are by now; it may throw to stop
 * @throws {Problem} as the vendor does, and 'bars-missing' when it sends nothing
 */
export async function fetchAllBars(
  vendor: Vendor,
  request: BarsRequest,
  onPage: (bars: number) => void,
): Promise<Bars> {
  const pages: Bars[] = []
  let length = 0
  for await (const page of vendor.fetchBars(request)) {
    pages.push(page)
    length += page.length
    onPage(length)
  }
  if (length === 0)
    throw new Problem('bars-missing', `${vendor.name} has no bars of ${request.symbol} ${request.timeframe}`)
  const [only] = pages
  return pages.length === 1 && only !== undefined ? only : joinPages(pages, length)
}

function joinPages(pages: readonly Bars[], length: number): Bars {
  const column = (name: (typeof barFields)[number]): Float64Array => {
    const whole = new Float64Array(length)
    let at = 0
    for (const page of pages) {
      whole.set(page[name], at)
      at += page.length
    }
    return whole
  }
  const columns = barFields.map(name => [name, column(name)])
  return { length, ...(Object.fromEntries(columns) as Record<(typeof barFields)[number], Float64Array>) }
}
