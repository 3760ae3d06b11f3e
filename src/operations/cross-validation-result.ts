import { type FoldSpread, spreadOfFolds } from '../training/fold-spread.ts'
import { requireCompleted } from './children.ts'
import type { CrossValidationResult, EffectiveCrossValidationParams } from './cross-validation.ts'
import type { CrossValidationReportResult } from './cross-validation-report.ts'
import type { ChildEnd } from './spec.ts'
import type { TrainingResult } from './training.ts'

type Fold = CrossValidationResult['folds'][number]

/** Fewer rows say too little, of a recipe and of its test. */
const fewest = { train: 200, test: 50 }
/** A score that so few permuted labels reach is more than luck. */
const significance = 0.05

/**
 * What a client is told of a cross-validation. @param children the trainings in the order of folds, then the report
 * @throws {Problem} 'child-failed'
 */
export function reportCrossValidation(
  children: readonly ChildEnd[],
  { method, training }: EffectiveCrossValidationParams,
): CrossValidationResult {
  requireCompleted(children)
  const results = children.slice(0, -1).map(({ result }) => result as TrainingResult)
  const report = children.at(-1)?.result as CrossValidationReportResult | null | undefined
  const [first] = results
  if (first === undefined || report == null) throw new Error('a cross-validation ended without trainings')
  const folds = results.map(presentFold)
  const result = {
    strategy_name: first.strategy_name,
    ...{ method, folds },
    seed: training.seed,
    classes: [...first.model.classes],
    scores: spreadScores(folds),
    baselines: spreadBaselines(folds),
    folds_beyond_chance: folds.filter(({ baselines }) => baselines.permutation.p_value <= significance)
      .length,
    out_of_sample: report,
  }
  return { ...result, warnings: findWarnings(result) }
}

function presentFold(result: TrainingResult, index: number): Fold {
  const { split, metrics, baselines, training, findings } = result
  if (metrics.test === null) throw new Error(`fold ${index} has no test`)
  return {
    index,
    model_id: result.model_id,
    weights_sha256: result.weights_sha256,
    ...split,
    epochs_run: training.epochs_run,
    best_epoch: training.best_epoch,
    validation_loss: metrics.validation.loss,
    metrics: metrics.test,
    baselines,
    findings,
  }
}

function spreadScores(folds: readonly Fold[]): CrossValidationResult['scores'] {
  const of = (read: (metrics: Fold['metrics']) => number | null) =>
    spreadOfFolds(folds.map(({ metrics }) => read(metrics)))
  return {
    loss: of(({ loss }) => loss),
    accuracy: of(({ accuracy }) => accuracy),
    macro_f1: of(({ macro_f1 }) => macro_f1),
    balanced_accuracy: of(({ balanced_accuracy }) => balanced_accuracy),
    mcc: of(({ mcc }) => mcc),
    brier: of(({ brier }) => brier),
    ece: of(({ ece }) => ece),
    mae: of(({ mae }) => mae),
    rmse: of(({ rmse }) => rmse),
    r2: of(({ r2 }) => r2),
    mean_return_fraction: spreadOfFolds(folds.map(({ baselines }) => baselines.model_mean_return_fraction)),
  }
}

function spreadBaselines(folds: readonly Fold[]): CrossValidationResult['baselines'] {
  const of = (read: (baselines: Fold['baselines']) => number | null | undefined): FoldSpread | null =>
    spreadOfFolds(folds.map(({ baselines }) => read(baselines)))
  return {
    majority_accuracy: of(({ majority }) => majority?.accuracy),
    majority_macro_f1: of(({ majority }) => majority?.macro_f1),
    random_accuracy: of(({ random }) => random?.accuracy.mean),
    random_mean_return_fraction: of(({ random }) => random?.mean_return_fraction?.mean),
    mean_rmse: of(({ mean }) => mean?.rmse),
    mean_accuracy: of(({ mean }) => mean?.accuracy),
    hold_return_fraction: of(({ hold }) => hold?.total_return_fraction),
  }
}

/** What a reader should be careful about: first whether it is true, then whether it is much. */
function findWarnings(result: Omit<CrossValidationResult, 'warnings'>): string[] {
  const { folds, out_of_sample, folds_beyond_chance } = result
  const all = folds.length
  const warnings: string[] = []
  const count = (kind: Fold['findings'][number]['kind']) =>
    folds.filter(({ findings }) => findings.some(finding => finding.kind === kind))
  const leaking = folds.flatMap(({ findings }) => findings.filter(({ kind }) => kind === 'leakage'))
  const [leak] = leaking
  if (leak !== undefined)
    warnings.push(`In ${count('leakage').length} of ${all} folds a feature is suspected: ${leak.message}`)
  const told = count('shuffled_labels')
  if (told.length > 0)
    warnings.push(
      `In ${told.length} of ${all} folds the model learns from shuffled labels what it cannot know: see findings.`,
    )
  warnings.push(...warnOfSize(folds), ...warnOfConstants(folds), ...warnOfDeviation(result))
  const mute = count('one_answer')
  if (mute.length > 0) warnings.push(`In ${mute.length} of ${all} folds the model gives one answer only.`)
  if (out_of_sample.permutation.p_value > significance)
    warnings.push(
      `The predictions fit their labels no better than chance explains: p = ${short(out_of_sample.permutation.p_value)} over all tests, below ${significance} in ${folds_beyond_chance} of ${all} folds.`,
    )
  return warnings
}

function warnOfSize(folds: readonly Fold[]): string[] {
  return (['train', 'test'] as const).flatMap(part => {
    const small = folds.filter(fold => (fold[part]?.rows ?? 0) < fewest[part])
    if (small.length === 0) return []
    const least = Math.min(...small.map(fold => fold[part]?.rows ?? 0))
    const which = small.map(({ index }) => index).join(', ')
    const does = part === 'train' ? 'learn from' : 'are tested on'
    return [
      `${small.length} of ${folds.length} folds (${which}) ${does} fewer than ${fewest[part]} rows, the smallest ${does === 'learn from' ? 'from' : 'on'} ${least}: they say little.`,
    ]
  })
}

/** Where saying always the same would have been as good. */
function warnOfConstants(folds: readonly Fold[]): string[] {
  const beaten = folds.filter(({ metrics, baselines: { majority, mean } }) =>
    majority === null
      ? mean !== null && metrics.rmse !== null && metrics.rmse >= mean.rmse
      : metrics.accuracy <= majority.accuracy,
  )
  if (beaten.length < folds.length / 2) return []
  const constant = folds[0]?.baselines.majority === null ? 'the mean of training' : 'the most frequent class'
  return [
    `In ${beaten.length} of ${folds.length} folds always saying ${constant} would have been as good or better.`,
  ]
}

/** What is gained over a constant answer, against how much it changes from fold to fold. */
function warnOfDeviation({ folds }: Pick<CrossValidationResult, 'folds'>): string[] {
  const gains = folds.flatMap(({ metrics, baselines: { majority } }) =>
    majority === null ? [] : [metrics.accuracy - majority.accuracy],
  )
  const gain = spreadOfFolds(gains)
  if (gain === null || gain.deviation === null || gain.mean <= 0 || gain.mean > gain.deviation) return []
  return [
    `The model is right more often than the most frequent class by ${percent(gain.mean)} on average, but by ${percent(gain.least)} to ${percent(gain.greatest)} from fold to fold.`,
  ]
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)}%`

const short = (value: number): string => String(Number(value.toPrecision(3)))
