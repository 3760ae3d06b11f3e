/** The program, with threads that take long to load the modules of a worker. */
import { preloadThreads } from '../support/preload-threads.ts'

preloadThreads(new URL('preload-slow-loading.mjs', import.meta.url))
await import('../../src/main.ts')
