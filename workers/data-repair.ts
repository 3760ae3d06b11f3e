import { findGaps, type GapReport } from '../src/market/gaps.ts'
import { addInterval, type Interval } from '../src/market/intervals.ts'
import type { DataRepairParams, DataRepairResult } from '../src/operations/data-repair.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { Problem } from '../src/problems.ts'
import { type DownloadState, nothingFetched } from '../src/vendors/download.ts'
import { Downloads } from './downloads.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

/** What a checkpoint holds. */
type State = {
  readonly gaps: number
  readonly missing: number
  readonly download: DownloadState
}

/** More gaps than this are left to the next repair. */
const maxGaps = 10_000
const missingClasses = ['fetch_failed', 'unexpected', 'vendor_had_none'] as const

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
    const left = missingClasses.map(name => after.by_class[name])
    return {
      gaps_before: state.gaps,
      missing_before: state.missing,
      gaps_after: left.reduce((sum, { gaps }) => sum + gaps, 0),
      missing_after: left.reduce((sum, { bars }) => sum + bars, 0),
      dataset,
    }
  },
)

async function plan(params: DataRepairParams, downloads: Downloads, ctx: WorkerContext): Promise<State> {
  const report = await gapsOf(params, downloads, ctx)
  const chosen = report.gaps.filter(gap => params.classes.some(name => name === gap.class))
  if (report.truncated)
    ctx.warn(`There are more than ${maxGaps} gaps: the first ones are repaired, run it again for the rest.`)
  const ranges = chosen.reduce<Interval[]>(addInterval, [])
  return {
    gaps: chosen.length,
    missing: chosen.reduce((sum, gap) => sum + gap.missing_bars, 0),
    download: { ranges, counts: nothingFetched, remarks: [] },
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
    limit: maxGaps,
  })
}
