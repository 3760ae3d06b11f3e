import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Bars } from '../market/bars.ts'
import { writeFileAtomically } from './atomic.ts'
import { barsTable } from './bars-table.ts'
import { touchFile } from './folder.ts'
import { type DatasetName, segmentPath } from './layout.ts'
import type { StoredSegment } from './manifest.ts'
import { encodeTable } from './tables.ts'

/** A segment as it will be stored. */
type EncodedSegment = { readonly facts: StoredSegment; readonly bytes: Uint8Array }

/** The file of one partition's bars; equal bars give equal bytes. @param bars at least one */
export function encodeSegment(partition: string, bars: Bars): EncodedSegment {
  const bytes = encodeTable(barsTable(bars))
  const facts = {
    partition,
    sha256: hash('sha256', bytes),
    bars: bars.length,
    first_ms: bars.time[0] as number,
    last_ms: bars.time[bars.length - 1] as number,
    size_bytes: bytes.length,
  }
  return { facts, bytes }
}

/** Keeps one partition's bars. A file that is there already is used again when it is whole. */
export async function storeSegment(
  dataset: DatasetName,
  partition: string,
  bars: Bars,
): Promise<StoredSegment> {
  const { facts, bytes } = encodeSegment(partition, bars)
  const path = segmentPath(dataset, facts.sha256)
  // Touched before it is looked at: a sweep does not remove what is young.
  const isStored = (await touchFile(path)) && hash('sha256', await readFile(path)) === facts.sha256
  if (!isStored) await writeFileAtomically(path, bytes)
  return facts
}
