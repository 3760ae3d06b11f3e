import type { FeatureRecipe } from '../features/pipeline-recipe.ts'
import { coverageLimits } from '../fuzzy/coverage.ts'
import type { Samples } from './samples.ts'

type Rows = Pick<Samples, 'ids' | 'features'>

/** The columns of a fuzzy set on one timeframe. */
type Group = { readonly name: string; readonly columns: number[] }

/**
 * Says which fuzzy sets have no term for many training rows, timeframe by timeframe: there a network sees nothing of
 * what the set looks at. Limits are those of the coverage report.
 * @param samples with the features of the recipe, in its order  @param train row numbers of `samples`
 */
export function findUncovered(
  recipe: Pick<FeatureRecipe, 'features'>,
  samples: Rows,
  { train, checkpoint }: { readonly train: Int32Array; readonly checkpoint: () => void },
): readonly string[] {
  return groupsOf(recipe).flatMap(({ name, columns }) => {
    checkpoint()
    const share = countUncovered(samples, train, columns) / train.length
    if (!(share > coverageLimits.uncovered)) return []
    const percent = (100 * share).toFixed(1)
    return [
      `fuzzy set ${name}: ${percent}% of the training rows belong to no term; widen the terms, open the outer ones with left_shoulder and right_shoulder, or let training fit them with type: quantile`,
    ]
  })
}

function groupsOf({ features }: Pick<FeatureRecipe, 'features'>): readonly Group[] {
  const groups = new Map<string, Group>()
  features.forEach(({ source, timeframe }, column) => {
    if (source.kind === 'raw') return
    const name = `'${source.fuzzy_set}' on ${timeframe}`
    const group = groups.get(name) ?? { name, columns: [] }
    group.columns.push(column)
    groups.set(name, group)
  })
  return [...groups.values()]
}

function countUncovered({ ids, features }: Rows, train: Int32Array, columns: readonly number[]): number {
  const { epsilon } = coverageLimits
  let count = 0
  for (const row of train) {
    const at = row * ids.length
    if (columns.every(column => (features[at + column] as number) <= epsilon)) count++
  }
  return count
}
