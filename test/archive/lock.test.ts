import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, jest, test } from '@jest/globals'
import { withLock } from '../../src/archive/lock.ts'
import { systemClock } from '../../src/clock.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

const makePath = () => join(mkdtempSync(join(tmpdir(), 'ktrdr-lock-')), 'manifest.json.lock')
/** As a thread that was killed while it held it left it behind. */
function abandon(path: string): void {
  writeFileSync(path, '')
  utimesSync(path, 1, 1)
}

test('a lock is there while the work is done and gone after it, even when the work fails', async () => {
  const path = makePath()
  expect(await withLock(path, () => existsSync(path))).toBe(true)
  expect(existsSync(path)).toBe(false)
  const failed = withLock(path, () => {
    throw new Error('the work failed')
  })
  await expect(failed).rejects.toThrow('the work failed')
  expect(existsSync(path)).toBe(false)
})

test('who finds it taken waits until it is free', async () => {
  const path = makePath()
  writeFileSync(path, '')
  const order: string[] = []
  const waiting = withLock(path, () => order.push('second'))
  setTimeout(() => {
    order.push('first')
    rmSync(path)
  }, 30)
  await waiting
  expect(order).toEqual(['first', 'second'])
})

test('threads that find the same abandoned lock at once never work at the same time', async () => {
  const path = makePath()
  const words = new Int32Array(new SharedArrayBuffer(12))
  const source = new URL('./locking-thread.ts', import.meta.url)
  const [threads, rounds] = [4, 60]
  const ended = Array.from({ length: threads }, (_, thread) => {
    const worker = new Worker(source, { workerData: { path, words, thread, threads, rounds } })
    return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve))
  })
  expect(await Promise.all(ended)).toEqual([0, 0, 0, 0])
  const [arrived, inside, met] = words
  expect({ arrived, inside, met }).toEqual({ arrived: 2 * rounds * threads, inside: 0, met: 0 })
  expect(readdirSync(join(path, '..'))).toEqual([])
})

test('who finds a lock abandoned leaves the one that another thread has made of it meanwhile', async () => {
  const path = makePath()
  abandon(path)
  // Asked after the look at the lock, before its removal.
  jest.spyOn(systemClock, 'now').mockImplementationOnce(() => {
    rmSync(path)
    writeFileSync(path, 'of another thread')
    return Date.now()
  })
  const waiting = withLock(path, () => existsSync(path))
  expect(readFileSync(path, 'utf8')).toBe('of another thread')
  rmSync(path)
  expect(await waiting).toBe(true)
  expect(readdirSync(join(path, '..'))).toEqual([])
})

test('a lock that was held so long that another took it over stays the other one’s', async () => {
  const path = makePath()
  await withLock(path, () => {
    rmSync(path)
    writeFileSync(path, 'of another thread')
  })
  expect(existsSync(path)).toBe(true)
})

test('an abandoned lock is taken over although whoever began to do that was killed as well', async () => {
  const path = makePath()
  abandon(path)
  const { mtimeNs, ino } = statSync(path, { bigint: true })
  const right = join(path, '..', `.manifest.json.lock.${mtimeNs}-${ino}.tmp`)
  abandon(right)
  expect(await withLock(path, () => existsSync(right))).toBe(false)
})
