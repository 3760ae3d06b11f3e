import { BarTimes } from '../../archive/bar-times.ts'
import type { BarsArchive } from '../../archive/bars.ts'
import { readStrategy, type StrategyLibrary } from '../../archive/strategies.ts'
import { toRfc3339OrNull } from '../../clock.ts'
import { fittingOf } from '../../features/pipeline-fit.ts'
import { historyOf, referenceOf, timeframesOf } from '../../features/pipeline-recipe.ts'
import { recipeOf } from '../../features/pipeline-strategy.ts'
import type { Timeframe } from '../../market/timeframe.ts'
import type { components } from '../../openapi.gen.ts'
import { Problem } from '../../problems.ts'
import type { Some } from '../handlers.ts'

type Api = components['schemas']

/** What a strategy's features are, and from when on bars have them. */
export function strategyFeatureRoutes(
  library: StrategyLibrary,
  archive: BarsArchive,
): Some<'explainFeatures'> {
  return {
    explainFeatures: async ({ params: { name }, query }, response) => {
      const file = await library.get(name)
      if (file === null) throw await library.notFound(name)
      const { strategy, errors } = readStrategy(file.yaml, name)
      if (strategy === null)
        throw new Problem('strategy-invalid', `'${name}' has faults: ${errors[0]?.message}`, { errors })
      const recipe = recipeOf(strategy)
      const symbol = query.symbol ?? strategy.symbols[0]
      const pinned = await pinAll(archive, symbol, timeframesOf(recipe))
      const rows = recipe.features.map(feature => ({
        feature,
        timeframe: feature.timeframe,
        ...historyOf(recipe, feature),
      }))
      const known = await firstUsableTimes(pinned, recipe.base, rows)
      const usable = rows.map(wanted => known.get(keyOf(wanted)) ?? null)
      const isKnown = usable.length > 0 && usable.every(time => time !== null)
      response.json({
        name,
        sha256: file.sha256,
        base_timeframe: recipe.base,
        symbol,
        first_row_time: isKnown ? toRfc3339OrNull(Math.max(...usable.map(time => time ?? 0))) : null,
        features: rows.map(({ feature, timeframe, lookback, stableAfter }, index) => ({
          id: feature.id,
          timeframe,
          source: { ...feature.source },
          indicator: referenceOf(recipe, feature),
          fitted: fittingOf(recipe, feature),
          lookback,
          stable_after: stableAfter,
          first_usable_time: toRfc3339OrNull(usable[index] ?? null),
        })),
        missing: timeframesOf(recipe).filter(timeframe => !pinned.has(timeframe)),
      } satisfies Api['FeatureExplanation'])
    },
  }
}

/** The datasets of a symbol that are stored. */
async function pinAll(
  archive: BarsArchive,
  symbol: string,
  timeframes: readonly Timeframe[],
): Promise<ReadonlyMap<Timeframe, BarTimes>> {
  const pinned = new Map<Timeframe, BarTimes>()
  for (const timeframe of timeframes) {
    const found = await archive.pin(symbol, timeframe, 'none')
    if (found === null) continue
    const { sha256, manifest } = found
    await archive.fetch(symbol, timeframe, sha256)
    pinned.set(timeframe, new BarTimes(archive, { symbol, timeframe, sha256 }, manifest.partitions))
  }
  return pinned
}

/** How many bars of a timeframe come before the first that has a value. */
type Wanted = { readonly timeframe: Timeframe; readonly lookback: number }

const keyOf = ({ timeframe, lookback }: Wanted) => `${timeframe} ${lookback}`

/**
 * Open time of the first base bar that closes when the bar after a look-back has closed, or later; epoch ms, null where
 * the bars do not suffice. Many features share a look-back: each is looked up once, those of a timeframe in the order
 * of its bars.
 */
async function firstUsableTimes(
  pinned: ReadonlyMap<Timeframe, BarTimes>,
  baseTimeframe: Timeframe,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<string, number | null>> {
  const times = new Map<string, number | null>()
  const base = pinned.get(baseTimeframe)
  const inOrder = wanted.toSorted((a, b) => a.timeframe.localeCompare(b.timeframe) || a.lookback - b.lookback)
  for (const one of inOrder) {
    const own = pinned.get(one.timeframe)
    if (base === undefined || own === undefined || times.has(keyOf(one))) continue
    const knownAt = await own.closeOf(one.lookback)
    times.set(keyOf(one), knownAt === null ? null : await base.openOfClosing(knownAt))
  }
  return times
}
