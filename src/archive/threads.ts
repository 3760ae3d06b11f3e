import { type Transferable, Worker } from 'node:worker_threads'
import { Problem, type ProblemData } from '../problems.ts'

/** Longer tables are read, checked, written and rendered in a thread of their own: the main thread answers requests meanwhile. */
export const maxInlineRows = 20_000
const maxThreads = 2

/** What a thread says before it ends. */
export type ThreadOutcome<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'refused'; readonly problem: ProblemData }

/** One task: the file that does it, what it is told, and whose memory moves to it. */
export type ThreadTask = {
  readonly file: URL
  readonly data: unknown
  readonly transfer?: readonly Transferable[]
}

/** Threads that live for one task, so that what it allocates goes with them. At most two at a time; the others wait. */
export class Threads {
  private readonly waiting: (() => void)[] = []
  private running = 0

  /** @throws {Problem} as the task refused, {Error} when its thread failed */
  async run<R>(task: ThreadTask): Promise<R> {
    await this.takePlace()
    try {
      const outcome = await runThread<R>(task)
      if (outcome.kind === 'done') return outcome.result
      const { code, detail, ...more } = outcome.problem
      throw new Problem(code, detail, more)
    } finally {
      this.returnPlace()
    }
  }

  private async takePlace(): Promise<void> {
    if (this.running < maxThreads) this.running++
    else await new Promise<void>(resolve => this.waiting.push(resolve))
  }

  /** The place passes straight to whoever waits longest. */
  private returnPlace(): void {
    const next = this.waiting.shift()
    if (next === undefined) this.running--
    else next()
  }
}

function runThread<R>({ file, data, transfer = [] }: ThreadTask): Promise<ThreadOutcome<R>> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(file, { workerData: data, transferList: [...transfer] })
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', code => reject(new Error(`${file.pathname} ended without an answer, code ${code}`)))
  })
}
