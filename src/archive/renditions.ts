import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { writeFileAtomically } from './atomic.ts'
import { type BarsSlice, renderSlice } from './bars-slice.ts'
import { decodeTable, renderTable, type TableFormat } from './tables.ts'
import { maxInlineRows, Threads } from './threads.ts'

type FileTask = { readonly source: string; readonly target: string; readonly format: TableFormat }
/** What the rendition thread is told. */
export type RenditionTask = ({ readonly kind: 'file' } & FileTask) | ({ readonly kind: 'slice' } & BarsSlice)

/** A larger file is not even opened in the main thread to count its rows. */
const maxInlineBytes = 8 * 1024 * 1024

/**
 * Stored tables in the formats clients ask for: made on first demand, kept beside the original under its
 * name, and safe to keep because what is stored never changes.
 */
export class Renditions {
  /** By target path: whoever asks for what is being made waits for the same job. */
  private readonly jobs = new Map<string, Promise<string>>()
  private readonly threads = new Threads()

  /**
   * The path of a stored table in a format, `{name}.json|csv|parquet` beside `{name}.arrow`.
   * @param arrowPath of a published artifact or bars segment, never made from a request unchecked
   * @throws {Error} when the table is missing or damaged
   */
  renditionOf(arrowPath: string, format: TableFormat): Promise<string> {
    if (!arrowPath.endsWith('.arrow')) return Promise.reject(new Error(`${arrowPath} is not a stored table`))
    if (format === 'arrow') return Promise.resolve(arrowPath)
    const target = `${arrowPath.slice(0, -'arrow'.length)}${format}`
    const running = this.jobs.get(target)
    if (running !== undefined) return running
    if (existsSync(target)) return Promise.resolve(target)
    const job = this.make({ source: arrowPath, target, format }).finally(() => this.jobs.delete(target))
    this.jobs.set(target, job)
    return job
  }

  /**
   * A part of a stored dataset, made anew each time.
   * @param storedRows bars in the whole segment: what has to be read, however short the part is
   * @throws {Problem} 'bars-missing', 'bars-invalid' when the segment is damaged
   */
  async sliceOf(slice: BarsSlice, storedRows: number): Promise<Uint8Array> {
    return storedRows <= maxInlineRows ? renderSlice(slice) : this.inThread({ kind: 'slice', ...slice })
  }

  private async make(task: FileTask): Promise<string> {
    if ((await stat(task.source)).size <= maxInlineBytes) {
      const table = decodeTable(await readFile(task.source))
      if (table.rows <= maxInlineRows) {
        await writeFileAtomically(task.target, renderTable(table, task.format))
        return task.target
      }
    }
    await this.inThread({ kind: 'file', ...task })
    return task.target
  }

  private inThread<R>(data: RenditionTask): Promise<R> {
    return this.threads.run<R>({ file: new URL('./rendition-thread.ts', import.meta.url), data })
  }
}
