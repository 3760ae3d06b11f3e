import { expect, test } from '@jest/globals'
import { Threads } from '../../src/archive/threads.ts'
import type { Hunger } from './hungry-thread.ts'

const fill = (threads: Threads, hunger: Hunger) =>
  threads.run<number>({ file: new URL('./hungry-thread.ts', import.meta.url), data: hunger })

test('a task that needs more memory than a thread may use is refused as that, and its place is free again', async () => {
  const threads = new Threads(32)
  const hungry = Array.from({ length: 3 }, () => fill(threads, { heapMb: 500 }))
  for (const outcome of await Promise.allSettled(hungry)) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { name: 'Problem', code: 'out-of-memory', message: expect.stringContaining('32 MB') },
    })
  }
  expect(await fill(threads, { heapMb: 1 })).toBe(1)
})
