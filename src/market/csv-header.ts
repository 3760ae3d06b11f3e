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

/** Names in letters alone. Where several columns mean the same, the one whose name comes first here is used. */
const meanings: Readonly<Record<Column, readonly string[]>> = {
  timestamp: [
    ...['opentime', 'opentimestamp', 'unix', 'unixtimestamp', 'unixtime', 'epoch', 'timestamp', 'datetime'],
    ...['timeutc', 'dateutc', 'datetimeutc', 'timestamputc', 'gmttime', 'localtime', 'datumzeit', 'ts'],
  ],
  date: ['date', 'tradedate', 'tradingdate', 'day', 'datum', 'data', 'fecha'],
  clock: ['time', 'zeit', 'hour'],
  open: ['open', 'o', 'openprice', 'eroffnung', 'erster', 'otwarcie', 'apertura', 'ouverture', 'ouv'],
  high: ['high', 'h', 'highprice', 'max', 'hoch', 'najwyzszy', 'maximo', 'haut'],
  low: ['low', 'l', 'lowprice', 'min', 'tief', 'najnizszy', 'minimo', 'bas'],
  close: [
    ...['close', 'c', 'closeprice', 'closelast', 'price', 'schluss', 'schlusskurs', 'zamkniecie'],
    ...['cierre', 'ultimo', 'cloture', 'clot', 'dernier'],
  ],
  volume: ['volume', 'vol', 'v', 'volumen', 'wolumen', 'stucke', 'tickvol', 'tickvolume'],
}

const columnOf = new Map<string, { readonly column: Column; readonly rank: number }>()
for (const [column, names] of Object.entries(meanings)) {
  names.forEach((name, rank) => {
    columnOf.set(name, { column: column as Column, rank })
  })
}

/** What a name comes down to, whatever its case, punctuation and accents ("Date Time", "<CLOSE>", "1. open"). */
export function bareName(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replaceAll('ł', 'l')
    .replace(/[^a-z]/g, '')
}

/**
 * Finds the columns by their names. Unknown columns, among them adjusted closes, are ignored: raw prices are stored.
 * A first column without a name is the time where there is no other, as is `__index_level_0__`: pandas writes its index so.
 * @returns the columns, or the reasons why the header cannot be used
 */
export function readHeader(names: readonly string[]): CsvColumns | readonly string[] {
  const { found, faults } = findColumns(names)
  const date = found.get('date')
  const clock = found.get('clock')
  const index = names.findIndex(
    (name, at) => (at === 0 && /^(unnamed: 0|index|)$/i.test(name)) || name === '__index_level_0__',
  )
  const time = found.get('timestamp') ?? date ?? clock ?? (index === -1 ? undefined : index)
  if (time === undefined) faults.push('there is no time column (Date, Time, Timestamp or Datetime)')
  for (const price of ['open', 'high', 'low', 'close'] as const) {
    if (!found.has(price)) faults.push(`there is no ${price} column`)
  }
  if (faults.length > 0) return faults
  const at = (column: Column) => found.get(column) ?? -1
  return {
    names: names.map((name, position) => (name === '' ? `column ${position + 1}` : name)),
    time: time ?? -1,
    clock: date !== undefined && time === date ? (clock ?? null) : null,
    open: at('open'),
    high: at('high'),
    low: at('low'),
    close: at('close'),
    volume: found.get('volume') ?? null,
  }
}

function findColumns(names: readonly string[]): { found: Map<Column, number>; faults: string[] } {
  const found = new Map<Column, number>()
  const ranks = new Map<Column, number>()
  const bares = new Set<string>()
  const faults: string[] = []
  names.forEach((name, position) => {
    const bare = bareName(name)
    const meaning = columnOf.get(bare) ?? volumeOf(bare)
    if (meaning === undefined) return
    if (bares.has(bare)) faults.push(`two columns are named like '${name}'`)
    bares.add(bare)
    const { column, rank } = meaning
    if (rank >= (ranks.get(column) ?? Number.POSITIVE_INFINITY)) return
    found.set(column, position)
    ranks.set(column, rank)
  })
  return { found, faults }
}

/** `Volume BTC` before `Volume USDT`: the first one is in units of what is traded. */
function volumeOf(bare: string): { column: 'volume'; rank: number } | undefined {
  return bare.startsWith('volume') ? { column: 'volume', rank: meanings.volume.length } : undefined
}

/** The columns of a file without a header: time, or date and time of day, then open, high, low, close, volume. */
export function columnsWithoutHeader(count: number, hasClock: boolean): CsvColumns {
  const known = ['time', ...(hasClock ? ['clock'] : []), 'open', 'high', 'low', 'close', 'volume']
  const first = hasClock ? 2 : 1
  return {
    names: Array.from({ length: count }, (_, position) => known[position] ?? `column ${position + 1}`),
    time: 0,
    clock: hasClock ? 1 : null,
    open: first,
    high: first + 1,
    low: first + 2,
    close: first + 3,
    volume: count > first + 4 ? first + 4 : null,
  }
}
