import { Worker } from 'node:worker_threads'
import { expect, test } from '@jest/globals'
import {
  createPacing,
  monotonicMs,
  type Pacing,
  pause,
  postponeTurns,
  waitForTurn,
} from '../../src/vendors/pacing.ts'

const signal = new AbortController().signal
const quiet = { signal, onWait: () => undefined }
const source = new URL('../../src/vendors/pacing.ts', import.meta.url).href

/** A thread that takes turns of `yahoo` and says when it got each. */
function startThread(pacing: Pacing, turns: number, intervalMs: number) {
  const program = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { monotonicMs, waitForTurn } = await import(${JSON.stringify(source)})
    const { pacing, turns, intervalMs } = workerData
    const signal = new AbortController().signal
    for (let turn = 0; turn < turns; turn++) {
      await waitForTurn(pacing, 'yahoo', intervalMs, { signal, onWait() {} })
      parentPort.postMessage(monotonicMs())
    }`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    workerData: { pacing, turns, intervalMs },
  })
  const times: number[] = []
  worker.on('message', (atMs: number) => times.push(atMs))
  return {
    worker,
    times,
    ended: new Promise<number[]>((resolve, reject) =>
      worker.once('error', reject).once('exit', () => resolve(times)),
    ),
  }
}

test('threads together ask a vendor no more often than the interval allows', async () => {
  const pacing = createPacing()
  const intervalMs = 40
  const threads = [0, 1, 2].map(() => startThread(pacing, 5, intervalMs))
  const times = (await Promise.all(threads.map(thread => thread.ended))).flat().sort((a, b) => a - b)
  expect(times.length).toBe(15)
  // Timers may be late, so only the pace of the whole is exact: the last turn is 14 intervals after the first.
  // A turn may be noticed late by the first thread, hence one interval of grace.
  expect((times[14] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(13 * intervalMs)
})

test('a change that another thread makes in the same instant is not lost', () => {
  const pacing = createPacing()
  let isInterrupted = false
  postponeTurns(pacing, 'yahoo', 1_000, () => {
    // Another thread is faster, between the look at the number and its replacement.
    if (!isInterrupted) postponeTurns(pacing, 'yahoo', 500, () => 0)
    isInterrupted = true
    return 0
  })
  expect(new BigInt64Array(pacing)[3]).toBe(1_000n)
})

test('turns are handed out one interval apart, however many want one at the same moment', async () => {
  const pacing = createPacing()
  const nowMs = 1_000
  const stop = new AbortController()
  const waits: Promise<void>[] = []
  for (let i = 0; i < 4; i++) {
    waits.push(
      waitForTurn(pacing, 'stooq', 500, {
        signal: stop.signal,
        onWait: () => undefined,
        monotonicNow: () => nowMs,
      }),
    )
  }
  expect(new BigInt64Array(pacing)).toEqual(new BigInt64Array([0n, 3_000n, 0n, 0n, 0n, 0n]))
  await waits[0]
  stop.abort()
  const ends = await Promise.allSettled(waits)
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
})

test('a vendor that was not asked for long is asked at once, and vendors do not wait for each other', async () => {
  const pacing = createPacing()
  const waits: string[] = []
  const waiting = { signal, onWait: (reason: string) => void waits.push(reason) }
  await waitForTurn(pacing, 'yahoo', 60_000, waiting)
  await waitForTurn(pacing, 'ccxt', 60_000, waiting)
  expect(waits).toEqual([])
})

test('a killed thread leaves nothing locked', async () => {
  const pacing = createPacing()
  const victim = startThread(pacing, 1_000_000, 1)
  await new Promise(resolve => victim.worker.once('message', resolve))
  await victim.worker.terminate()
  const began = monotonicMs()
  await waitForTurn(pacing, 'yahoo', 1, quiet)
  expect(monotonicMs() - began).toBeLessThan(1_000)
})

test('a vendor that wants to be left alone is left alone by all, but never sooner than was agreed', async () => {
  const pacing = createPacing()
  postponeTurns(pacing, 'ccxt', 2_000, () => 1_000)
  postponeTurns(pacing, 'ccxt', 500, () => 1_000)
  expect(new BigInt64Array(pacing)[5]).toBe(3_000n)
})

test('a turn taken before the vendor wanted to be left alone passes unused', async () => {
  const pacing = createPacing()
  await waitForTurn(pacing, 'yahoo', 30, quiet)
  const began = monotonicMs()
  const waiting = waitForTurn(pacing, 'yahoo', 30, quiet)
  postponeTurns(pacing, 'yahoo', 300)
  await waiting
  expect(monotonicMs() - began).toBeGreaterThanOrEqual(299)
})

test('who would have to wait too long is refused at once, takes no turn, and is told until when', async () => {
  const pacing = createPacing()
  const nowMs = 1_000
  postponeTurns(pacing, 'ccxt', 3_600_000, () => nowMs)
  const patience = { ms: 60_000, now: () => Date.UTC(2026, 0, 5, 12) }
  const before = [...new BigInt64Array(pacing)]
  await expect(
    waitForTurn(pacing, 'ccxt', 500, { ...quiet, monotonicNow: () => nowMs, patience }),
  ).rejects.toMatchObject({
    code: 'vendor-unavailable',
    message: expect.stringMatching(/^ccxt is left alone until 2026-01-05T13:00/),
  })
  expect([...new BigInt64Array(pacing)]).toEqual(before)
  // A queue of our own making is waited for, however long it is.
  const stop = new AbortController()
  const others = { signal: stop.signal, onWait: () => undefined, patience }
  await waitForTurn(pacing, 'yahoo', 3_600_000, others)
  const queued = waitForTurn(pacing, 'yahoo', 3_600_000, others)
  stop.abort()
  await expect(queued).rejects.toMatchObject({ name: 'AbortError' })
})

test('a vendor that asks for years is left alone for a day', () => {
  const pacing = createPacing()
  postponeTurns(pacing, 'ccxt', 1e30, () => 0)
  expect(new BigInt64Array(pacing)[5]).toBe(86_400_000n)
})

test('a wait tells its reason, and a stop ends it at once as an AbortError', async () => {
  const stop = new AbortController()
  const reasons: string[] = []
  const began = monotonicMs()
  const waiting = pause(60_000, 'for nothing', {
    signal: stop.signal,
    onWait: reason => {
      reasons.push(reason)
      queueMicrotask(() => stop.abort(new Error('whatever')))
    },
  })
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  expect(reasons).toEqual(['for nothing'])
  expect(monotonicMs() - began).toBeLessThan(1_000)
})
