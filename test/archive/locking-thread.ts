import { utimesSync, writeFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { withLock } from '../../src/archive/lock.ts'

/** What threads that compete for one lock share: how many have come to the next line, are inside, and met another there. */
export const word = { arrived: 0, inside: 1, met: 2 } as const

export type Competition = {
  readonly path: string
  readonly words: Int32Array<SharedArrayBuffer>
  readonly thread: number
  readonly threads: number
  readonly rounds: number
}

const { path, words, thread, threads, rounds } = workerData as Competition

/** All wait here until the last one has come. */
let lines = 0
function line(): void {
  const all = ++lines * threads
  if (Atomics.add(words, word.arrived, 1) + 1 === all) Atomics.notify(words, word.arrived)
  for (;;) {
    const arrived = Atomics.load(words, word.arrived)
    if (arrived >= all) return
    Atomics.wait(words, word.arrived, arrived)
  }
}

/** In every round all threads run into a lock that somebody left behind long ago. */
for (let round = 0; round < rounds; round++) {
  if (thread === 0) {
    writeFileSync(path, '')
    utimesSync(path, 1, 1)
  }
  line()
  await withLock(path, () => {
    if (Atomics.add(words, word.inside, 1) !== 0) Atomics.add(words, word.met, 1)
    const start = performance.now()
    while (performance.now() - start < 0.5) {}
    Atomics.sub(words, word.inside, 1)
  })
  line()
}
