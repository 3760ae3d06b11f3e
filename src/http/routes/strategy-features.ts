import type { BarsArchive } from '../../archive/bars.ts'
import { StoredHistory } from '../../archive/bars-history.ts'
import { readStrategy, type StrategyLibrary, strategyNotFound } from '../../archive/strategies.ts'
import { toRfc3339OrNull } from '../../clock.ts'
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
      if (file === null) throw strategyNotFound(name)
      const { strategy, errors } = readStrategy(file.yaml, name)
      if (strategy === null)
        throw new Problem('strategy-invalid', `'${name}' has faults: ${errors[0]?.message}`, { errors })
      const recipe = recipeOf(strategy)
      const symbol = query.symbol ?? strategy.symbols[0]
      const pinned = await pinAll(archive, symbol, timeframesOf(recipe))
      const usable = recipe.features.map(feature => {
        const { lookback } = historyOf(recipe, feature)
        return firstUsable({ base: pinned.get(recipe.base), own: pinned.get(feature.timeframe) }, lookback)
      })
      const isKnown = usable.length > 0 && usable.every(time => time !== null)
      response.json({
        name,
        sha256: file.sha256,
        base_timeframe: recipe.base,
        symbol,
        first_row_time: isKnown ? toRfc3339OrNull(Math.max(...usable.map(time => time ?? 0))) : null,
        features: recipe.features.map((feature, index) => {
          const { lookback, stableAfter } = historyOf(recipe, feature)
          return {
            id: feature.id,
            timeframe: feature.timeframe,
            source: { ...feature.source },
            indicator: referenceOf(recipe, feature),
            lookback,
            stable_after: stableAfter,
            first_usable_time: toRfc3339OrNull(usable[index] ?? null),
          }
        }),
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
): Promise<ReadonlyMap<Timeframe, StoredHistory>> {
  const pinned = new Map<Timeframe, StoredHistory>()
  for (const timeframe of timeframes) {
    const found = await archive.pin(symbol, timeframe, 'none')
    if (found === null) continue
    pinned.set(timeframe, new StoredHistory(archive, { symbol, timeframe, sha256: found.sha256 }))
  }
  return pinned
}

/** Open time of the first base bar that closes when the bar after the look-back has closed, or later; epoch ms. */
function firstUsable(
  { base, own }: { base: StoredHistory | undefined; own: StoredHistory | undefined },
  lookback: number,
): number | null {
  if (base === undefined || own === undefined) return null
  const knownAt = own.barAt(lookback)?.close_time[0]
  return knownAt === undefined ? null : base.firstClosingAt(knownAt)
}
