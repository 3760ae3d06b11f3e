import { type BigIntStats, closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isNativeError } from 'node:util/types'
import { systemClock } from '../clock.ts'

/** A lock that is older was left behind by a thread that was killed while it held it. */
const abandonedMs = 5_000
const pauseMs = 5

/** A lock that this thread made. */
type Held = {
  readonly path: string
  readonly identity: string
  /** Epoch ms. */
  readonly takenAt: number
}

/**
 * Does `work` while no other thread or process does any under the same lock: a file that is there for the microseconds
 * it takes. It is empty, so that a full disk does not hinder who wants to make room.
 * @param path of the lock; its folder must exist
 * @param work must not wait for anything
 */
export async function withLock<T>(path: string, work: () => T): Promise<T> {
  let held = takeLock(path)
  while (held === null) {
    await new Promise(resolve => setTimeout(resolve, pauseMs))
    held = takeLock(path)
  }
  try {
    return work()
  } finally {
    releaseLock(held)
  }
}

/** @returns null when it is held, or was until now: try again */
function takeLock(path: string): Held | null {
  const held = createLock(path)
  if (held !== null) return held
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  if (found !== undefined && isAbandoned(Number(found.mtimeMs))) removeAbandoned(path, identityOf(found))
  return null
}

function createLock(path: string): Held | null {
  let file: number
  try {
    file = openSync(path, 'wx')
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'EEXIST') return null
    throw error
  }
  try {
    return { path, identity: identityOf(fstatSync(file, { bigint: true })), takenAt: systemClock.now() }
  } finally {
    closeSync(file)
  }
}

/**
 * Of all who find the same abandoned lock only one may remove it, and only while it is that very one: another's lock may
 * lie there a moment later. The right to do it is a lock as well, named after what it is for, so that one left behind
 * by a second kill is removed in the same way.
 */
function removeAbandoned(path: string, identity: string): void {
  const right = takeLock(join(dirname(path), `.${basename(path)}.${identity}.tmp`))
  if (right === null) return
  try {
    removeLock(path, identity)
  } finally {
    releaseLock(right)
  }
}

/** A lock that was held for so long that others may take it for abandoned is left to them. */
function releaseLock({ path, identity, takenAt }: Held): void {
  if (!isAbandoned(takenAt)) removeLock(path, identity)
}

function removeLock(path: string, identity: string): void {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  if (found !== undefined && identityOf(found) === identity) rmSync(path, { force: true })
}

/** One from the future is, too: it was left behind before the clock was set back. */
const isAbandoned = (takenAt: number): boolean => Math.abs(systemClock.now() - takenAt) > abandonedMs

/** No two locks at one path share it: a second one can be made only after the first is gone, or seconds old. */
const identityOf = ({ ino, mtimeNs }: BigIntStats): string => `${mtimeNs}-${ino}`
