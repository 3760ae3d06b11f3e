import { joinPredictions, readTested } from '../src/archive/cross-validation-tables.ts'
import { readChildTable } from '../src/archive/trial-tables.ts'
import { toRfc3339 } from '../src/clock.ts'
import type {
  CrossValidationReportParams,
  CrossValidationReportResult,
} from '../src/operations/cross-validation-report.ts'
import { measureOutOfSample } from '../src/training/out-of-sample.ts'
import { defineWorker } from './harness.ts'

export default defineWorker(
  'cross_validation_report',
  ({ parts }: CrossValidationReportParams, ctx): CrossValidationReportResult => {
    const checkpoint = () => ctx.checkCancelled()
    const tables = parts.map((part, i) => {
      checkpoint()
      ctx.progress(i, parts.length, 'reading predictions', 'fold')
      return readChildTable(ctx.server.home, part, 'predictions')
    })
    const joined = joinPredictions(tables, checkpoint)
    ctx.artifacts.table('predictions', joined)
    ctx.progress(parts.length, parts.length, 'measuring', 'fold')
    const tested = readTested(joined)
    const { confusion, classes, ...scores } = measureOutOfSample(tested, { seed: ctx.seed, checkpoint })
    return {
      ...scores,
      first_time: toRfc3339(extreme(tested.time, Math.min)),
      last_time: toRfc3339(extreme(tested.time, Math.max)),
      confusion: confusion?.map(row => [...row]) ?? null,
      classes: classes?.map(one => ({ ...one })) ?? null,
    }
  },
)

const extreme = (times: Float64Array, of: (a: number, b: number) => number): number =>
  times.reduce((found, time) => of(found, time))
