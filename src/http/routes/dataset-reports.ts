import type { TaskRunner } from '../../archive/task-runner.ts'
import { toRfc3339, toRfc3339OrNull } from '../../clock.ts'
import type { GapReport } from '../../market/gaps.ts'
import type { QualityReport } from '../../market/quality.ts'
import { closeTimeMs, dayMs } from '../../market/timeframe.ts'
import type { components } from '../../openapi.gen.ts'
import { rangeOf } from '../../operations/moment.ts'
import { Problem } from '../../problems.ts'
import type { Some } from '../handlers.ts'
import { type DatasetRooms, manifestOf } from './datasets.ts'

type Api = components['schemas']
type Manifest = Awaited<ReturnType<typeof manifestOf>>

/** Sessions are looked at one by one, however few bars there are. */
const maxRangeMs = 200 * 366 * dayMs
/** A day of the calendar costs about as much as so many bars. */
const rowsPerDay = 10

const rangeFault = (message: string): Problem =>
  new Problem('params-invalid', message, { errors: [{ pointer: '/query/end', code: 'range', message }] })

/** What stored bars lack, and what looks wrong with them; long datasets are judged in a thread. */
export function datasetReportRoutes(
  { archive, clock, config }: DatasetRooms,
  tasks: TaskRunner,
): Some<'getDatasetGaps' | 'getDatasetQuality'> {
  const common = (manifest: Manifest, query: { start?: string; end?: string; limit: number }) => {
    const { symbol, timeframe, sha256, calendar } = manifest
    const asked = rangeOf(query, '/query')
    const lastMs = Date.parse(manifest.last_time)
    const start = asked.start ?? Date.parse(manifest.first_time)
    const end = asked.end ?? Math.max(start, closeTimeMs(lastMs, timeframe))
    if (end - start > maxRangeMs) throw rangeFault('start and end are more than 200 years apart')
    if (end < start) throw rangeFault(`the first bar opens at ${manifest.first_time}, after end`)
    const range = { start, end }
    return { home: config.archive, symbol, timeframe, sha256, calendar, limit: query.limit, ...range }
  }
  return {
    getDatasetGaps: async ({ params, query }, response) => {
      const manifest = await manifestOf(archive, params)
      const { fetched, failed, symbol, timeframe, sha256 } = manifest
      await archive.fetch(symbol, timeframe, sha256)
      const range = common(manifest, query)
      // Bars that cannot exist yet are not missing.
      const end = Math.min(range.end, Math.max(range.start, clock.now()))
      const task = { ...range, end, fetched, failed, includeExpected: query.include_expected }
      const work = manifest.bars + ((end - range.start) / dayMs) * rowsPerDay
      const report = await tasks.run('gaps', task, work)
      response.json(presentGaps(manifest, { ...report, start: range.start, end }))
    },
    getDatasetQuality: async ({ params, query }, response) => {
      const manifest = await manifestOf(archive, params)
      await archive.fetch(manifest.symbol, manifest.timeframe, manifest.sha256)
      const task = { ...common(manifest, query), actions: manifest.actions }
      response.json(presentQuality(manifest, await tasks.run('quality', task, manifest.bars)))
    },
  }
}

function presentGaps(
  { symbol, timeframe, sha256, calendar }: Manifest,
  report: GapReport & { readonly start: number; readonly end: number },
): Api['GapReport'] {
  return {
    symbol,
    timeframe,
    sha256,
    calendar,
    start: toRfc3339(report.start),
    end: toRfc3339(report.end),
    coverage: report.coverage,
    by_class: report.by_class,
    gaps: report.gaps.map(gap => ({
      start: toRfc3339(gap.start),
      end: toRfc3339(gap.end),
      class: gap.class,
      missing_bars: gap.missing_bars,
      note: gap.note,
    })),
    truncated: report.truncated,
  }
}

function presentQuality(
  { symbol, timeframe, sha256 }: Manifest,
  report: QualityReport,
): Api['QualityReport'] {
  return {
    symbol,
    timeframe,
    sha256,
    bars: report.bars,
    healthy: report.healthy,
    checks: report.checks.map(({ name: check, examples, ...facts }) => ({
      check,
      ...facts,
      examples: examples.map(({ time, value, message }) => ({ time: toRfc3339OrNull(time), value, message })),
    })),
  }
}
