import type { priceFields } from './bars.ts'

/** Which cell of a row holds what. Positions are 0-based; null where the file has no such column. */
export type CsvColumns = {
  readonly names: readonly string[]
  readonly time: number
  /** A separate time of day, joined to the date. */
  readonly clock: number | null
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number | null
}

type Column = 'timestamp' | 'date' | 'clock' | (typeof priceFields)[number]

const meanings: Readonly<Record<string, Column>> = {
  timestamp: 'timestamp',
  datetime: 'timestamp',
  opentime: 'timestamp',
  unix: 'timestamp',
  epoch: 'timestamp',
  date: 'date',
  time: 'clock',
  open: 'open',
  o: 'open',
  high: 'high',
  h: 'high',
  low: 'low',
  l: 'low',
  close: 'close',
  c: 'close',
  volume: 'volume',
  vol: 'volume',
  v: 'volume',
}

const delimiters = [',', ';', '\t', '|'] as const

/** The delimiter that splits the header line into the most columns; a comma when none occurs. */
export function detectDelimiter(header: string): string {
  const unquoted = header.replace(/"[^"]*"/g, '')
  let best: string = ','
  let most = 0
  for (const delimiter of delimiters) {
    const count = unquoted.split(delimiter).length - 1
    if (count > most) {
      best = delimiter
      most = count
    }
  }
  return best
}

/**
 * Finds the columns by their names, whatever the case and punctuation ("Date Time", "<CLOSE>", "1. open").
 * Unknown columns, among them adjusted closes, are ignored: raw prices are stored.
 * @returns the columns, or the reasons why the header cannot be used
 */
export function readHeader(names: readonly string[]): CsvColumns | readonly string[] {
  const found = new Map<Column, number>()
  const faults: string[] = []
  names.forEach((name, position) => {
    const meaning = meanings[name.toLowerCase().replace(/[^a-z]/g, '')]
    if (meaning === undefined) return
    if (found.has(meaning)) faults.push(`two columns are named like '${name}'`)
    else found.set(meaning, position)
  })
  const date = found.get('date')
  const clock = found.get('clock')
  const time = found.get('timestamp') ?? date ?? clock
  if (time === undefined) faults.push('there is no time column (Date, Time, Timestamp or Datetime)')
  for (const price of ['open', 'high', 'low', 'close'] as const) {
    if (!found.has(price)) faults.push(`there is no ${price} column`)
  }
  if (faults.length > 0) return faults
  const at = (column: Column) => found.get(column) ?? -1
  return {
    names,
    time: time ?? -1,
    clock: date !== undefined && time === date ? (clock ?? null) : null,
    open: at('open'),
    high: at('high'),
    low: at('low'),
    close: at('close'),
    volume: found.get('volume') ?? null,
  }
}
