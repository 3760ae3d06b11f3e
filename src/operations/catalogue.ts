import type { components } from '../openapi.gen.ts'
import { backtestingSpec } from './backtesting.ts'
import { crossValidationSpec } from './cross-validation.ts'
import { crossValidationReportSpec } from './cross-validation-report.ts'
import { dataDownloadSpec } from './data-download.ts'
import { dataRepairSpec } from './data-repair.ts'
import { dataResampleSpec } from './data-resample.ts'
import { exerciseFanOutSpec, exerciseSpec } from './exercise.ts'
import { featureBuildSpec } from './feature-build.ts'
import { lookaheadAnalysisSpec } from './lookahead-analysis.ts'
import { lookaheadBatchSpec } from './lookahead-batch.ts'
import { monteCarloSpec } from './monte-carlo.ts'
import type { OperationType } from './operation.ts'
import { researchReportSpec } from './research-report.ts'
import type { OperationSpec } from './spec.ts'
import { sweepSpec } from './sweep.ts'
import { trainingSpec } from './training.ts'
import { trialBatchSpec } from './trial-batch.ts'
import { walkForwardSpec } from './walk-forward.ts'
import { warmupAnalysisSpec } from './warmup-analysis.ts'

/**
 * THE list of operation types. Routes, validation, docs, queueing and events are derived from it and from
 * openapi.yaml. A new type in openapi.yaml does not compile until it stands here.
 */
export const catalogue: Readonly<Record<OperationType, OperationSpec>> = {
  data_download: dataDownloadSpec,
  data_repair: dataRepairSpec,
  data_resample: dataResampleSpec,
  backtesting: backtestingSpec,
  feature_build: featureBuildSpec,
  training: trainingSpec,
  cross_validation: crossValidationSpec,
  cross_validation_report: crossValidationReportSpec,
  sweep: sweepSpec,
  walk_forward: walkForwardSpec,
  monte_carlo: monteCarloSpec,
  trial_batch: trialBatchSpec,
  research_report: researchReportSpec,
  lookahead_analysis: lookaheadAnalysisSpec,
  warmup_analysis: warmupAnalysisSpec,
  lookahead_batch: lookaheadBatchSpec,
  exercise: exerciseSpec,
  exercise_fan_out: exerciseFanOutSpec,
}

export const operationTypes = Object.keys(catalogue) as OperationType[]

const pascal = (type: OperationType): string =>
  type
    .split('_')
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')

type SchemaName = keyof components['schemas']

/** The component schemas of a type's parameters and result, by the naming rule of openapi.yaml. */
export const paramsSchemaOf = (type: OperationType): SchemaName => `${pascal(type)}Params` as SchemaName
export const resultSchemaOf = (type: OperationType): SchemaName => `${pascal(type)}Result` as SchemaName
