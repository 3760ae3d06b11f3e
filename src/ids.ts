import { randomFillSync } from 'node:crypto'
import { monotonicFactory } from 'ulid'
import type { Clock } from './clock.ts'

/** ULIDs ask for randomness a character at a time; a system call for each would cost more than the id. */
function bufferedRandom(): () => number {
  const pool = new Uint32Array(1024)
  let next = pool.length
  return () => {
    if (next === pool.length) {
      randomFillSync(pool)
      next = 0
    }
    const value = pool[next] as number
    next += 1
    return value / 2 ** 32
  }
}

/** Makes ids that sort by the time they were made: `prefix` and a ULID. */
export function createIdFactory(prefix: string, clock: Clock): () => string {
  const ulid = monotonicFactory(bufferedRandom())
  return () => prefix + ulid(clock.now())
}
