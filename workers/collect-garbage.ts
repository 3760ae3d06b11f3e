import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Collects the garbage of this thread, all of it, which takes some 20 ms. For the end of work whose leavings lie outside
 * the heap: by the size of the heap alone, V8 would let tens of MiB of them pile up.
 */
export function collectGarbage(): void {
  // Only contexts that are made after the flag was set know the function.
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
}
