import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isNativeError } from 'node:util/types'
import { systemClock } from '../clock.ts'
import type { Bars } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import { isTemporary } from './atomic.ts'
import { barsOf } from './bars-table.ts'
import { isMissing } from './folder.ts'
import { decodeTable } from './tables.ts'

/** Larger segments are trusted: hashing 280 MB takes as long as reading it (DESIGN.md). */
const maxVerifiedBytes = 32 * 1024 * 1024
/** A segment that was published or replaced so recently may be wanted by an operation about to be accepted. */
const graceMs = 3_600_000

/** Where bars lie, what their bytes hash to, and what they are called in messages. */
export type Segment = { readonly path: string; readonly sha256: string; readonly name: string }

/** Reads one segment; blocks. @throws {Problem} 'bars-missing', 'bars-invalid' when it is damaged */
export function readSegment({ path, sha256, name }: Segment): Bars {
  const bytes = readBytes(path, name)
  if (bytes.length <= maxVerifiedBytes && hash('sha256', bytes) !== sha256)
    throw damaged(name, path, 'the checksum is wrong')
  try {
    return barsOf(decodeTable(bytes, { consume: true }))
  } catch (error) {
    throw damaged(name, path, isNativeError(error) ? error.message : String(error))
  }
}

/** Starts the hour of grace anew; a segment that is gone stays so. */
export async function touchSegment(path: string): Promise<void> {
  const now = new Date(systemClock.now())
  try {
    await utimes(path, now, now)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/**
 * Removes from a dataset's folder the segments nobody wants, their renditions, and what killed writers left.
 * @returns how many segments were removed
 */
export async function sweepSegments(
  folder: string,
  isWanted: (sha256: string) => boolean,
  now: number,
): Promise<number> {
  let removed = 0
  for (const name of await readdir(folder)) {
    const match = /^([0-9a-f]{64})\.(arrow|json|csv|parquet)$/.exec(name)
    const isWaste = isTemporary(name) || (match?.[1] !== undefined && !isWanted(match[1]))
    if (!isWaste || now - (await stat(join(folder, name))).mtimeMs < graceMs) continue
    await rm(join(folder, name), { force: true })
    if (match?.[2] === 'arrow') removed++
  }
  return removed
}

function readBytes(path: string, name: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new Problem(
      'bars-missing',
      `the bars of ${name} that this operation depends on are not stored any more`,
      {
        hint: 'Store the dataset again and retry, or submit a new operation to use the bars stored now.',
      },
    )
  }
}

function damaged(name: string, path: string, reason: string): Problem {
  return new Problem('bars-invalid', `the stored bars of ${name} are damaged: ${reason}`, {
    hint: `Download or import the dataset again; it replaces ${path}.`,
  })
}
