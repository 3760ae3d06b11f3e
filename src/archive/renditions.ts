import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { writeFileAtomically } from './atomic.ts'
import { renditionPath } from './layout.ts'
import { renderTable } from './render.ts'
import { decodeTable, type TableFormat } from './tables.ts'
import { TaskRunner } from './task-runner.ts'
import type { DatasetVersion, FileTask, SliceTask } from './tasks.ts'
import { maxInlineRows } from './threads.ts'
import { readVersion } from './version.ts'

/** A larger file is not even opened in the main thread to count its rows. */
const maxInlineBytes = 8 * 1024 * 1024

/**
 * Stored tables in the formats clients ask for: made on first demand, kept beside the original under its
 * name, and safe to keep because what is stored never changes.
 */
export class Renditions {
  /** By target path: whoever asks for what is being made waits for the same job. */
  private readonly jobs = new Map<string, Promise<string>>()
  private readonly runner: TaskRunner

  constructor(runner: TaskRunner = new TaskRunner()) {
    this.runner = runner
  }

  /**
   * The path of a stored table in a format, `{name}.json|csv|parquet` beside `{name}.arrow`.
   * @param arrowPath of a published artifact, never made from a request unchecked
   * @throws {Error} when the table is missing or damaged
   */
  renditionOf(arrowPath: string, format: TableFormat): Promise<string> {
    if (!arrowPath.endsWith('.arrow')) return Promise.reject(new Error(`${arrowPath} is not a stored table`))
    if (format === 'arrow') return Promise.resolve(arrowPath)
    const target = `${arrowPath.slice(0, -'arrow'.length)}${format}`
    return this.once(target, () => this.renderFile({ source: arrowPath, target, format }))
  }

  /**
   * The path of a whole version of a dataset in a format; the file is removed with the version.
   * @throws {Problem} 'bars-missing', 'bars-invalid' when a segment is damaged
   */
  datasetOf({ format, ...version }: DatasetVersion & { format: TableFormat }): Promise<string> {
    const target = renditionPath(version, version.sha256, format)
    return this.once(target, async () => {
      const rows = readVersion(version, version.sha256).segments.reduce((sum, { bars }) => sum + bars, 0)
      await this.runner.run('dataset', { ...version, target, format }, rows)
    })
  }

  /**
   * A part of a version, made anew each time; in fewer rows of the same outline when it has more than `maxPoints`.
   * @param storedRows bars of the whole version: about what has to be read, however short the part is
   * @throws {Problem} 'bars-missing', 'bars-invalid' when a segment is damaged
   */
  sliceOf(slice: SliceTask, storedRows: number): Promise<Uint8Array> {
    return this.runner.run('slice', slice, storedRows)
  }

  private once(target: string, make: () => Promise<void>): Promise<string> {
    const running = this.jobs.get(target)
    if (running !== undefined) return running
    if (existsSync(target)) return Promise.resolve(target)
    const job = make()
      .then(() => target)
      .finally(() => this.jobs.delete(target))
    this.jobs.set(target, job)
    return job
  }

  private async renderFile(task: FileTask): Promise<void> {
    if ((await stat(task.source)).size <= maxInlineBytes) {
      const table = decodeTable(await readFile(task.source))
      if (table.rows <= maxInlineRows) {
        await writeFileAtomically(task.target, renderTable(table, task.format))
        return
      }
    }
    await this.runner.run('file', task, Number.POSITIVE_INFINITY)
  }
}
