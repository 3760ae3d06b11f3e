import { createFuzzySet } from '../fuzzy/fuzzy-set.ts'
import type { Membership } from '../fuzzy/membership.ts'
import { columnOf, type IndicatorInput, type OutputColumns } from '../indicators/indicator.ts'
import type { Bars } from '../market/bars.ts'
import type { Feature } from './feature-id.ts'
import { applyNormaliser, type FittedNormaliser } from './normaliser.ts'
import { type FeatureRecipe, referenceOf, resolveReference, sourceReference } from './pipeline-recipe.ts'

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
  private readonly computed = new Map<string, OutputColumns>()

  /** @param bars oldest first, complete and checked */
  constructor(
    recipe: Pick<FeatureRecipe, 'indicators'>,
    bars: SessionBars,
    checkpoint: Checkpoint = () => {},
  ) {
    this.recipe = recipe
    this.bars = bars
    this.checkpoint = checkpoint
  }

  /** The column of an indicator's id or `id.output`, NaN in its warm-up. Not to be written to. */
  read(reference: string): Float64Array {
    const referred = resolveReference(this.recipe, reference)
    const { id, indicator, spec, output } = referred
    const known = this.computed.get(id)
    if (known !== undefined) return columnOf(known, output.name)
    const source = sourceReference(referred)
    const input = source === null ? this.bars : { ...this.bars, source: this.read(source) }
    this.checkpoint()
    const columns = spec.compute(input, indicator)
    this.computed.set(id, columns)
    return columnOf(columns, output.name)
  }

  /** Drops the columns, so that their memory can be used again. */
  clear(): void {
    this.computed.clear()
  }
}

/**
 * A feature on the bars of its own timeframe, before any normalisation: memberships in 0–1, or the indicator as it is.
 * Not to be written to.
 */
export function nativeColumn(
  recipe: FeatureRecipe,
  feature: Feature,
  { indicators, checkpoint = () => {} }: { indicators: IndicatorColumns; checkpoint?: Checkpoint },
): Float64Array {
  const values = indicators.read(referenceOf(recipe, feature))
  const { source } = feature
  if (source.kind === 'raw') return values
  const terms = recipe.fuzzySets[source.fuzzy_set]?.terms.filter(({ name }) => name === source.term) ?? []
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
