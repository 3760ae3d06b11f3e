import { workerData } from 'node:worker_threads'
import { answerWith } from '../../src/archive/thread-answer.ts'

/** How much memory of the heap the thread is to fill before it answers. */
export type Hunger = { readonly heapMb: number }

const { heapMb } = workerData as Hunger
await answerWith(() => {
  const filled: number[][] = []
  // A number that is no whole one takes eight bytes.
  while (filled.length < heapMb) filled.push(Array.from({ length: 131_072 }, (_, i) => i + 0.5))
  return filled.length
})
