import { meansQuantiles } from '../fuzzy/quantile-set.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import { entriesOf, fieldOf, isRecord, valueAt } from './written.ts'

/** Keys that only make sense with a model, and those among them that a model cannot do without. */
const modelKeys = ['fuzzy_sets', 'nn_inputs', 'model', 'training']
const neededKeys = ['nn_inputs', 'model', 'training']
const modelDecisions = Object.keys(strategySchema.$defs.StrategyDecisions.properties).filter(
  key => key !== 'rules',
)

const maxSets = strategySchema.properties.fuzzy_sets.maxProperties

/** How a strategy means to decide. */
export function kindOf(written: unknown): 'rules' | 'model' {
  return valueAt(written, 'decisions', 'rules') === undefined ? 'model' : 'rules'
}

/** What else is to be said of fuzzy sets that are fitted. */
function untrained(written: unknown, path: readonly string[]): string {
  const sets = path[0] === 'fuzzy_sets' ? entriesOf(fieldOf(written, 'fuzzy_sets'), maxSets) : []
  const fitted = sets.find(([, definition]) => meansQuantiles(definition))
  return fitted === undefined
    ? ''
    : `, and '${fitted[0].slice(0, 64)}', of type quantile, is fitted by training: rules are never trained`
}

/** A strategy has rules or a model: what belongs to the other kind, and what is missing of its own. */
export function findKindFaults(written: unknown): readonly Fault[] {
  const decisions = fieldOf(written, 'decisions')
  const ofModel = [
    ...modelKeys.filter(key => fieldOf(written, key) !== undefined).map(key => [key]),
    ...modelDecisions.filter(key => fieldOf(decisions, key) !== undefined).map(key => ['decisions', key]),
  ]
  if (kindOf(written) === 'rules') {
    return ofModel.map(path => {
      const message = `strategies with decisions.rules do not take '${path.at(-1)}': it belongs to strategies with a model`
      return { path, part: 'key', code: 'mixed', message: `${message}${untrained(written, path)}` }
    })
  }
  if (!isRecord(written) || !isRecord(decisions)) return []
  if (ofModel.length === 0) {
    const message =
      "'rules' is missing in decisions: a strategy needs it, or else nn_inputs, model and training"
    return [{ path: ['decisions', 'rules'], part: 'value', code: 'required', message }]
  }
  return neededKeys
    .filter(key => fieldOf(written, key) === undefined)
    .map(key => ({
      path: [key],
      part: 'value',
      code: 'required',
      message: `'${key}' is missing: a strategy without decisions.rules needs it`,
    }))
}
