import { type Bars, findBarFault, maxBarErrors } from '../market/bars.ts'
import { BarChunks } from '../market/csv-chunks.ts'
import { RowOrder } from '../market/csv-order.ts'
import { closeTimeMs, type Timeframe } from '../market/timeframe.ts'
import { type FieldError, Problem } from '../problems.ts'
import type { ImportSource } from './import-bars.ts'
import {
  chunkOf,
  damagedUnless,
  openParquet,
  type ParquetColumn,
  type ParquetFile,
} from './import-parquet-file.ts'
import { ColumnPages, type Page } from './import-parquet-pages.ts'
import { ParquetSource } from './import-parquet-source.ts'

const chunkBars = 50_000
type Field = 'time' | 'clock' | 'open' | 'high' | 'low' | 'close' | 'volume'

/**
 * The bars of a Parquet file in chunks, as `CsvBarsReader` gives them; in memory are one page of each column and one
 * chunk. Columns are found by the same names as in CSV. Blocks: for worker threads.
 * @throws {Problem} 'bars-invalid' naming row and column (row 1 is the first of the file)
 */
export function* readParquetFile({ path, timeframe, warnings, maxBars }: ImportSource): Generator<Bars> {
  const source = new ParquetSource(path)
  try {
    const file = openParquet(source)
    const rows = Number(file.metadata.num_rows)
    if (rows > maxBars)
      throw new Problem('bars-invalid', `the file has ${rows} rows; at most ${maxBars} are taken`)
    if (rows === 0) throw new Problem('bars-invalid', 'the file has no rows')
    yield* new RowReader(source, file, timeframe).chunks(warnings)
  } finally {
    source.close()
  }
}

class RowReader {
  readonly #source: ParquetSource
  readonly #file: ParquetFile
  readonly #order: RowOrder
  readonly #chunks: BarChunks
  readonly #errors: FieldError[] = []
  /** Rows read so far. */
  #rows = 0
  #missingVolumes = 0

  constructor(source: ParquetSource, file: ParquetFile, timeframe: Timeframe) {
    this.#source = source
    this.#file = file
    this.#order = new RowOrder(timeframe)
    this.#chunks = new BarChunks(chunkBars, openMs => closeTimeMs(openMs, timeframe))
  }

  *chunks(warnings: string[]): Generator<Bars> {
    for (let group = 0; group < this.#file.metadata.row_groups.length; group++) yield* this.#readGroup(group)
    if (this.#errors.length > 0) this.#refuse()
    if (this.#file.columns.volume === null)
      warnings.push('The file has no volume column: volume is 0 in every bar.')
    if (this.#missingVolumes > 0) warnings.push(`${this.#missingVolumes} rows have no volume: it is 0 there.`)
    yield this.#chunks.rest(this.#order.descending)
  }

  *#readGroup(group: number): Generator<Bars> {
    let left = Number(this.#file.metadata.row_groups[group]?.num_rows ?? 0)
    if (left === 0) return
    const cursors = this.#cursors(group)
    while (left > 0) {
      let step = left
      for (const cursor of cursors.values()) step = Math.min(step, cursor.available())
      for (let i = 0; i < step; i++) this.#readRow(cursors)
      left -= step
      if (this.#errors.length > 0) continue
      for (let bars = this.#take(); bars !== null; bars = this.#take()) yield bars
    }
  }

  #take(): Bars | null {
    return this.#chunks.take(this.#order.descending)
  }

  #cursors(group: number): Cursors {
    const cursors: Cursors = new Map()
    for (const [field, column] of Object.entries(this.#file.columns) as [Field, ParquetColumn | null][]) {
      if (column === null) continue
      const where = `row group ${group + 1}, column ${column.name}`
      const pages = damagedUnless(
        where,
        () => new ColumnPages(this.#source, chunkOf(this.#file.metadata, group, column)),
      )
      cursors.set(field, new Cursor(column.name, () => damagedUnless(where, () => pages.next())))
    }
    return cursors
  }

  #readRow(cursors: Cursors): void {
    this.#rows++
    const time = this.#value(cursors, 'time') + (cursors.has('clock') ? this.#value(cursors, 'clock') : 0)
    const open = this.#value(cursors, 'open')
    const high = this.#value(cursors, 'high')
    const low = this.#value(cursors, 'low')
    const close = this.#value(cursors, 'close')
    const volume = this.#volume(cursors)
    if (Number.isNaN(time + open + high + low + close + volume)) return
    const row = { time, open, high, low, close, volume }
    const fault = findBarFault(row)
    if (fault !== null) this.#report(fault, cursors.get(fault.field))
    const disorder =
      Math.abs(time) > 8.64e15 ? { code: 'time', message: `${time} is not a time` } : this.#order.next(time)
    if (disorder !== null) this.#report(disorder, cursors.get('time'))
    if (fault === null && disorder === null) this.#chunks.add(row)
  }

  /** NaN is reported: it can be neither a time nor a price. */
  #value(cursors: Cursors, field: Field): number {
    const cursor = cursors.get(field)
    const value = cursor?.next() ?? Number.NaN
    if (Number.isNaN(value)) {
      const what = field === 'time' || field === 'clock' ? 'time (ISO 8601 in a text column)' : 'number'
      const message = cursor?.wasNull() ? `${field} is null` : `${field} is not a ${what}`
      this.#report({ code: field === 'time' ? 'time' : 'number', message }, cursor)
    }
    return value
  }

  #volume(cursors: Cursors): number {
    const cursor = cursors.get('volume')
    if (cursor === undefined) return 0
    const value = cursor.next()
    if (!Number.isNaN(value)) return value
    // pandas writes what is missing as NaN.
    this.#missingVolumes++
    return 0
  }

  #report(fault: { code: string; message: string }, cursor: Cursor | undefined): void {
    const name = cursor?.name ?? ''
    this.#errors.push({
      pointer: `/rows/${this.#rows}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      code: fault.code,
      message: `row ${this.#rows}, column ${name}: ${fault.message}`,
    })
    if (this.#errors.length >= maxBarErrors) this.#refuse()
  }

  #refuse(): never {
    throw new Problem('bars-invalid', this.#errors[0]?.message ?? 'the file holds no bars', {
      errors: this.#errors,
    })
  }
}

type Cursors = Map<Field, Cursor>

/** Goes through a column value by value. */
class Cursor {
  readonly name: string
  readonly #nextPage: () => Page
  #page: Page = { values: new Float64Array(0), isNull: null }
  #at = 0

  constructor(name: string, nextPage: () => Page) {
    this.name = name
    this.#nextPage = nextPage
  }

  /** Values that can be read before the next page; at least one. */
  available(): number {
    if (this.#at === this.#page.values.length) {
      this.#page = this.#nextPage()
      this.#at = 0
    }
    return this.#page.values.length - this.#at
  }

  next(): number {
    return this.#page.values[this.#at++] as number
  }

  /** Whether the value read last was null. */
  wasNull(): boolean {
    return this.#page.isNull?.[this.#at - 1] === 1
  }
}
