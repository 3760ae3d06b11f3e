import type { Bars } from '../market/bars.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import {
  addInterval,
  cutInterval,
  type FailedInterval,
  type Interval,
  keepLongest,
} from '../market/intervals.ts'
import { joinBars, mergeBars } from '../market/merge-bars.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { fetchFiles, refresh } from './exchange.ts'
import { type DatasetName, segmentPath } from './layout.ts'
import { type Manifest, readManifest, type StoredSegment } from './manifest.ts'
import { checkPartitions, splitByPartition } from './partitions.ts'
import {
  checkNames,
  checkStorable,
  factsOf,
  nothingKnown,
  type Origin,
  type Published,
  putManifest,
} from './publish.ts'
import { readSegments } from './segment-reader.ts'
import { storeSegment } from './segments.ts'

/** What a vendor answered about a span of time. */
export type Page = {
  /** Put at their open times; may be none. */
  readonly bars: Bars
  /** The vendor has said all it knows about this time. */
  readonly fetched?: Interval
  /** The vendor did not deliver this time. */
  readonly failed?: FailedInterval
  /** All the vendor knows: they replace what was known. */
  readonly actions?: readonly CorporateAction[]
}

/** How many bars were put at open times that had none, and how many differ from those they replaced. */
export type Committed = Published & { readonly added: number; readonly changed: number }

/** A manifest keeps at most so many intervals of each kind. */
const maxIntervals = 1_000
const maxReasonLength = 300

/**
 * Puts a page over the dataset: what it does not name stays, even what another thread stores meanwhile. Only the
 * partitions concerned are written anew, and none when the page says nothing new.
 * @returns null when there is no such dataset and the page has no bars
 * @throws {Problem} as `publishBars`; 'bars-missing', 'bars-invalid' when a segment concerned cannot be read
 */
export async function commitPage(
  dataset: DatasetName,
  page: Page,
  origin: Origin,
): Promise<Committed | null> {
  await refresh(dataset.home)
  const timeframe = await checkNames(dataset, origin)
  checkStorable(page.bars)
  for (;;) {
    const base = await readManifest(dataset)
    if (base === null && page.bars.length === 0) return null
    if (base !== null) checkCalendar(base, origin)
    const merged = await mergePage(dataset, base, { bars: page.bars, timeframe })
    const { manifest, outcome } = await putManifest(dataset, merged.segments, {
      facts: { ...sourceOf(base, page, origin), ...learn(base ?? nothingKnown, page) },
      isExpected: present => JSON.stringify(present) === JSON.stringify(base),
      stored: merged.stored,
    })
    const { added, changed } = merged
    if (outcome === 'replaced') return { manifest, created: base === null, added, changed }
  }
}

/** A page that delivered nothing does not make its vendor the source of the bars there are. */
function sourceOf(base: Manifest | null, page: Page, origin: Origin): ReturnType<typeof factsOf> {
  const facts = factsOf(origin)
  if (base === null || page.bars.length > 0 || page.fetched !== undefined) return facts
  const { source, fetched_at, resampled_from: resampledFrom } = base
  return { ...facts, source, now: Date.parse(fetched_at), resampledFrom }
}

/** Bars that close by two calendars are no dataset. @throws {Problem} 'params-invalid' */
function checkCalendar({ symbol, timeframe, calendar }: Manifest, origin: Origin): void {
  if (calendar === origin.calendar) return
  const message = `${symbol} ${timeframe} is stored with the calendar ${calendar}, these bars close by ${origin.calendar}`
  throw new Problem('params-invalid', message, {
    errors: [{ pointer: `${origin.pointer ?? ''}/calendar`, code: 'conflict', message }],
  })
}

type MergedPage = {
  /** All of the dataset, oldest first. */
  readonly segments: readonly StoredSegment[]
  /** Those that were written. */
  readonly stored: readonly StoredSegment[]
  readonly added: number
  readonly changed: number
}

async function mergePage(
  dataset: DatasetName,
  base: Manifest | null,
  { bars, timeframe }: { bars: Bars; timeframe: Timeframe },
): Promise<MergedPage> {
  const segments = new Map(base?.partitions.map(segment => [segment.partition, segment]))
  const stored: StoredSegment[] = []
  let [added, changed] = [0, 0]
  for (const { partition, bars: part } of splitByPartition(bars, timeframe)) {
    const present = segments.get(partition.name)
    if (present !== undefined) await fetchFiles(dataset.home, [segmentPath(dataset, present.sha256)])
    const old = present === undefined ? joinBars([]) : readSegments(dataset, [present])
    const merged = mergeBars(old, part)
    if (merged.added + merged.changed === 0) continue
    added += merged.added
    changed += merged.changed
    const segment = await storeSegment(dataset, partition.name, merged.bars)
    segments.set(partition.name, segment)
    stored.push(segment)
  }
  checkPartitions(segments.size, timeframe)
  const oldestFirst = [...segments.values()].sort((a, b) => a.first_ms - b.first_ms)
  return { segments: oldestFirst, stored, added, changed }
}

type Known = Pick<Manifest, 'fetched' | 'failed' | 'actions'>

function learn(known: Known, { fetched, failed, actions }: Page): Known {
  const answered = fetched === undefined ? known.fetched : addInterval(known.fetched, fetched)
  const open = fetched === undefined ? known.failed : cutInterval(known.failed, fetched)
  return {
    fetched: keepLongest(answered, maxIntervals),
    failed: failed === undefined ? open : noteFailure(open, failed),
    // A vendor tells all it knows: one it has taken back or dated anew must not stay.
    actions: actions ?? known.actions,
  }
}

/** The latest reason for a time counts; of too many the oldest are forgotten. */
function noteFailure(known: readonly FailedInterval[], failed: FailedInterval): FailedInterval[] {
  if (!(failed.start < failed.end)) return [...known]
  const { start, end } = failed
  const reason = failed.reason.slice(0, maxReasonLength)
  return [...cutInterval(known, failed), { start, end, reason }].slice(-maxIntervals)
}
