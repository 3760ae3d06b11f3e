import { isNativeError } from 'node:util/types'
import { type Transferable, Worker } from 'node:worker_threads'
import { Problem, type ProblemData } from '../problems.ts'

/** Longer tables are read, checked, written and rendered in a thread of their own: the main thread answers requests meanwhile. */
export const maxInlineRows = 20_000
const maxThreads = 2
/**
 * Heap of a thread. Parquet of 5,000,000 bars is the largest known need: 1024 end it, 1536 are enough
 * (2026-11-22, Node 26.10.0). Numbers in typed arrays lie outside of the heap and do not count.
 */
const maxHeapMb = 2048

/** What a thread says before it ends. */
export type ThreadOutcome<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'refused'; readonly problem: ProblemData }

/** One task: the file that does it, what it is told, and whose memory moves to it. */
type ThreadTask = {
  readonly file: URL
  readonly data: unknown
  readonly transfer?: readonly Transferable[]
}

/** Threads that live for one task, so that what it allocates goes with them. At most two at a time; the others wait. */
export class Threads {
  private readonly heapMb: number
  private readonly waiting: (() => void)[] = []
  private running = 0

  /** @param heapMb what each thread may use, besides typed arrays */
  constructor(heapMb = maxHeapMb) {
    this.heapMb = heapMb
  }

  /** @throws {Problem} as the task refused, 'out-of-memory' when it needed more; {Error} when its thread failed */
  async run<R>(task: ThreadTask): Promise<R> {
    await this.takePlace()
    try {
      const outcome = await runThread<R>(task, this.heapMb)
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

function runThread<R>({ file, data, transfer = [] }: ThreadTask, heapMb: number): Promise<ThreadOutcome<R>> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(file, {
      workerData: data,
      transferList: [...transfer],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    thread.once('message', resolve)
    thread.once('error', error => reject(failureOf(error, heapMb)))
    thread.once('exit', code => reject(new Error(`${file.pathname} ended without an answer, code ${code}`)))
  })
}

/** What a thread that ended without an outcome failed with. */
function failureOf(error: unknown, heapMb: number): unknown {
  const isFull = isNativeError(error) && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  if (!isFull) return error
  return new Problem(
    'out-of-memory',
    `this needs more than the ${heapMb} MB of memory that a thread may use`,
    {
      hint: 'Ask for fewer rows at a time, or send fewer: a shorter span, or a longer timeframe.',
    },
  )
}
