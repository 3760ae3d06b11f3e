import { type CsvColumns, columnsWithoutHeader, readHeader } from './csv-header.ts'
import { detectNumberStyle, type NumberStyle, parseCsvNumber } from './csv-number.ts'
import { splitLine } from './csv-split.ts'
import { parseCsvTime } from './csv-time.ts'

/** How a file is written. */
export type CsvFormat = {
  readonly delimiter: string
  readonly columns: CsvColumns
  readonly style: NumberStyle
  /** Lines above the first row. */
  readonly headerLines: number
  readonly warnings: readonly string[]
}

/** Why a file cannot be read. `line` is 1-based. */
export type FormatFault = { readonly line: number; readonly code: string; readonly message: string }

/** The header is one of the first lines that are not empty. */
const maxPreamble = 10
const maxSampleRows = 200
const delimiters = ['\t', ';', '|', ','] as const

/**
 * Finds out how a file is written from its first lines: delimiter, columns (with or without a header, and with
 * other lines above it) and the style of its numbers.
 */
export function detectFormat(lines: readonly string[]): CsvFormat | readonly FormatFault[] {
  const numbered = lines
    .map((text, index) => ({ text, line: index + 1 }))
    .filter(({ text }) => text.trim() !== '')
  const [first] = numbered
  if (first === undefined) return [{ line: 1, code: 'empty', message: 'there is no header line' }]
  for (const { text, line } of numbered.slice(0, maxPreamble)) {
    const header = findHeader(text)
    if (header === null) continue
    const skipped = line === first.line ? [] : [`What stands above the header in line ${line} was skipped.`]
    return withStyle({ ...header, headerLines: line, warnings: skipped }, lines)
  }
  const bare = findRow(first.text)
  if (bare !== null) {
    const warnings = [`The file has no header: its columns were read as ${bare.columns.names.join(', ')}.`]
    return withStyle({ ...bare, headerLines: 0, warnings }, lines)
  }
  const faulty = numbered.find(({ text }) => !/^(https?:|#|sep=)/i.test(text.trim())) ?? first
  const faults = readHeader(splitLine(faulty.text, likelyDelimiters(faulty.text)[0] ?? ',') ?? [])
  const messages = 'names' in faults ? [] : faults
  return messages.map(message => ({ line: faulty.line, code: 'header', message }))
}

type Found = { readonly delimiter: string; readonly columns: CsvColumns }

/** Those that occur, the one that splits the line into the most cells first; a comma when none does. */
function likelyDelimiters(line: string): string[] {
  const unquoted = line.replace(/"[^"]*"/g, '')
  const counts = new Map(delimiters.map(delimiter => [delimiter, unquoted.split(delimiter).length - 1]))
  const count = (delimiter: (typeof delimiters)[number]) => counts.get(delimiter) ?? 0
  const found = delimiters.filter(delimiter => count(delimiter) > 0).sort((a, b) => count(b) - count(a))
  return found.length > 0 ? found : [',']
}

function findHeader(line: string): Found | null {
  for (const delimiter of likelyDelimiters(line)) {
    const columns = readHeader(splitLine(line, delimiter) ?? [])
    if ('names' in columns) return { delimiter, columns }
  }
  return null
}

/** A first row of a file without a header: a time and at least four numbers. */
function findRow(line: string): Found | null {
  for (const delimiter of likelyDelimiters(line)) {
    const cells = splitLine(line, delimiter) ?? []
    const hasClock = /^\d{1,2}:\d{2}(:\d{2})?$/.test(cells[1] ?? '')
    const time = hasClock ? `${cells[0]} ${cells[1]}` : (cells[0] ?? '')
    if (parseCsvTime(time, null) === null || /^-?\d{1,7}(\.\d*)?$/.test(time)) continue
    const first = hasClock ? 2 : 1
    const prices = cells.slice(first, first + 4)
    const isNumber = (cell: string) =>
      parseCsvNumber(cell, 'point') !== null || parseCsvNumber(cell, 'comma') !== null
    if (prices.length === 4 && prices.every(isNumber))
      return { delimiter, columns: columnsWithoutHeader(cells.length, hasClock) }
  }
  return null
}

function withStyle(
  format: Omit<CsvFormat, 'style'>,
  lines: readonly string[],
): CsvFormat | readonly FormatFault[] {
  const { columns, delimiter, headerLines } = format
  const positions = [columns.open, columns.high, columns.low, columns.close, columns.volume]
  const cells: string[] = []
  for (const line of lines.slice(headerLines, headerLines + maxSampleRows)) {
    const row = splitLine(line, delimiter) ?? []
    for (const position of positions) if (position !== null) cells.push(row[position] ?? '')
  }
  const style = detectNumberStyle(cells, delimiter)
  if (style !== null) return { ...format, style }
  const example = cells.find(cell => cell.includes(',')) ?? ''
  const message = `'${example}' may be meant with a decimal comma or with a thousands separator, and nothing in the file tells: write numbers with a decimal point and without separators`
  return [{ line: headerLines + 1, code: 'ambiguous_number', message }]
}
