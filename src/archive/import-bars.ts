import { closeSync, openSync, readSync } from 'node:fs'
import { gridOf } from '../market/bar-grid.ts'
import type { Bars } from '../market/bars.ts'
import type { CalendarDefinition } from '../market/calendar.ts'
import { Calendars } from '../market/calendars.ts'
import { CsvBarsReader } from '../market/csv.ts'
import { inferCalendar } from '../market/infer-calendar.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { BarsArchive, type Published } from './bars.ts'

/** A file about to become a dataset. Plain data: it crosses to a thread. */
export type ImportTask = {
  /** The data folder. */
  readonly home: string
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly format: 'csv' | 'parquet'
  /** The file, on disk. It is only read. */
  readonly path: string
  /** Name of the market's calendar; null: inferred from the bars. */
  readonly calendar: string | null
  /** The operator's calendars. */
  readonly definitions: readonly CalendarDefinition[]
  readonly source: string
  /** Epoch ms. */
  readonly now: number
  /** JSON pointer to the object in the request that names symbol and timeframe. */
  readonly pointer: string
}

/** What became of it. */
export type Imported = Published & { readonly warnings: string[]; readonly calendar: string }

/** What a reader of files is told. */
export type ImportSource = {
  readonly path: string
  readonly timeframe: Timeframe
  /** Remarks are added here; complete when the last chunk is out. */
  readonly warnings: string[]
  readonly maxBars: number
}

/** A century of minutes; also what bounds a file of a few bytes that unpacks to billions. */
const maxImportBars = 50_000_000
const readBytes = 512 * 1024

/**
 * Reads the file chunk by chunk and publishes its bars as the dataset, all or nothing. Blocks: for worker threads.
 * @throws {Problem} 'bars-invalid' naming line or row and column; 'params-invalid' as `publish`
 */
export async function importBars(task: ImportTask): Promise<Imported> {
  const { home, symbol, timeframe, format, path, definitions, source, now, pointer } = task
  const calendars = new Calendars(definitions)
  const writer = new BarsArchive(home, calendars).writer(symbol, timeframe)
  const warnings: string[] = []
  let calendar = task.calendar
  let closeTimeOf: ((openMs: number) => number) | null = null
  let count = 0
  try {
    const read = format === 'csv' ? readCsvFile : (await import('./import-parquet.ts')).readParquetFile
    for (const bars of read({ path, timeframe, warnings, maxBars: maxImportBars })) {
      count += bars.length
      if (count > maxImportBars) throw tooMany()
      calendar ??= inferCalendar(bars.time, timeframe, calendars)
      closeTimeOf ??= closeTimes(calendars, calendar, timeframe)
      for (let i = 0; i < bars.length; i++) bars.close_time[i] = closeTimeOf(bars.time[i] as number)
      writer.append(bars)
    }
    if (calendar === null) throw new Problem('bars-invalid', 'the file holds no bars')
    const published = await writer.publish({ source, now, calendar, pointer })
    return { ...published, warnings, calendar }
  } finally {
    writer.discard()
  }
}

function tooMany(): Problem {
  return new Problem('bars-invalid', `the file has more than ${maxImportBars} bars`, {
    hint: 'Import a longer timeframe, or a shorter span.',
  })
}

function closeTimes(calendars: Calendars, name: string, timeframe: Timeframe): (openMs: number) => number {
  const grid = gridOf(calendars.get(name), timeframe)
  return openMs => grid.closeTimeOf(openMs)
}

function* readCsvFile({ path, timeframe, warnings }: ImportSource): Generator<Bars> {
  const reader = new CsvBarsReader({ timeframe })
  const file = openSync(path, 'r')
  try {
    const buffer = new Uint8Array(readBytes)
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      reader.write(buffer.subarray(0, read))
      for (let bars = reader.take(); bars !== null; bars = reader.take()) yield bars
    }
    yield reader.end()
    warnings.push(...reader.warnings)
  } finally {
    closeSync(file)
  }
}
