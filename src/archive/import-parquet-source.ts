import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const windowBytes = 512 * 1024

/** Part of a file in memory, moved to where somebody reads. */
export type FileWindow = {
  /** The bytes, valid until the next read. @throws {Error} when the file does not reach so far */
  read(offset: number, length: number): Uint8Array
}

/** A file that is read here and there; blocks. */
export class ParquetSource {
  readonly size: number
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'r')
    this.size = fstatSync(this.#file).size
  }

  /** A window of its own for each part that is read from front to back. */
  window(): FileWindow {
    let bytes: Uint8Array = new Uint8Array(0)
    let start = 0
    return {
      read: (offset, length) => {
        if (offset < start || offset + length > start + bytes.length) {
          bytes = this.#read(offset, Math.max(length, Math.min(windowBytes, this.size - offset)))
          start = offset
        }
        return bytes.subarray(offset - start, offset - start + length)
      },
    }
  }

  close(): void {
    closeSync(this.#file)
  }

  #read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && offset + length <= this.size)) throw new Error('the file ends too early')
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const read = readSync(this.#file, bytes, done, length - done, offset + done)
      if (read === 0) throw new Error('the file ends too early')
      done += read
    }
    return bytes
  }
}
