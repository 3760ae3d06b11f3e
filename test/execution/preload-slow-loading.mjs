/** Loading a worker takes so long that whoever waits for it is seen to. */
import { registerHooks } from 'node:module'

const loadingMs = 4_000

registerHooks({
  load(url, context, nextLoad) {
    if (url.endsWith('/workers/exercise.ts'))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, loadingMs)
    return nextLoad(url, context)
  },
})
