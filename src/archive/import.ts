import { open, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { Problem } from '../problems.ts'
import { isTemporary, temporaryPath } from './atomic.ts'
import { isMissing, namesIn } from './folder.ts'
import type { Imported, ImportTask } from './import-bars.ts'
import { temporaryFolder } from './layout.ts'
import type { Threads } from './threads.ts'

export type { Imported, ImportTask } from './import-bars.ts'

const uploadName = 'import'

/** Imports that are received, wait or run at the same time: each may have as many bytes on disk as an upload may have. */
const maxImports = 8

/** Bounds what imports take on disk: one is refused before its first byte is read, not after it has waited. */
export class ImportPlaces {
  #taken = 0

  /**
   * Does an import, from its upload to its answer.
   * @throws {Problem} 'queue-full' at once, before `work` begins, when eight others have not ended; else as `work`
   */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken >= maxImports)
      throw new Problem(
        'queue-full',
        `${this.#taken} imports are being received or wait; no more are taken.`,
        {
          hint: 'Wait until one of them has been answered, then send the file again.',
        },
      )
    this.#taken++
    try {
      return await work()
    } finally {
      this.#taken--
    }
  }
}

/**
 * Publishes the bars of a file as a dataset, all or nothing, in a thread that lives for this.
 * @param threads shared by all imports: it bounds how many run at a time
 * @throws {Problem} 'bars-invalid' naming line or row and column, 'params-invalid' as `BarsArchive.publish`
 */
export function importFile(task: ImportTask, threads: Threads): Promise<Imported> {
  return threads.run<Imported>({ file: new URL('./import-thread.ts', import.meta.url), data: task })
}

/**
 * Writes what arrives to a file in `tmp/` of the data folder, which its caller removes. The stream is never
 * destroyed: whoever sends can still read the answer.
 * @param home the data folder
 * @param limits.signal aborts the wait for more; its reason is thrown
 * @returns the path of the file
 * @throws {Problem} 'body-too-large'; whatever the stream fails with when its sender goes away. The file is removed then
 */
export async function receiveUpload(
  stream: Readable,
  home: string,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
): Promise<string> {
  const path = temporaryPath(join(temporaryFolder(home), uploadName))
  // The iterator reports an error too, but it does not listen before it is asked for the first chunk.
  stream.on('error', () => {})
  const file = await open(path, 'wx', 0o600)
  try {
    let received = 0
    for await (const chunk of chunksOf(stream, signal)) {
      received += chunk.length
      if (received > maxBytes)
        throw new Problem('body-too-large', `An import may have at most ${maxBytes} bytes.`)
      await file.writeFile(chunk)
    }
    await file.close()
    return path
  } catch (error) {
    await file.close()
    await rm(path, { force: true })
    throw error
  }
}

/**
 * Removes uploads that killed servers left in `tmp/`: for the start, before the first request.
 * @param before epoch ms: younger ones stay, they may belong to another server of the same folder
 * @returns how many
 */
export async function removeUploads(home: string, before = Number.POSITIVE_INFINITY): Promise<number> {
  const folder = temporaryFolder(home)
  let removed = 0
  for (const name of await namesIn(folder)) {
    if (!isTemporary(name) || !name.startsWith(`.${uploadName}.`)) continue
    const path = join(folder, basename(name))
    if (((await modifiedAt(path)) ?? before) >= before) continue
    await rm(path, { force: true })
    removed += 1
  }
  return removed
}

/** @returns epoch ms; null when it is gone */
async function modifiedAt(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function* chunksOf(stream: Readable, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  // Left early, an iterator that may destroy would end the connection before the client has read what is wrong.
  const iterator = stream.iterator({ destroyOnReturn: false })
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal?.reason)
  aborted.promise.catch(() => {})
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    // Aborted, it is still waiting for the sender.
    if (signal?.aborted !== true) await iterator.return?.()
  }
}
