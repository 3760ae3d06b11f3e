import { hash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import { isMissing } from './folder.ts'
import { checkpointsFolder } from './layout.ts'

/*
 * A journal file, `{attempt}.journal` beside the checkpoints: 32 bytes that name the work, then one entry after the
 * other: length and CRC-32 of the payload, 4 bytes each, little endian; the payload (v8.serialize).
 */
const nameBytes = 32
const headBytes = 8

/**
 * What a worker has finished piece by piece. An entry survives the end of the process as soon as `append` returns, and a
 * power cut after the next `flush`. Later attempts find it; one that was torn while it was written is left out.
 */
export class Journal {
  /** What earlier attempts had finished, in the order they did. */
  readonly entries: readonly unknown[]
  private readonly file: number

  /**
   * @param work what the entries depend on, as JSON-like data: entries of other work are not read
   */
  constructor(home: string, operationId: string, attempt: number, work: unknown) {
    const folder = checkpointsFolder(home, operationId)
    const name = hash('sha256', JSON.stringify(work), 'buffer')
    this.entries = earlierFiles(folder, attempt).flatMap(path => readEntries(path, name))
    mkdirSync(folder, { recursive: true })
    this.file = openSync(join(folder, `${attempt}.journal`), 'w')
    writeSync(this.file, name)
  }

  /** @param entry whatever structured clone can copy */
  append(entry: unknown): void {
    const payload = serialize(entry)
    const bytes = Buffer.alloc(headBytes + payload.length)
    bytes.writeUInt32LE(payload.length, 0)
    bytes.writeUInt32LE(crc32(payload), 4)
    payload.copy(bytes, headBytes)
    writeSync(this.file, bytes)
  }

  /** Blocks until every entry is on the disk. */
  flush(): void {
    fsyncSync(this.file)
  }

  close(): void {
    closeSync(this.file)
  }
}

function earlierFiles(folder: string, attempt: number): string[] {
  const attempts = namesIn(folder).flatMap(name => {
    const found = /^(\d+)\.journal$/.exec(name)
    return found === null ? [] : [Number(found[1])]
  })
  return attempts
    .filter(other => other < attempt)
    .sort((a, b) => a - b)
    .map(other => join(folder, `${other}.journal`))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function readEntries(path: string, name: Uint8Array): unknown[] {
  const bytes = readFileSync(path)
  if (!bytes.subarray(0, nameBytes).equals(name)) return []
  const entries: unknown[] = []
  for (let at = nameBytes; at + headBytes <= bytes.length; ) {
    const payload = bytes.subarray(at + headBytes, at + headBytes + bytes.readUInt32LE(at))
    if (payload.length < bytes.readUInt32LE(at) || crc32(payload) !== bytes.readUInt32LE(at + 4)) break
    entries.push(deserialize(payload))
    at += headBytes + payload.length
  }
  return entries
}
