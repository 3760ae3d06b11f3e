import { createFuzzySet } from '../fuzzy/fuzzy-set.ts'
import type { Membership } from '../fuzzy/membership.ts'
import { isQuantileSet } from '../fuzzy/quantile-set.ts'
import { columnOf, type IndicatorInput, type OutputColumns } from '../indicators/indicator.ts'
import type { Bars } from '../market/bars.ts'
import type { ColumnCache } from './column-cache.ts'
import type { Feature } from './feature-id.ts'
import { applyNormaliser, type FittedNormaliser } from './normaliser.ts'
import {
  type FeatureRecipe,
  type ReferredOutput,
  referenceOf,
  resolveReference,
  setOf,
  sourceReference,
} from './pipeline-recipe.ts'

/** Bars with, for intraday ones, a number per bar that tells trading sessions apart. */
export type SessionBars = Bars & Pick<IndicatorInput, 'session'>

/** Called before each piece of work, some milliseconds at most; it may throw to stop the work. */
export type Checkpoint = () => void

/** Values calculated between two looks at the checkpoint: about 2 ms of the slowest membership. */
const chunk = 65_536

/**
 * Indicators on the bars of one timeframe, each calculated once, when it is first read, whatever is read of it.
 * The value at bar i depends on bars 0..i only.
 */
export class IndicatorColumns {
  private readonly recipe: Pick<FeatureRecipe, 'indicators'>
  private readonly bars: SessionBars
  private readonly checkpoint: Checkpoint
  private readonly cache: ColumnCache | null
  private readonly computed = new Map<string, OutputColumns>()

  /**
   * @param bars oldest first, complete and checked
   * @param cache shared with other recipes on the same bars; none by default
   */
  constructor(
    recipe: Pick<FeatureRecipe, 'indicators'>,
    bars: SessionBars,
    checkpoint: Checkpoint = () => {},
    cache: ColumnCache | null = null,
  ) {
    this.recipe = recipe
    this.bars = bars
    this.checkpoint = checkpoint
    this.cache = cache
  }

  /** The column of an indicator's id or `id.output`, NaN in its warm-up. Not to be written to. */
  read(reference: string): Float64Array {
    const referred = resolveReference(this.recipe, reference)
    const { id, output } = referred
    const known = this.computed.get(id)
    if (known !== undefined) return columnOf(known, output.name)
    const calculate = () => this.calculate(referred)
    const columns =
      this.cache?.read(this.bars, calculationKey(this.recipe, referred), calculate) ?? calculate()
    this.computed.set(id, columns)
    return columnOf(columns, output.name)
  }

  private calculate(referred: ReferredOutput): OutputColumns {
    const source = sourceReference(referred)
    const input = source === null ? this.bars : { ...this.bars, source: this.read(source) }
    this.checkpoint()
    return referred.spec.compute(input, referred.indicator)
  }

  /** Drops the columns, so that their memory can be used again. */
  clear(): void {
    this.computed.clear()
  }
}

/** What is calculated for an indicator, whatever it is called: its type, its parameters, and so on for what it reads. */
export function calculationKey(recipe: Pick<FeatureRecipe, 'indicators'>, referred: ReferredOutput): string {
  const { type, ...params } = referred.indicator
  const source = sourceReference(referred)
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))
  if (source === null) return JSON.stringify([type, sorted])
  const read = resolveReference(recipe, source)
  const others = sorted.filter(([name]) => name !== 'source')
  return JSON.stringify([type, others, calculationKey(recipe, read), read.output.name])
}

/**
 * A feature on the bars of its own timeframe, before anything that is fitted: memberships in 0–1 where their numbers are
 * written, else the indicator as it is. Not to be written to.
 */
export function nativeColumn(
  recipe: FeatureRecipe,
  feature: Feature,
  { indicators, checkpoint = () => {} }: { indicators: IndicatorColumns; checkpoint?: Checkpoint },
): Float64Array {
  const values = indicators.read(referenceOf(recipe, feature))
  const { source } = feature
  if (source.kind === 'raw') return values
  const set = setOf(recipe, source.fuzzy_set)
  if (isQuantileSet(set)) return values
  const terms = set.terms.filter(({ name }) => name === source.term)
  const membership = createFuzzySet(terms).terms[0]?.membership
  if (membership === undefined) throw new TypeError(`the recipe has not been checked: no term ${source.term}`)
  return fuzzifyInChunks(values, membership, checkpoint)
}

function fuzzifyInChunks(values: Float64Array, membership: Membership, checkpoint: Checkpoint): Float64Array {
  const out = new Float64Array(values.length)
  for (let at = 0; at < values.length; at += chunk) {
    checkpoint()
    membership.evaluateAll(values.subarray(at, at + chunk), out.subarray(at, at + chunk))
  }
  return out
}

/** As `applyNormaliser`, looking at the checkpoint on the way. @returns a new column */
export function normaliseInChunks(
  values: Float64Array,
  normaliser: FittedNormaliser,
  checkpoint: Checkpoint,
): Float64Array {
  const out = new Float64Array(values.length)
  for (let at = 0; at < values.length; at += chunk) {
    checkpoint()
    applyNormaliser(values.subarray(at, at + chunk), normaliser, out.subarray(at, at + chunk))
  }
  return out
}
