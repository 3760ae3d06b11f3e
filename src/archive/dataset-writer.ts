import { renameSync, rmSync, utimesSync } from 'node:fs'
import { systemClock } from '../clock.ts'
import type { Bars } from '../market/bars.ts'
import { joinBars } from '../market/merge-bars.ts'
import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { syncFolderSync, temporaryPath, writeNewFileSync } from './atomic.ts'
import { type DatasetName, segmentPath, segmentsFolder } from './layout.ts'
import { type StoredSegment, withManifest } from './manifest.ts'
import { checkPartitions, type Partition, splitByPartition } from './partitions.ts'
import { checkNames, checkStorable, type Origin, type Published, publishSegments } from './publish.ts'
import { encodeSegment } from './segments.ts'

/** A partition that is complete: its file waits under a temporary name. */
type Staged = { readonly facts: StoredSegment; readonly temporary: string }

/**
 * Makes a dataset of bars that come in chunks, in the memory of one partition. Partitions are written as they fill;
 * nothing of the dataset changes before `publish`. Blocks: for worker threads.
 */
export class DatasetWriter {
  readonly #dataset: DatasetName
  readonly #timeframe: Timeframe
  /** Complete partitions in the order they came. */
  readonly #staged: Staged[] = []
  /** The partition being filled, and its pieces in the order they came. */
  #open: { readonly partition: Partition; readonly pieces: Bars[] } | null = null
  /** The open times so far; null before the first bar. */
  #span: { readonly first: number; readonly last: number } | null = null
  #order: 'unknown' | 'later' | 'earlier' = 'unknown'
  /** Which end of the first chunk stays open, only the second one tells. */
  #first: Bars | null = null
  #isClosed = false

  constructor(dataset: DatasetName) {
    if (!isTimeframe(dataset.timeframe)) throw new Error(`${dataset.timeframe} is not a timeframe`)
    this.#dataset = dataset
    this.#timeframe = dataset.timeframe
  }

  /**
   * Adds bars, oldest first; each chunk lies entirely after all earlier ones, or each entirely before.
   * @param bars given away: their memory may not be used again
   * @throws {Problem} 'bars-invalid' for bars that `checkBars` refuses and chunks in no order; rows count in the chunk
   */
  append(bars: Bars): void {
    if (this.#isClosed) throw new Error('the writer was closed')
    if (bars.length === 0) return
    checkStorable(bars)
    this.#place(bars)
    if (this.#order === 'unknown') {
      this.#first = bars
      return
    }
    this.#fillWithFirst()
    this.#fill(bars)
  }

  /**
   * Makes what was appended the dataset, in one step, whatever it was before.
   * @throws {Problem} 'bars-invalid' when nothing was appended, 'params-invalid' for a name that not every file system can keep
   */
  async publish(origin: Origin): Promise<Published> {
    if (this.#isClosed) throw new Error('the writer was closed')
    await checkNames(this.#dataset, origin)
    this.#fillWithFirst()
    this.#stage()
    this.#isClosed = true
    const oldestFirst = this.#staged.map(({ facts }) => facts).sort((a, b) => a.first_ms - b.first_ms)
    await this.#store()
    const published = await publishSegments(this.#dataset, oldestFirst, origin)
    if (published === null) throw new Error('segments that were written just now are gone')
    return published
  }

  /** Forgets what was appended. Safe after `publish`, which it leaves alone. */
  discard(): void {
    this.#isClosed = true
    this.#first = null
    this.#open = null
    for (const { temporary } of this.#staged.splice(0)) rmSync(temporary, { force: true })
  }

  /** Sees to the order of the chunks. */
  #place(bars: Bars): void {
    const [first, last] = [bars.time[0] as number, bars.time[bars.length - 1] as number]
    const span = this.#span
    if (span !== null) {
      const found = first > span.last ? 'later' : last < span.first ? 'earlier' : 'unknown'
      if (found === 'unknown') throw overlapping(first, last)
      if (this.#order === 'unknown') this.#order = found
      if (this.#order !== found) throw overlapping(first, last)
    }
    this.#span = { first: Math.min(first, span?.first ?? first), last: Math.max(last, span?.last ?? last) }
  }

  #fillWithFirst(): void {
    if (this.#first !== null) this.#fill(this.#first)
    this.#first = null
  }

  #fill(bars: Bars): void {
    const parts = splitByPartition(bars, this.#timeframe)
    if (this.#order === 'earlier') parts.reverse()
    for (const part of parts) this.#add(part.partition, part.bars)
  }

  #add(partition: Partition, bars: Bars): void {
    if (this.#open?.partition.name !== partition.name) {
      this.#stage()
      this.#open = { partition, pieces: [] }
      checkPartitions(this.#staged.length + 1, this.#timeframe)
    }
    this.#open?.pieces.push(bars)
  }

  /** Writes the open partition to disk, under a temporary name. */
  #stage(): void {
    if (this.#open === null) return
    const { partition, pieces } = this.#open
    if (this.#order === 'earlier') pieces.reverse()
    const { facts, bytes } = encodeSegment(partition.name, joinBars(pieces))
    this.#open = null
    const temporary = temporaryPath(segmentPath(this.#dataset, facts.sha256))
    this.#staged.push({ facts, temporary })
    writeNewFileSync(temporary, bytes)
  }

  /**
   * Gives the staged segments their names, as young as written now: what was staged long ago would be waste to a sweep
   * until the manifest names it. Under the lock, because a sweep may be about to remove an older file of that name.
   */
  async #store(): Promise<void> {
    if (this.#staged.length === 0) return
    const now = new Date(systemClock.now())
    for (const { temporary } of this.#staged) utimesSync(temporary, now, now)
    await withManifest(this.#dataset, () => {
      for (const { facts, temporary } of this.#staged)
        renameSync(temporary, segmentPath(this.#dataset, facts.sha256))
    })
    this.#staged.length = 0
    syncFolderSync(segmentsFolder(this.#dataset))
  }
}

function overlapping(first: number, last: number): Problem {
  const span = `${new Date(first).toISOString()} to ${new Date(last).toISOString()}`
  return new Problem(
    'bars-invalid',
    `the bars from ${span} are neither all before nor all after the others`,
    {
      hint: 'Sort the file by time, oldest or newest first, and send it again.',
    },
  )
}
