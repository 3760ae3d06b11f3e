import type { components } from '../openapi.gen.ts'
import { selfContained, type WorkerSpec } from './spec.ts'

export type CrossValidationReportParams = Readonly<components['schemas']['CrossValidationReportParams']>
export type CrossValidationReportResult = Readonly<components['schemas']['CrossValidationReportResult']>

const MINUTE_MS = 60_000

/** Joins what the models of the folds say of the rows they were tested on. */
export const crossValidationReportSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Joins what the models of the folds say; only ever a child.',
  internal: true,
  worker: 'cross-validation-report.ts',
  resumable: false,
  timeoutMs: 2 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {},
  prepare: async params => selfContained(params, null),
}
