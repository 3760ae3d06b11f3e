import { sliceBars } from '../market/bars.ts'
import { barsTable } from './bars-table.ts'
import { readSegment, type Segment } from './segments.ts'
import { renderTable, type TableFormat } from './tables.ts'

/** The bars of a segment whose open time is in [start, end), epoch ms; null is unbounded. */
export type BarsSlice = {
  readonly segment: Segment
  readonly start: number | null
  readonly end: number | null
  readonly format: TableFormat
}

/** The slice in its format; blocks. @throws {Problem} as `readSegment` */
export function renderSlice({ segment, start, end, format }: BarsSlice): Uint8Array {
  return renderTable(barsTable(sliceBars(readSegment(segment), start, end)), format)
}
