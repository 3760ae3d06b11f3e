import { BarsArchive } from '../src/archive/bars.ts'
import { canonicalSha256, describeFeatures, featuresTable } from '../src/archive/feature-tables.ts'
import { readSnapshot } from '../src/archive/strategies.ts'
import { toRfc3339, toRfc3339OrNull } from '../src/clock.ts'
import { buildFeatures, type FeatureBuild, type SymbolBars } from '../src/features/pipeline.ts'
import { timeframesOf } from '../src/features/pipeline-recipe.ts'
import { withSessions } from '../src/features/pipeline-sessions.ts'
import { recipeOf } from '../src/features/pipeline-strategy.ts'
import { Calendars } from '../src/market/calendars.ts'
import type { Timeframe } from '../src/market/timeframe.ts'
import {
  type EffectiveFeatureBuildParams,
  type FeatureBuildResult,
  fitOf,
} from '../src/operations/feature-build.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { parseStrategy } from '../src/strategy/parse.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

export default defineWorker(
  'feature_build',
  (params: EffectiveFeatureBuildParams, ctx): FeatureBuildResult => {
    const yaml = readSnapshot(ctx.server.home, ctx.provenance.strategy_sha256 ?? '')
    const { strategy } = parseStrategy(yaml)
    const recipe = recipeOf(strategy, params.timeframes)
    const timeframes = [...timeframesOf(recipe)]
    const fit = fitOf(params)
    const build = buildFeatures({
      recipe,
      symbols: readBars(params.symbols, timeframes, ctx),
      ...rangeOf(params),
      fit,
      checkpoint: (done, total, phase) => {
        ctx.checkCancelled()
        ctx.progress(done, total, phase, 'dataset')
      },
    })
    for (const warning of build.warnings) ctx.warn(warning)
    const total = timeframes.length * params.symbols.length
    ctx.progress(total, total, 'storing', 'dataset')
    const sha256 = canonicalSha256(build.table, () => ctx.checkCancelled())
    const info = { sha256, ...describeFeatures(build, { recipe, fit }) }
    ctx.artifacts.table(
      'features',
      featuresTable(build.table, () => ctx.checkCancelled()),
    )
    ctx.artifacts.file('feature_info.json', Buffer.from(JSON.stringify(info, null, 2)), 'application/json')
    ctx.artifacts.file('strategy.yaml', Buffer.from(yaml), 'application/yaml')
    return {
      strategy_name: strategy.name,
      base_timeframe: recipe.base,
      timeframes,
      sha256,
      fit: fit === null ? null : { start: toRfc3339(fit.start), end: toRfc3339(fit.end) },
      ...summarise(build),
    }
  },
)

/** The pinned bars, in the order in which they were pinned. */
function readBars(
  symbols: readonly string[],
  timeframes: readonly Timeframe[],
  ctx: WorkerContext,
): SymbolBars[] {
  const calendars = new Calendars(ctx.server.calendars)
  const archive = new BarsArchive(ctx.server.home, calendars)
  const total = symbols.length * timeframes.length
  return symbols.map((symbol, row) => {
    const bars = timeframes.map((timeframe, column) => {
      ctx.checkCancelled()
      ctx.progress(0, total, `loading ${symbol} ${timeframe}`, 'dataset')
      const sha256 = ctx.provenance.dataset_sha256[row * timeframes.length + column] ?? ''
      const read = archive.read(symbol, timeframe, sha256)
      const calendar = calendars.find(archive.version(symbol, timeframe, sha256)?.calendar ?? '')
      return [timeframe, calendar === null ? read : withSessions(read, calendar, timeframe)] as const
    })
    return { symbol, bars: Object.fromEntries(bars) }
  })
}

function summarise({
  table,
  symbols,
}: FeatureBuild): Pick<FeatureBuildResult, 'rows' | 'features' | 'dropped' | 'symbols'> {
  const sum = (key: 'pre_roll' | 'warm_up' | 'incomplete') =>
    symbols.reduce((count, { dropped }) => count + dropped[key], 0)
  return {
    rows: table.rows,
    features: table.ids.length,
    dropped: { pre_roll: sum('pre_roll'), warm_up: sum('warm_up'), incomplete: sum('incomplete') },
    symbols: table.symbols.map(({ symbol, from, to }, index) => ({
      symbol,
      rows: to - from,
      first_time: to > from ? toRfc3339OrNull(table.time[from] ?? null) : null,
      last_time: to > from ? toRfc3339OrNull(table.time[to - 1] ?? null) : null,
      dropped: { ...(symbols[index]?.dropped ?? { pre_roll: 0, warm_up: 0, incomplete: 0 }) },
    })),
  }
}
