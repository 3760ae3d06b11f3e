import { joinNear } from '../src/market/download-plan.ts'
import { findGaps, type GapReport } from '../src/market/gaps.ts'
import { addInterval, type Interval } from '../src/market/intervals.ts'
import { dayMs, timeframes } from '../src/market/timeframe.ts'
import type { DataRepairParams, DataRepairResult } from '../src/operations/data-repair.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { Problem } from '../src/problems.ts'
import { type DownloadState, startOf } from '../src/vendors/download.ts'
import { Downloads } from './downloads.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

/** What a checkpoint holds. */
type State = {
  readonly gaps: number
  readonly missing: number
  readonly download: DownloadState
}

/** About what vendors send in one answer. */
const pageBars = 500
/** More gaps than this are left to the next repair. */
const maxGaps = 10_000

export default defineWorker(
  'data_repair',
  async (params: DataRepairParams, ctx): Promise<DataRepairResult> => {
    const downloads = new Downloads(ctx, params)
    let state = ctx.restored<State>() ?? (await plan(params, downloads, ctx))
    const save = (download: DownloadState, label: string) => {
      state = { ...state, download }
      ctx.saveCheckpoint(state, { label })
    }
    const dataset = await downloads.fetch(params, state.download, { done: 0, total: 1 }, save)
    const after = await gapsOf(params, downloads, ctx)
    const left = countOf(after, params.classes)
    ctx.progress(1, 1, 'done', 'dataset')
    return {
      gaps_before: state.gaps,
      missing_before: state.missing,
      gaps_after: left.gaps,
      missing_after: left.missing,
      dataset,
    }
  },
)

async function plan(params: DataRepairParams, downloads: Downloads, ctx: WorkerContext): Promise<State> {
  const report = await gapsOf(params, downloads, ctx)
  if (report.truncated)
    ctx.warn(`There are more than ${maxGaps} gaps: the first ones are repaired, run it again for the rest.`)
  // Gaps of a page are asked for at once: the bars between them come again and change nothing.
  const near = pageBars * (timeframes[params.timeframe].durationMs ?? 31 * dayMs)
  const ranges = joinNear(report.gaps.reduce<Interval[]>(addInterval, []), near)
  return {
    ...countOf(report, params.classes),
    download: startOf(ranges),
  }
}

function countOf({ by_class }: GapReport, classes: DataRepairParams['classes']) {
  const counts = classes.map(name => by_class[name])
  return {
    gaps: counts.reduce((sum, { gaps }) => sum + gaps, 0),
    missing: counts.reduce((sum, { bars }) => sum + bars, 0),
  }
}

/** Up to what the vendor was last asked for: also the end that it failed to deliver. */
async function gapsOf(
  params: DataRepairParams,
  downloads: Downloads,
  ctx: WorkerContext,
): Promise<GapReport> {
  const { symbol, timeframe } = params
  const manifest = await downloads.archive.manifest(symbol, timeframe)
  if (manifest === null) throw new Problem('bars-missing', `no bars of ${symbol} ${timeframe} are stored`)
  await downloads.archive.fetch(symbol, timeframe, manifest.sha256)
  const bars = downloads.archive.read(symbol, timeframe, manifest.sha256)
  const lastClose = bars.close_time[bars.length - 1] as number
  const { start, end } = rangeOf(params)
  const asked = manifest.failed.map(interval => interval.end)
  return findGaps(bars, {
    calendar: downloads.calendars.get(manifest.calendar),
    timeframe,
    start: start ?? (bars.time[0] as number),
    end: Math.min(end ?? Math.max(lastClose, ...asked), ctx.now()),
    fetched: manifest.fetched,
    failed: manifest.failed,
    includeExpected: false,
    classes: params.classes,
    limit: maxGaps,
  })
}
