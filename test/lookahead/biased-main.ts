/** The program with the biases of preload-bias.mjs planted in every thread. */
import { preloadThreads } from '../support/preload-threads.ts'

const preload = new URL('preload-bias.mjs', import.meta.url)

preloadThreads(preload)
await import(preload.href)
await import('../../src/main.ts')
