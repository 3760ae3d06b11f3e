import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import type { TrainingFold } from '../training/fold-split.ts'
import type { TimeRange } from '../training/splits.ts'
import { rangeOf } from './moment.ts'

/** A fold as a request has it. */
export type RequestedFold = Readonly<components['schemas']['TrainingFold']>

const pointer = '/body/params/fold'

/**
 * A fold of a request, its times in epoch ms.
 * @throws {Problem} 'params-invalid' when its index is not one of a group, or its windows are not in the order of time
 */
export function readFold(fold: RequestedFold): TrainingFold {
  const embargoBars = fold.embargo_bars ?? null
  if (fold.method === 'purged_k_fold') {
    const { method, folds, index } = fold
    if (index < folds) return { method, folds, index, embargoBars }
    throw refused('index', `there is no group ${index} of ${folds}: the first is 0`)
  }
  const train = readWindow(fold.train, 'train')
  const test = readWindow(fold.test, 'test')
  if (test.from >= train.to) return { method: fold.method, train, test, embargoBars }
  throw refused(
    'test/start',
    `the test begins at ${fold.test.start}, before training ends at ${fold.train.end}`,
  )
}

function readWindow(
  { start, end }: components['schemas']['TrainingWindow'],
  name: 'train' | 'test',
): TimeRange {
  const { start: from, end: to } = rangeOf({ start, end }, `${pointer}/${name}`)
  if (from === null || to === null) throw new RangeError(`the ${name} window has no ends`)
  return { from, to }
}

function refused(key: string, message: string): Problem {
  return new Problem('params-invalid', message, {
    errors: [{ pointer: `${pointer}/${key}`, code: 'range', message }],
  })
}
