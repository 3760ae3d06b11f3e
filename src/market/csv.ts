import { parse } from 'csv-parse/sync'
import { type FieldError, Problem } from '../problems.ts'
import { type Bars, findBarFault, maxBarErrors, type priceFields } from './bars.ts'
import { BarsBuilder } from './bars-builder.ts'
import { type CsvColumns, detectDelimiter, readHeader } from './csv-header.ts'
import { RowOrder } from './csv-order.ts'
import { parseCsvTime, timeForms } from './csv-time.ts'
import { closeTimeMs, type Timeframe } from './timeframe.ts'

/** Characters; a longer line is refused before it can fill the memory. */
export const maxCsvLine = 65_536

type Row = { readonly cells: readonly string[]; readonly content: string }

/**
 * Reads bars from CSV text that arrives in chunks of any size; how it is cut never changes the result.
 * The first line that is not empty names the columns. Rows are oldest first or newest first throughout.
 * Memory beyond the bars themselves is one line. One line is one row: quotes may not span lines.
 */
export class CsvBarsReader {
  /** Remarks about what was read, such as a missing volume column. Complete after `end`. */
  readonly warnings: string[] = []
  private readonly timeframe: Timeframe
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  private readonly bars = new BarsBuilder()
  private readonly order: RowOrder
  private readonly errors: FieldError[] = []
  private rest = ''
  private line = 0
  private delimiter = ','
  private columns: CsvColumns | null = null

  constructor(options: { timeframe: Timeframe }) {
    this.timeframe = options.timeframe
    this.order = new RowOrder(options.timeframe)
  }

  /** @throws {Problem} 'bars-invalid' as soon as 20 faults are known, a line is too long or the text is not UTF-8 */
  write(chunk: string | Uint8Array): void {
    this.read(typeof chunk === 'string' ? chunk : this.decode(chunk))
  }

  /** The bars, oldest first, checked. @throws {Problem} 'bars-invalid' with every fault found (at most 20) */
  end(): Bars {
    this.read(this.decode(null))
    if (this.rest !== '') this.readLine(this.rest)
    this.rest = ''
    if (this.columns === null && this.errors.length === 0)
      this.report({ code: 'empty', message: 'there is no header line' })
    if (this.errors.length > 0) this.refuse()
    if (this.bars.length === 0) {
      this.report({ code: 'empty', message: 'there are no rows below the header' })
      this.refuse()
    }
    if (this.columns?.volume === null)
      this.warnings.push('The file has no volume column: volume is 0 in every bar.')
    if (this.order.descending) this.bars.reverse()
    return this.bars.build()
  }

  private decode(chunk: Uint8Array | null): string {
    try {
      return chunk === null ? this.decoder.decode() : this.decoder.decode(chunk, { stream: true })
    } catch {
      // A fatal decoder has one reason to throw.
      throw new Problem('bars-invalid', 'the text is not UTF-8', {
        hint: 'Save the file with the encoding UTF-8.',
      })
    }
  }

  private read(text: string): void {
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = this.rest + text.slice(start, end)
      this.rest = ''
      this.readLine(line)
      start = end + 1
    }
    this.rest += text.slice(start)
    if (this.rest.length > maxCsvLine) this.readLine(this.rest)
  }

  private readLine(text: string): void {
    this.line++
    if (text.length > maxCsvLine) {
      this.report({ code: 'line_too_long', message: `the line is longer than ${maxCsvLine} characters` })
      this.refuse()
    }
    let content = text.endsWith('\r') ? text.slice(0, -1) : text
    if (this.line === 1 && content.startsWith('\uFEFF')) content = content.slice(1)
    if (content.trim() === '') return
    if (this.columns === null) {
      this.readHeader(content)
      return
    }
    const cells = this.split(content)
    if (cells !== null) this.readRow({ cells, content }, this.columns)
    if (this.errors.length >= maxBarErrors) this.refuse()
  }

  private readHeader(content: string): void {
    this.delimiter = detectDelimiter(content)
    const names = this.split(content)
    const header = names === null ? [] : readHeader(names)
    if ('names' in header) {
      this.columns = header
      return
    }
    for (const fault of header) this.report({ code: 'header', message: fault })
    this.refuse()
  }

  /** Only a line with a quote needs the full grammar; the others are split, an order of magnitude faster. */
  private split(content: string): readonly string[] | null {
    if (!content.includes('"')) return content.split(this.delimiter).map(cell => cell.trim())
    try {
      const rows: string[][] = parse(content, {
        delimiter: this.delimiter,
        relax_column_count: true,
        trim: true,
      })
      return rows[0] ?? []
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.report({ code: 'quotes', message: 'the quotes do not match' })
      return null
    }
  }

  private readRow(row: Row, columns: CsvColumns): void {
    if (row.cells.length !== columns.names.length) {
      const message = `there are ${row.cells.length} cells, but the header has ${columns.names.length} columns`
      this.report({ code: 'cells', message })
      return
    }
    const time = this.readTime(row, columns)
    const open = this.readNumber(row, columns, 'open')
    const high = this.readNumber(row, columns, 'high')
    const low = this.readNumber(row, columns, 'low')
    const close = this.readNumber(row, columns, 'close')
    const volume = columns.volume === null ? 0 : this.readNumber(row, columns, 'volume')
    if (time === null || open === null || high === null || low === null || close === null || volume === null)
      return
    const fault = findBarFault({ open, high, low, close, volume })
    if (fault !== null) this.reportCell(row, columns[fault.field] ?? -1, fault)
    const disorder = this.order.next(time)
    if (disorder !== null) this.reportCell(row, columns.time, disorder)
    this.bars.append({ time, close_time: closeTimeMs(time, this.timeframe), open, high, low, close, volume })
  }

  private readTime(row: Row, columns: CsvColumns): number | null {
    const date = row.cells[columns.time] ?? ''
    const clock = columns.clock === null ? '' : ` ${row.cells[columns.clock] ?? ''}`
    const time = parseCsvTime(`${date}${clock}`.trim())
    if (time === null) {
      this.reportCell(row, columns.time, {
        code: 'time',
        message: `'${clip(date + clock)}' is not a time (${timeForms})`,
      })
    }
    return time
  }

  private readNumber(row: Row, columns: CsvColumns, field: (typeof priceFields)[number]): number | null {
    const position = columns[field] ?? -1
    const text = row.cells[position] ?? ''
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
    const message = text === '' ? `${field} is empty` : `${field} '${clip(text)}' is not a number`
    this.reportCell(row, position, { code: 'number', message })
    return null
  }

  private reportCell(row: Row, position: number, fault: { code: string; message: string }): void {
    const name = this.columns?.names[position] ?? String(position)
    const at = this.positionOf(row.content, position)
    this.report({ ...fault, name, ...(at === null ? {} : { column: at }) })
  }

  /** 1-based character of a cell; unknown in a quoted line, where cells are not what is written. */
  private positionOf(content: string, cell: number): number | null {
    const cells = content.split(this.delimiter)
    const text = cells[cell]
    if (text === undefined || content.includes('"')) return null
    const before = cells.slice(0, cell).reduce((sum, other) => sum + other.length + 1, 0)
    return before + (text.length - text.trimStart().length) + 1
  }

  private report(fault: { code: string; message: string; name?: string; column?: number }): void {
    const { code, message, name, column } = fault
    this.errors.push({
      pointer:
        name === undefined
          ? `/lines/${this.line}`
          : `/lines/${this.line}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      code,
      message:
        name === undefined
          ? `line ${this.line}: ${message}`
          : `line ${this.line}, column ${name}: ${message}`,
      line: Math.max(1, this.line),
      ...(column === undefined ? {} : { column }),
    })
  }

  private refuse(): never {
    const errors = this.errors.slice(0, maxBarErrors)
    throw new Problem('bars-invalid', errors[0]?.message ?? 'the text holds no bars', { errors })
  }
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
