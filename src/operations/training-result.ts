import { toRfc3339 } from '../clock.ts'
import { parametersOf } from '../model/model-spec.ts'
import { watchedMetric } from '../training/loop.ts'
import type { Baselines } from '../training/measured-training.ts'
import type { Samples } from '../training/samples.ts'
import type { TrainingSet } from '../training/training-set.ts'
import type { TrainingResult } from './training.ts'
import type { FinishedTraining } from './training-run.ts'

/** What a client is told of a training. @param ids of what was stored */
export function presentTraining(
  finished: FinishedTraining,
  ids: Pick<TrainingResult, 'model_id' | 'weights_sha256'>,
): TrainingResult {
  const { strategy, set, task, loop, best, measured, shuffled, findings } = finished
  const { train, validation, test, baselines } = measured
  return {
    strategy_name: strategy.name,
    ...ids,
    seed: strategy.training.seed,
    model: presentModel(finished),
    config: { model: { ...strategy.model }, training: { ...strategy.training } },
    data: presentData(set),
    split: {
      train: presentPart(set.samples, set.split.train),
      validation: presentPart(set.samples, set.split.validation),
      test: presentPart(set.samples, set.split.test),
      purged: set.split.purged,
      embargoed: set.split.embargoed,
      embargo_bars: set.split.embargo_bars,
    },
    labels: set.symbols.map(({ symbol, labels: { transitions: _, classes, ...labels } }) => ({
      ...{ symbol, ...labels },
      classes: [...classes],
    })),
    training: {
      epochs_planned: strategy.training.epochs,
      epochs_run: loop.history.length,
      stopped_early: loop.history.length < strategy.training.epochs,
      best_epoch: best.epoch,
      watched_metric: watchedMetric(task.plan.training),
      batches_per_epoch: loop.batchesPerEpoch,
    },
    metrics: { train: copy(train), validation: copy(validation), test: test === null ? null : copy(test) },
    baselines: presentBaselines(baselines),
    leakage_check: shuffled === null ? null : { ...shuffled },
    findings: findings.map(finding => ({ ...finding })),
  }
}

type Part = TrainingResult['metrics']['train']

function copy(metrics: FinishedTraining['measured']['train']): Part {
  return {
    ...metrics,
    confusion: metrics.confusion?.map(row => [...row]) ?? null,
    classes:
      metrics.classes?.map(({ name, support, predicted, precision, recall, f1 }) => ({
        ...{ name, support, predicted, precision, recall, f1 },
      })) ?? null,
  }
}

function presentModel({ task, set, best }: FinishedTraining): TrainingResult['model'] {
  const { spec } = best.model
  const sizes = parametersOf(spec).map(({ shape }) => shape.reduce((product, size) => product * size, 1))
  return {
    type: spec.kind,
    inputs: spec.inputs,
    outputs: spec.outputs,
    parameters: sizes.reduce((sum, size) => sum + size, 0),
    sequence_length: spec.kind === 'mlp' ? null : spec.sequenceLength,
    classes: [...(set.samples.kind === 'regression' ? [] : task.plan.classes)],
  }
}

function presentData({ samples, symbols, recipe, table }: TrainingSet): TrainingResult['data'] {
  const rows = symbols.map(() => 0)
  for (const symbol of samples.symbol) rows[symbol] = (rows[symbol] ?? 0) + 1
  const lost = symbols.reduce((sum, { without_window }) => sum + without_window, 0)
  return {
    symbols: symbols.map(({ symbol, bars, dropped }, i) => ({
      ...{ symbol, bars: bars.length, rows: rows[i] ?? 0 },
      dropped: { ...dropped },
    })),
    base_timeframe: recipe.base,
    timeframes: [...new Set([recipe.base, ...recipe.features.map(({ timeframe }) => timeframe)])],
    features: table.ids.length,
    rows: samples.rows,
    without_label: samples.left_out.without_label - lost,
    without_features: samples.left_out.without_features,
    without_window: lost,
  }
}

function presentPart({ time, labelEnd }: Samples, rows: Int32Array): TrainingResult['split']['train'] {
  if (rows.length === 0) return null
  let [first, last, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const row of rows) {
    first = Math.min(first, time[row] as number)
    last = Math.max(last, time[row] as number)
    end = Math.max(end, labelEnd[row] as number)
  }
  return {
    rows: rows.length,
    first_time: toRfc3339(first),
    last_time: toRfc3339(last),
    label_end: toRfc3339(end),
  }
}

function presentBaselines(baselines: Baselines): TrainingResult['baselines'] {
  const { majority, random, mean, hold } = baselines
  return {
    ...baselines,
    majority:
      majority === null
        ? null
        : {
            class: majority.class,
            accuracy: majority.metrics.accuracy,
            macro_f1: majority.metrics.macro_f1,
            balanced_accuracy: majority.metrics.balanced_accuracy,
          },
    random: random === null ? null : { ...random },
    mean:
      mean === null
        ? null
        : {
            value: mean.value,
            mae: mean.metrics.mae,
            rmse: mean.metrics.rmse,
            r2: mean.metrics.r2,
            accuracy: mean.metrics.direction_accuracy,
          },
    hold: hold === null ? null : { ...hold, symbols: [...hold.symbols] },
    permutation: { ...baselines.permutation },
  }
}
