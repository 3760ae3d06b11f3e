/** The program with the biases of preload-bias.mjs planted in every thread. */
import { syncBuiltinESMExports } from 'node:module'
import threads, { type WorkerOptions } from 'node:worker_threads'

const preload = new URL('preload-bias.mjs', import.meta.url)

/** The threads of the pool have an environment of their own: NODE_OPTIONS would not reach them. */
class BiasedWorker extends threads.Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, { ...options, execArgv: [...(options.execArgv ?? []), `--import=${preload}`] })
  }
}

threads.Worker = BiasedWorker
syncBuiltinESMExports()
await import(preload.href)
await import('../../src/main.ts')
