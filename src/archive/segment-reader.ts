import { createHash, hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { isNativeError } from 'node:util/types'
import { type Bars, barFields } from '../market/bars.ts'
import { type BarColumns, emptyColumns } from '../market/bars-builder.ts'
import { Problem } from '../problems.ts'
import { int64ToFloat64 } from './arrow-buffers.ts'
import { barsOf } from './bars-table.ts'
import { isMissing } from './folder.ts'
import { type DatasetName, segmentPath } from './layout.ts'
import { maxHeadBytes, readSegmentHead, type SegmentHead } from './segment-head.ts'
import { decodeTable } from './tables.ts'
import { barsGone, type SegmentFacts } from './version.ts'

/** Reads of more trust the files' structure: hashing 280 MB takes as long as reading it twice (DESIGN.md). */
const maxVerifiedBars = 600_000

/**
 * The bars of several segments, one after the other, read straight into their columns; blocks.
 * @param segments of one version, oldest first
 * @param options.verify compare checksums; by default when there are at most 600,000 bars
 * @param options.allocate memory for the columns, e.g. one that threads share
 * @throws {Problem} 'bars-missing' when a file is gone, 'bars-invalid' when one is damaged
 */
export function readSegments(
  dataset: DatasetName,
  segments: readonly SegmentFacts[],
  options: { verify?: boolean; allocate?: ((bytes: number) => ArrayBufferLike) | undefined } = {},
): Bars {
  const length = segments.reduce((sum, segment) => sum + segment.bars, 0)
  const { verify = length <= maxVerifiedBars, allocate } = options
  const columns = emptyColumns(length, allocate)
  const head = Buffer.alloc(maxHeadBytes)
  let at = 0
  for (const facts of segments) {
    const place: Place = { columns, at, head, verify }
    readSegment(dataset, facts, place)
    at += facts.bars
  }
  return { length, ...columns }
}

/** Where the rows of a segment go. */
type Place = {
  readonly columns: BarColumns
  readonly at: number
  /** Memory for the start of the file, used for one segment after the other. */
  readonly head: Uint8Array
  readonly verify: boolean
}

function readSegment(dataset: DatasetName, facts: SegmentFacts, place: Place): void {
  const path = segmentPath(dataset, facts.sha256)
  const file = openSegment(dataset, path)
  try {
    const size = fstatSync(file).size
    const got = readSync(file, place.head, 0, place.head.length, 0)
    const head = readSegmentHead(place.head.subarray(0, got))
    if (head?.rows !== facts.bars) copySegment(readFileSync(path), facts, place)
    else fillColumns({ file, size, head }, facts, place)
    checkEnds(facts, place)
  } catch (error) {
    if (!(error instanceof DamagedSegment)) throw error
    throw damaged(dataset, path, error.message)
  } finally {
    closeSync(file)
  }
}

/** Says what is wrong with a file; `damaged` makes it a `Problem`. */
class DamagedSegment extends Error {}

const wrongChecksum = 'the checksum is wrong'

function openSegment(dataset: DatasetName, path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (isMissing(error)) throw barsGone(dataset)
    throw error
  }
}

type OpenSegment = { readonly file: number; readonly size: number; readonly head: SegmentHead }

/** With `verify` every byte of the file is hashed, in its order: what lies between the columns is read for that alone. */
function fillColumns({ file, size, head }: OpenSegment, facts: SegmentFacts, place: Place): void {
  const digest = place.verify ? createHash('sha256') : null
  let hashedTo = 0
  barFields.forEach((field, index) => {
    const target = place.columns[field].subarray(place.at, place.at + facts.bars)
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    const start = head.offsets[index] ?? 0
    // A damaged head names any place at all.
    if (start < hashedTo || start + bytes.length > size) throw new DamagedSegment('its columns lie elsewhere')
    readExactly(file, bytes, start)
    digest?.update(readBetween(file, hashedTo, start)).update(bytes)
    hashedTo = start + bytes.length
    if (field === 'time' || field === 'close_time') int64ToFloat64(target)
  })
  digest?.update(readBetween(file, hashedTo, size))
  if (digest !== null && digest.digest('hex') !== facts.sha256) throw new DamagedSegment(wrongChecksum)
}

function readBetween(file: number, start: number, end: number): Uint8Array {
  const bytes = Buffer.alloc(end - start)
  readExactly(file, bytes, start)
  return bytes
}

function readExactly(file: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const got = readSync(file, target, done, target.length - done, position + done)
    if (got === 0) throw new DamagedSegment('it ends too early')
    done += got
  }
}

/** The way for files that another program or version wrote: always verified. */
function copySegment(bytes: Uint8Array, facts: SegmentFacts, { columns, at }: Place): void {
  if (hash('sha256', bytes) !== facts.sha256) throw new DamagedSegment(wrongChecksum)
  let bars: Bars
  try {
    bars = barsOf(decodeTable(bytes, { consume: true }))
  } catch (error) {
    throw new DamagedSegment(isNativeError(error) ? error.message : String(error))
  }
  if (bars.length !== facts.bars)
    throw new DamagedSegment(`it has ${bars.length} bars instead of ${facts.bars}`)
  for (const field of barFields) columns[field].set(bars[field], at)
}

/** What finds most damage that no checksum was compared for. */
function checkEnds({ bars, first_ms, last_ms }: SegmentFacts, { columns, at }: Place): void {
  if (columns.time[at] === first_ms && columns.time[at + bars - 1] === last_ms) return
  throw new DamagedSegment('its times are not those it was stored with')
}

function damaged({ symbol, timeframe }: DatasetName, path: string, reason: string): Problem {
  return new Problem('bars-invalid', `the stored bars of ${symbol} ${timeframe} are damaged: ${reason}`, {
    hint: `Import the dataset again, or delete it and download it again; ${path} cannot be read.`,
  })
}
