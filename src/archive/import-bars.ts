import { closeSync, openSync, readSync } from 'node:fs'
import { gridOf } from '../market/bar-grid.ts'
import { type Bars, barFields, formatTime, truncateBars } from '../market/bars.ts'
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
  /** Epoch ms. Bars that close later are not stored. */
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
 * Reads the file chunk by chunk and publishes its bars as the dataset, all or nothing. Bars that are not complete
 * at `now` are left out, with a warning. Blocks: for worker threads.
 * @throws {Problem} 'bars-invalid' naming line or row and column, or when no bar is complete; 'params-invalid' as `publish`
 */
export async function importBars(task: ImportTask): Promise<Imported> {
  const { home, symbol, timeframe, format, path, definitions, source, now, pointer } = task
  const calendars = new Calendars(definitions)
  const writer = new BarsArchive(home, calendars).writer(symbol, timeframe)
  const warnings: string[] = []
  let calendar = task.calendar
  let closeTimeOf: ((openMs: number) => number) | null = null
  const unfinished = new UnfinishedBars(now)
  let count = 0
  try {
    const read = format === 'csv' ? readCsvFile : (await import('./import-parquet.ts')).readParquetFile
    for (const bars of read({ path, timeframe, warnings, maxBars: maxImportBars })) {
      count += bars.length
      if (count > maxImportBars) throw tooMany()
      calendar ??= inferCalendar(bars.time, timeframe, calendars)
      closeTimeOf ??= closeTimes(calendars, calendar, timeframe)
      for (let i = 0; i < bars.length; i++) bars.close_time[i] = closeTimeOf(bars.time[i] as number)
      writer.append(unfinished.leaveOut(bars))
    }
    if (calendar === null) throw new Problem('bars-invalid', 'the file holds no bars')
    unfinished.report(count, warnings)
    const published = await writer.publish({ source, now, calendar, pointer })
    return { ...published, warnings, calendar }
  } finally {
    writer.discard()
  }
}

/** Bars that close later than now: they may still change, so they are not stored. */
class UnfinishedBars {
  readonly #now: number
  #count = 0
  /** The earliest open time among them. */
  #firstMs = Number.POSITIVE_INFINITY

  constructor(now: number) {
    this.#now = now
  }

  /** @returns the complete ones, in their order; `bars` may not be used again */
  leaveOut(bars: Bars): Bars {
    let complete = 0
    for (let i = 0; i < bars.length; i++) {
      if ((bars.close_time[i] as number) > this.#now) {
        this.#count++
        this.#firstMs = Math.min(this.#firstMs, bars.time[i] as number)
        continue
      }
      if (complete < i) for (const field of barFields) bars[field][complete] = bars[field][i] as number
      complete++
    }
    return truncateBars(bars, complete)
  }

  /** @throws {Problem} 'bars-invalid' when nothing is left of all the bars of a file */
  report(all: number, warnings: string[]): void {
    if (this.#count === 0) return
    const first = formatTime(this.#firstMs)
    if (this.#count === all)
      throw new Problem('bars-invalid', `no bar of the file is complete yet: the first opens at ${first}`, {
        hint: 'A bar is stored once its close time has passed. Check the years and the unit of the time column.',
      })
    const [are, were] = this.#count === 1 ? ['bar is', 'was'] : ['bars are', 'were']
    warnings.push(`${this.#count} ${are} not complete yet and ${were} left out; the first opens at ${first}.`)
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
