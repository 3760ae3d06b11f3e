import type { CsvColumns } from './csv-header.ts'
import { type NumberStyle, parseCsvNumber, readDecimal } from './csv-number.ts'
import type { DateOrder } from './csv-time.ts'
import { readClock, readTime } from './csv-time-bytes.ts'

const quote = 34

/**
 * Reads one row from its bytes where it is written the plain way, about a microsecond each. The values of the row
 * read last stand in the fields: nothing is allocated per row.
 */
export class CsvRow {
  time = Number.NaN
  open = Number.NaN
  high = Number.NaN
  low = Number.NaN
  close = Number.NaN
  volume = Number.NaN
  private readonly columns: CsvColumns
  private readonly delimiter: number
  private readonly point: number
  private readonly style: NumberStyle
  /** Where each cell begins; one more for where the line ends. */
  private readonly starts: Int32Array

  constructor(columns: CsvColumns, delimiter: string, style: NumberStyle) {
    this.columns = columns
    this.style = style
    this.delimiter = delimiter.charCodeAt(0)
    this.point = (style === 'point' ? '.' : ',').charCodeAt(0)
    this.starts = new Int32Array(columns.names.length + 1)
  }

  /**
   * @param order how dates are written; null while unknown
   * @returns false when bytes[start, end) need a closer look: they are not plain, or there is something wrong with them
   */
  read(bytes: Uint8Array, start: number, end: number, order: DateOrder | null): boolean {
    if (!this.split(bytes, start, end)) return false
    const { columns, starts } = this
    const time = readTime(bytes, starts[columns.time] as number, this.endOf(columns.time), order)
    const clock =
      columns.clock === null
        ? 0
        : readClock(bytes, starts[columns.clock] as number, this.endOf(columns.clock))
    this.time = time + clock
    this.open = this.number(bytes, columns.open)
    this.high = this.number(bytes, columns.high)
    this.low = this.number(bytes, columns.low)
    this.close = this.number(bytes, columns.close)
    this.volume = columns.volume === null ? 0 : this.number(bytes, columns.volume)
    return this.isSound()
  }

  private split(bytes: Uint8Array, start: number, end: number): boolean {
    const { starts, delimiter } = this
    const cells = starts.length - 1
    let cell = 1
    starts[0] = start
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number
      if (byte === delimiter) {
        if (cell >= cells) return false
        starts[cell++] = i + 1
      } else if (byte === quote || byte > 127) return false
    }
    starts[cell] = end + 1
    return cell === cells
  }

  private endOf(cell: number): number {
    return (this.starts[cell + 1] as number) - 1
  }

  private number(bytes: Uint8Array, cell: number): number {
    const start = this.starts[cell] as number
    const end = this.endOf(cell)
    const value = readDecimal(bytes, start, end, this.point)
    // Programs print doubles with up to 17 digits.
    if (!Number.isNaN(value) || end - start <= 15 || end - start > 40) return value
    return parseCsvNumber(String.fromCharCode(...bytes.subarray(start, end)), this.style) ?? Number.NaN
  }

  /** What `findBarFault` checks; false for NaN too. */
  private isSound(): boolean {
    const { open, high, low, close } = this
    return (
      low > 0 &&
      open >= low &&
      open <= high &&
      close >= low &&
      close <= high &&
      this.volume >= 0 &&
      !Number.isNaN(this.time)
    )
  }
}
