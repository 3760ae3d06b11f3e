import { syncBuiltinESMExports } from 'node:module'
import threads, { type WorkerOptions } from 'node:worker_threads'

/**
 * Has every thread that this process starts from now on run a module first. The threads of the pool have an environment of
 * their own: NODE_OPTIONS would not reach them.
 */
export function preloadThreads(preload: URL): void {
  class PreloadedWorker extends threads.Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? []), `--import=${preload}`] })
    }
  }
  threads.Worker = PreloadedWorker
  syncBuiltinESMExports()
}
