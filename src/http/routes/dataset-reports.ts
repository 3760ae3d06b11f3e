import type { TaskRunner } from '../../archive/task-runner.ts'
import type { GapsOfSpan } from '../../archive/tasks.ts'
import { toRfc3339, toRfc3339OrNull } from '../../clock.ts'
import type { QualityReport } from '../../market/quality.ts'
import type { components } from '../../openapi.gen.ts'
import type { Some } from '../handlers.ts'
import { type DatasetRooms, manifestOf, readRange } from './datasets.ts'

type Api = components['schemas']
type Manifest = Awaited<ReturnType<typeof manifestOf>>

/** What stored bars lack, and what looks wrong with them; long datasets are judged in a thread. */
export function datasetReportRoutes(
  { archive, clock, config }: DatasetRooms,
  tasks: TaskRunner,
): Some<'getDatasetGaps' | 'getDatasetQuality'> {
  const common = (manifest: Manifest, query: { start?: string; end?: string; limit: number }) => {
    const { symbol, timeframe, sha256, calendar } = manifest
    return { home: config.home, symbol, timeframe, sha256, calendar, limit: query.limit, ...readRange(query) }
  }
  return {
    getDatasetGaps: async ({ params, query }, response) => {
      const manifest = await manifestOf(archive, params)
      const { fetched, failed } = manifest
      const range = common(manifest, query)
      // Bars that cannot exist yet are not missing.
      const end = range.end === null ? null : Math.min(range.end, clock.now())
      const task = { ...range, end, fetched, failed, includeExpected: query.include_expected }
      response.json(presentGaps(manifest, await tasks.run('gaps', task, manifest.bars)))
    },
    getDatasetQuality: async ({ params, query }, response) => {
      const manifest = await manifestOf(archive, params)
      const task = { ...common(manifest, query), actions: manifest.actions }
      response.json(presentQuality(manifest, await tasks.run('quality', task, manifest.bars)))
    },
  }
}

function presentGaps(
  { symbol, timeframe, sha256, calendar }: Manifest,
  report: GapsOfSpan,
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
