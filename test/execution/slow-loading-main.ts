/** The program, with threads that take long to load the modules of a worker. */
import { syncBuiltinESMExports } from 'node:module'
import threads, { type WorkerOptions } from 'node:worker_threads'

const preload = new URL('preload-slow-loading.mjs', import.meta.url)

/** The threads of the pool have an environment of their own: NODE_OPTIONS would not reach them. */
class SlowWorker extends threads.Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, { ...options, execArgv: [...(options.execArgv ?? []), `--import=${preload}`] })
  }
}

threads.Worker = SlowWorker
syncBuiltinESMExports()
await import('../../src/main.ts')
