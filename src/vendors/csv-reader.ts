import type { FileHandle } from 'node:fs/promises'
import { gridOf } from '../market/bar-grid.ts'
import { type Bars, sliceBars } from '../market/bars.ts'
import { CsvBarsReader, chunkBars } from '../market/csv.ts'
import { Problem } from '../problems.ts'
import { throwIfAborted } from './pacing.ts'
import type { BarsRequest, VendorContext } from './vendor.ts'

/** Bytes read at once, and after how many of them whoever waits is told. */
const pieceBytes = 1_048_576
const signOfLifeBytes = 32 * pieceBytes

/** Open times of the oldest and the newest bar of a file, and whether it begins with the newest. */
export type FileExtent = {
  readonly firstMs: number
  readonly lastMs: number
  readonly isDescending: boolean
}

/** Reads the bars of one open file, as often as it is asked to, a piece at a time. */
export class CsvFileReader {
  private readonly file: FileHandle
  private readonly request: BarsRequest
  private readonly context: VendorContext
  private version: string | null = null

  constructor(file: FileHandle, request: BarsRequest, context: VendorContext) {
    this.file = file
    this.request = request
    this.context = context
  }

  /**
   * Reads the file to its end and keeps nothing.
   * @throws {Problem} 'bars-invalid' with the lines that are wrong
   * @throws AbortError as soon as the signal is aborted
   */
  async summarize(): Promise<FileExtent & { readonly warnings: readonly string[] }> {
    const reader = this.newReader()
    let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    let previousMs = Number.NaN
    let isDescending = false
    const see = ({ time, length }: Bars) => {
      if (length === 0) return
      const [fromMs, toMs] = [time[0] as number, time[length - 1] as number]
      isDescending ||= fromMs < previousMs
      previousMs = fromMs
      firstMs = Math.min(firstMs, fromMs)
      lastMs = Math.max(lastMs, toMs)
    }
    for await (const piece of this.pieces()) {
      reader.write(piece)
      for (let bars = reader.take(); bars !== null; bars = reader.take()) see(bars)
    }
    see(reader.end())
    return { warnings: reader.warnings, firstMs, lastMs, isDescending }
  }

  /**
   * The bars, oldest first, at most 50,000 at a time, up to the first that opens after the end of the request.
   * @throws {Problem} 'bars-invalid' when the file is not the one that was summarized any more
   */
  async *chunks({ isDescending }: Pick<FileExtent, 'isDescending'>): AsyncGenerator<Bars, void, undefined> {
    const reader = this.newReader()
    for await (const piece of this.pieces()) {
      reader.write(piece)
      for (let bars = isDescending ? null : reader.take(); bars !== null; bars = reader.take()) {
        yield bars
        if ((bars.time[bars.length - 1] as number) >= this.request.end) return
      }
    }
    const rest = reader.end()
    for (let from = 0; from < rest.length; from += chunkBars) {
      const bars = sliceBars(rest, rest.time[from] ?? null, rest.time[from + chunkBars] ?? null)
      yield bars
      if ((bars.time[bars.length - 1] as number) >= this.request.end) return
    }
  }

  private newReader(): CsvBarsReader {
    const { calendar, timeframe } = this.request
    return new CsvBarsReader({ timeframe, closeTimeOf: gridOf(calendar, timeframe).closeTimeOf })
  }

  private async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    await this.checkVersion()
    for (let at = 0; ; ) {
      throwIfAborted(this.context.signal)
      if (at % signOfLifeBytes === 0) this.context.onWait(`reading the file of ${this.request.symbol}`)
      const { bytesRead, buffer } = await this.file.read({ buffer: Buffer.alloc(pieceBytes), position: at })
      if (bytesRead === 0) break
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
    await this.checkVersion()
  }

  /** The same file as when it was first looked at, as far as size and time of change tell. */
  private async checkVersion(): Promise<void> {
    const { size, mtimeMs } = await this.file.stat()
    const version = `${size} ${mtimeMs}`
    this.version ??= version
    if (this.version === version) return
    const { symbol, timeframe } = this.request
    throw new Problem('bars-invalid', `the file of ${symbol} ${timeframe} was changed while it was read`, {
      hint: 'Put a finished file into the folder by renaming it, then try again.',
    })
  }
}
