import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { writeFileAtomically } from './atomic.ts'
import { decodeTable, renderTable, type TableFormat } from './tables.ts'

/** What the rendition thread is told. */
export type RenditionTask = { readonly source: string; readonly target: string; readonly format: TableFormat }

/** Longer tables are rendered in a thread of their own: the main thread answers requests meanwhile. */
const maxInlineRows = 20_000
/** A larger file is not even opened in the main thread to count its rows. */
const maxInlineBytes = 8 * 1024 * 1024
const maxThreads = 2

/**
 * Stored tables in the formats clients ask for: made on first demand, kept beside the original under its
 * name, and safe to keep because what is stored never changes.
 */
export class Renditions {
  /** By target path: whoever asks for what is being made waits for the same job. */
  private readonly jobs = new Map<string, Promise<string>>()
  private readonly waiting: (() => void)[] = []
  private threads = 0

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

  private async make(task: RenditionTask): Promise<string> {
    if ((await stat(task.source)).size <= maxInlineBytes) {
      const table = decodeTable(await readFile(task.source))
      if (table.rows <= maxInlineRows) {
        await writeFileAtomically(task.target, renderTable(table, task.format))
        return task.target
      }
    }
    await this.takeThread()
    try {
      await runThread(task)
    } finally {
      this.returnThread()
    }
    return task.target
  }

  private async takeThread(): Promise<void> {
    if (this.threads < maxThreads) this.threads++
    else await new Promise<void>(resolve => this.waiting.push(resolve))
  }

  /** The place passes straight to whoever waits longest. */
  private returnThread(): void {
    const next = this.waiting.shift()
    if (next === undefined) this.threads--
    else next()
  }
}

function runThread(task: RenditionTask): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./rendition-thread.ts', import.meta.url), { workerData: task })
    thread.once('error', reject)
    thread.once('exit', code => {
      if (code === 0) resolve()
      else reject(new Error(`the thread rendering ${task.target} exited with code ${code}`))
    })
  })
}
