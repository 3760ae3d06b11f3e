import { Problem } from '../problems.ts'
import { type Bars, findBarFault, type priceFields } from './bars.ts'
import { BarChunks } from './csv-chunks.ts'
import { type HeldRow, maxHeldRows, orderThatFits, timeOf } from './csv-dates.ts'
import { CsvFaults, clip } from './csv-faults.ts'
import { type CsvFormat, detectFormat } from './csv-format.ts'
import { LineSplitter } from './csv-lines.ts'
import { parseCsvNumber } from './csv-number.ts'
import { RowOrder } from './csv-order.ts'
import { CsvRow } from './csv-row.ts'
import { characterOf, splitLine } from './csv-split.ts'
import { type DateOrder, parseCsvTime, provenOrder, timeForms } from './csv-time.ts'
import { closeTimeMs, type Timeframe } from './timeframe.ts'

export { maxCsvLine } from './csv-lines.ts'

/** Bars in a chunk that `take` gives out. */
export const chunkBars = 50_000

type Row = { readonly cells: readonly string[]; readonly content: string }
/** Everything known once the first lines are read. */
type Reading = CsvFormat & { readonly plain: CsvRow }

/**
 * Reads bars from CSV text that arrives in pieces of any size; how it is cut never changes the result.
 * Delimiter, columns, number and date style are found out from the text. Rows are oldest first or newest first
 * throughout. Memory is a few chunks of bars for whoever calls `take` after each `write`; without, `end` gives all
 * bars at once. One line is one row: quotes may not span lines.
 */
export class CsvBarsReader {
  /** Remarks about what was read, such as a missing volume column. Complete after `end`. */
  readonly warnings: string[] = []
  private readonly faults: CsvFaults = new CsvFaults()
  private readonly chunks: BarChunks
  private readonly order: RowOrder
  private readonly lines: LineSplitter
  private reading: Reading | null = null
  private dateOrder: DateOrder | null = null
  private held: HeldRow[] = []
  private line = 0
  private rows = 0
  private missingVolumes = 0

  /** @param options.closeTimeOf when a bar that opens at a time is complete; by default a whole timeframe later */
  constructor(options: { timeframe: Timeframe; closeTimeOf?: (openMs: number) => number }) {
    const { timeframe, closeTimeOf = openMs => closeTimeMs(openMs, timeframe) } = options
    this.chunks = new BarChunks(chunkBars, closeTimeOf)
    this.order = new RowOrder(timeframe)
    this.lines = new LineSplitter({
      head: head => this.start(head),
      line: (bytes, start, end) => this.readLine(bytes, start, end),
    })
  }

  /** @throws {Problem} 'bars-invalid' as soon as 20 faults are known, a line is too long or the text is not UTF-8 */
  write(piece: string | Uint8Array): void {
    this.lines.write(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
  }

  /**
   * The next 50,000 bars, oldest first inside, or null until so many are read. Chunks of a file that is newest first
   * come newest chunk first.
   */
  take(): Bars | null {
    return this.faults.any ? null : this.chunks.take(this.order.descending)
  }

  /** The bars not taken, oldest first, checked. @throws {Problem} 'bars-invalid' with every fault found (at most 20) */
  end(): Bars {
    this.lines.end()
    if (this.held.length > 0) this.settleDates()
    if (this.faults.any) this.faults.refuse()
    if (this.rows === 0) {
      this.faults.report({
        code: 'empty',
        message: 'there are no rows below the header',
        line: Math.max(1, this.line),
      })
      this.faults.refuse()
    }
    if (this.reading?.columns.volume === null)
      this.warnings.push('The file has no volume column: volume is 0 in every bar.')
    if (this.missingVolumes > 0)
      this.warnings.push(`${this.missingVolumes} rows have no volume: it is 0 there.`)
    return this.chunks.rest(this.order.descending)
  }

  private start(head: Uint8Array): void {
    const format = detectFormat(
      this.decode(head)
        .split('\n')
        .map(line => line.replace(/\r$/, '')),
    )
    if (!('columns' in format)) {
      for (const fault of format) this.faults.report(fault)
      this.faults.refuse()
    }
    const { columns, delimiter, style } = format
    this.warnings.push(...format.warnings)
    this.reading = { ...format, plain: new CsvRow(columns, delimiter, style) }
  }

  private decode(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      // A fatal decoder has one reason to throw.
      const where = this.line === 0 ? '' : `line ${this.line}: `
      throw new Problem('bars-invalid', `${where}the text is not UTF-8`, {
        hint: 'Save the file with the encoding UTF-8.',
      })
    }
  }

  private readLine(bytes: Uint8Array, start: number, end: number): void {
    const reading = this.reading
    this.line++
    if (reading === null || this.line <= reading.headerLines) return
    const { plain } = reading
    if (this.held.length === 0 && plain.read(bytes, start, end, this.dateOrder)) {
      const disorder = this.order.next(plain.time)
      this.rows++
      if (disorder === null) this.chunks.add(plain)
      else
        this.reportCell(
          reading,
          { content: this.decode(bytes.subarray(start, end)) },
          reading.columns.time,
          disorder,
        )
      return
    }
    const content = this.decode(bytes.subarray(start, end))
    if (content.trim() === '') return
    this.rows++
    const cells = splitLine(content, reading.delimiter)
    if (cells === null)
      this.faults.report({ code: 'quotes', message: 'the quotes do not match', line: this.line })
    else this.readRow(reading, { cells, content })
  }

  private readRow(reading: Reading, row: Row): void {
    const { columns } = reading
    if (row.cells.length !== columns.names.length) {
      const message = `there are ${row.cells.length} cells, but the header has ${columns.names.length} columns`
      this.faults.report({ code: 'cells', message, line: this.line })
      return
    }
    const time = this.readTime(reading, row)
    const open = this.readNumber(reading, row, 'open')
    const high = this.readNumber(reading, row, 'high')
    const low = this.readNumber(reading, row, 'low')
    const close = this.readNumber(reading, row, 'close')
    const volume = this.readVolume(reading, row)
    if (time === null || open === null || high === null || low === null || close === null || volume === null)
      return
    const fault = findBarFault({ open, high, low, close, volume })
    if (fault !== null) this.reportCell(reading, row, columns[fault.field] ?? -1, fault)
    const held = { line: this.line, time, open, high, low, close, volume }
    if (this.held.length > 0 || typeof time !== 'number') this.hold(held)
    else this.accept({ ...held, time }, row)
  }

  private accept(row: HeldRow & { time: number }, source: { content: string } | null): void {
    const disorder = this.order.next(row.time)
    if (disorder === null) this.chunks.add(row)
    else if (this.reading !== null)
      this.reportCell(this.reading, source, this.reading.columns.time, disorder, row.line)
  }

  private hold(row: HeldRow): void {
    this.held.push(row)
    if (this.held.length >= maxHeldRows) this.settleDates()
  }

  /** Once no row has shown whether days or months come first, their order may. */
  private settleDates(): void {
    const order = orderThatFits(this.held, this.order)
    if (order !== null) {
      this.releaseHeld(order)
      return
    }
    if (this.faults.any) this.faults.refuse()
    const { columns } = this.reading ?? {}
    this.faults.report({
      code: 'ambiguous_date',
      message: 'this date may be day/month/year or month/day/year, and no row of the file tells which',
      line: this.held[0]?.line ?? this.line,
      name: columns?.names[columns.time] ?? 'time',
    })
    this.faults.refuse('Write the dates as YYYY-MM-DD, or send more rows: a day above 12 decides.')
  }

  private releaseHeld(order: DateOrder): void {
    const { held } = this
    this.dateOrder = order
    this.held = []
    for (const row of held) this.accept({ ...row, time: timeOf(row.time, order) }, null)
  }

  private readTime(reading: Reading, row: Row): HeldRow['time'] | null {
    const { columns } = reading
    const date = row.cells[columns.time] ?? ''
    const clock = columns.clock === null ? '' : ` ${row.cells[columns.clock] ?? ''}`
    const text = `${date}${clock}`.trim()
    const proven = this.dateOrder === null ? provenOrder(text) : null
    if (proven !== null) this.releaseHeld(proven)
    const time = parseCsvTime(text, this.dateOrder)
    if (time === null)
      this.reportCell(reading, row, columns.time, {
        code: 'time',
        message: `'${clip(date + clock)}' is not a time (${timeForms})`,
      })
    return time
  }

  private readVolume(reading: Reading, row: Row): number | null {
    const { volume } = reading.columns
    if (volume === null) return 0
    if (!/^(|-|null|nan|n\/a)$/i.test(row.cells[volume] ?? '')) return this.readNumber(reading, row, 'volume')
    this.missingVolumes++
    return 0
  }

  private readNumber(reading: Reading, row: Row, field: (typeof priceFields)[number]): number | null {
    const position = reading.columns[field] ?? -1
    const text = row.cells[position] ?? ''
    const value = parseCsvNumber(text, reading.style)
    if (value !== null) return value
    const message = text === '' ? `${field} is empty` : `${field} '${clip(text)}' is not a number`
    this.reportCell(reading, row, position, { code: 'number', message })
    return null
  }

  private reportCell(
    { columns, delimiter }: CsvFormat,
    source: { readonly content: string } | null,
    position: number,
    fault: { code: string; message: string },
    line = this.line,
  ): void {
    const name = columns.names[position] ?? String(position)
    const column = source === null ? null : characterOf(source.content, position, delimiter)
    this.faults.report({ code: fault.code, message: fault.message, line, name, column })
  }
}
