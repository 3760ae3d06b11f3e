import { countSteps, type Dimension } from './axis.ts'
import { parseFieldPath } from './field-path.ts'

/** What is wrong with one key of a dimension. */
export type DimensionFault = { readonly key: string; readonly code: string; readonly message: string }

/** Values of a list at most. */
export const maxValues = 200

/** What can be said of a dimension without the strategy. */
export function findDimensionFaults(dimension: Dimension): readonly DimensionFault[] {
  const faults: DimensionFault[] = []
  if (parseFieldPath(dimension.path) === null) {
    const message = 'a path is written like indicators.fast.period or layers[0]'
    faults.push({ key: 'path', code: 'path', message })
  }
  return [
    ...faults,
    ...('values' in dimension ? findListFaults(dimension.values) : findRangeFaults(dimension)),
  ]
}

function findListFaults(values: readonly unknown[]): readonly DimensionFault[] {
  if (values.length === 0 || values.length > maxValues) {
    const message = `there are ${values.length} values: 1 to ${maxValues} are needed`
    return [{ key: 'values', code: 'count', message }]
  }
  const seen = new Set<unknown>()
  const faults: DimensionFault[] = []
  for (const [i, value] of values.entries()) {
    if (seen.has(value))
      faults.push({
        key: `values/${i}`,
        code: 'duplicate',
        message: `${String(value)} is in the list already`,
      })
    seen.add(value)
  }
  return faults.slice(0, 10)
}

function findRangeFaults(dimension: Extract<Dimension, { min: number }>): readonly DimensionFault[] {
  const { min, max, step, scale, integer = false } = dimension
  const faults: DimensionFault[] = []
  const report = (key: string, code: string, message: string) => faults.push({ key, code, message })
  if (!(min < max)) report('max', 'range', `max ${max} should be above min ${min}`)
  if (scale === 'log' && !(min > 0)) report('min', 'range', 'scale log needs a min above 0')
  if (step !== undefined && !(step > 0)) report('step', 'range', `step ${step} should be above 0`)
  else if (step !== undefined && min + step > max)
    report('step', 'range', `step ${step} leads beyond max ${max} at once`)
  if (integer && !Number.isInteger(min)) report('min', 'type', `with integer, min ${min} should be whole`)
  if (integer && step !== undefined && !Number.isInteger(step))
    report('step', 'type', `with integer, step ${step} should be whole`)
  if (faults.length === 0 && countSteps(min, max, step ?? 1) > Number.MAX_SAFE_INTEGER)
    report('step', 'count', 'the steps are too many to count')
  return faults
}
