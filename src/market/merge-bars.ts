import { type Bars, barAt, barFields, firstBarAt } from './bars.ts'
import { BarsBuilder } from './bars-builder.ts'

/** What came of putting a page over stored bars. */
export type MergedBars = {
  /** The stored ones themselves when the page says nothing new. */
  readonly bars: Bars
  /** Bars of the page at open times that had none. */
  readonly added: number
  /** Bars of the page that differ from the stored ones of their open time. */
  readonly changed: number
}

/**
 * `stored` with each bar of `page` put at its open time. Stored bars of other open times stay, inside the span of
 * the page too: that a vendor leaves one out does not say that it never was.
 */
export function mergeBars(stored: Bars, page: Bars): MergedBars {
  const first = page.time[0]
  const last = page.time[page.length - 1]
  if (first === undefined || last === undefined) return { bars: stored, added: 0, changed: 0 }
  const from = firstBarAt(stored, first)
  const behind = firstBarAt(stored, last)
  const to = stored.time[behind] === last ? behind + 1 : behind
  const middle = interleave(cutRows(stored, from, to), page)
  if (middle.added + middle.changed === 0) return { ...middle, bars: stored }
  const bars = joinBars([cutRows(stored, 0, from), middle.bars, cutRows(stored, to, stored.length)])
  return { ...middle, bars }
}

/** Bars one after the other. Several are copied into new columns, a single one is answered as it is. */
export function joinBars(parts: readonly Bars[]): Bars {
  const filled = parts.filter(part => part.length > 0)
  const [only] = filled
  if (only !== undefined && filled.length === 1) return only
  const length = filled.reduce((sum, part) => sum + part.length, 0)
  const join = (field: (typeof barFields)[number]): Float64Array => {
    const joined = new Float64Array(length)
    let at = 0
    for (const part of filled) {
      joined.set(part[field], at)
      at += part.length
    }
    return joined
  }
  return barsOfColumns(length, join)
}

/** Rows `from` to `to` (exclusive) as views. */
function cutRows(bars: Bars, from: number, to: number): Bars {
  return barsOfColumns(to - from, field => bars[field].subarray(from, to))
}

function interleave(stored: Bars, page: Bars): MergedBars {
  if (stored.length === 0) return { bars: page, added: page.length, changed: 0 }
  const builder = new BarsBuilder(stored.length + page.length)
  let [added, changed, at] = [0, 0, 0]
  for (let i = 0; i < page.length; i++) {
    const time = page.time[i] as number
    while (at < stored.length && (stored.time[at] as number) < time) builder.append(barAt(stored, at++))
    if (stored.time[at] !== time) added++
    else if (!isSameBar(stored, at++, page, i)) changed++
    builder.append(barAt(page, i))
  }
  while (at < stored.length) builder.append(barAt(stored, at++))
  return { bars: builder.build(), added, changed }
}

function isSameBar(stored: Bars, at: number, page: Bars, i: number): boolean {
  return barFields.every(field => stored[field][at] === page[field][i])
}

function barsOfColumns(length: number, column: (field: (typeof barFields)[number]) => Float64Array): Bars {
  return {
    length,
    time: column('time'),
    close_time: column('close_time'),
    open: column('open'),
    high: column('high'),
    low: column('low'),
    close: column('close'),
    volume: column('volume'),
  }
}
