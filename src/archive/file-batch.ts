import { close, constants, fsync, renameSync, rmSync, writev } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSync, syncFolderSync, temporaryPath } from './atomic.ts'

/** Bytes one after the other. */
export type Parts = readonly Uint8Array[]

type Writing = {
  readonly temporary: string
  readonly target: string
  /** Why it is not on the disk, null when it is. Never rejects. */
  readonly failed: Promise<{ readonly error: unknown } | null>
}

/**
 * Files of one folder that appear together. They are written and flushed by threads of the runtime while this one goes on
 * calculating, however long it does not return to its event loop.
 */
export class FileBatch {
  private readonly folder: string
  private writings: Writing[] = []

  constructor(folder: string) {
    this.folder = folder
  }

  /** Begins to write a file. @param parts their memory must not change before `publish` or `discard` is over */
  write(name: string, parts: Parts): void {
    const target = join(this.folder, name)
    const temporary = temporaryPath(target)
    const failed = writeAll(createSync(temporary, newAndFlushed), parts).then(
      () => null,
      error => ({ error }),
    )
    this.writings.push({ temporary, target, failed })
  }

  /** Resolves when every file is on the disk under its name. @throws the first failure; no file has its name then */
  async publish(): Promise<void> {
    for (const { failed } of this.writings) {
      const failure = await failed
      if (failure !== null) throw failure.error
    }
    for (const { temporary, target } of this.writings) renameSync(temporary, target)
    if (this.writings.length > 0) syncFolderSync(this.folder)
    this.writings = []
  }

  /** Resolves when nothing is written any more, and nothing of it is left. */
  async discard(): Promise<void> {
    const { writings } = this
    this.writings = []
    for (const { temporary, failed } of writings) {
      await failed
      rmSync(temporary, { force: true })
    }
  }
}

/** There a write ends when the disk has it: one task of the thread pool instead of two, which need the event loop between them. */
const flushesItself = process.platform === 'linux'
const newAndFlushed =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (flushesItself ? constants.O_DSYNC : 0)

const [writevAsync, fsyncAsync, closeAsync] = [promisify(writev), promisify(fsync), promisify(close)]

async function writeAll(file: number, parts: Parts): Promise<void> {
  try {
    for (let left = parts; left.length > 0; ) {
      const { bytesWritten } = await writevAsync(file, [...left])
      left = withoutFirst(left, bytesWritten)
    }
    if (!flushesItself) await fsyncAsync(file)
  } finally {
    await closeAsync(file)
  }
}

/** What is left of the parts after so many bytes. */
function withoutFirst(parts: Parts, bytes: number): Parts {
  let done = bytes
  const left: Uint8Array[] = []
  for (const part of parts) {
    if (done < part.length) left.push(part.subarray(done))
    done = Math.max(0, done - part.length)
  }
  return left
}
