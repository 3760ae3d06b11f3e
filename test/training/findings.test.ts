import { describe, expect, test } from '@jest/globals'
import type { ClassScores } from '../../src/training/class-metrics.ts'
import { countDeadUnits } from '../../src/training/dead-units.ts'
import type { EpochMetrics } from '../../src/training/epoch-metrics.ts'
import { type Examined, findFindings } from '../../src/training/findings.ts'
import { findLeakage } from '../../src/training/leakage.ts'
import { trainOnShuffled } from '../../src/training/shuffled-training.ts'
import { setOf, smallStrategy, taskOf } from './small-strategies.ts'

const quiet: Examined = {
  history: [],
  bestEpoch: 0,
  stoppedEarly: false,
  trainClasses: [
    { name: 'buy', count: 50 },
    { name: 'sell', count: 50 },
  ],
  measured: null,
  deadUnits: null,
  suspects: [],
  shuffled: null,
}

const historyOf = (train: readonly number[], validation: readonly number[]): EpochMetrics[] =>
  train.map((train_loss, epoch) => ({
    ...{ epoch, train_loss, val_loss: validation[epoch] ?? 0, train_accuracy: 0, val_accuracy: 0 },
    ...{ learning_rate: 0, gradient_norm: 0, macro_f1: 0, balanced_accuracy: 0, mcc: 0, brier: 0, ece: 0 },
  }))
const line = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))
const kindsOf = (examined: Partial<Examined>) =>
  findFindings({ ...quiet, ...examined }).map(({ kind }) => kind)

describe('overfitting and plateaus', () => {
  test('training that gets better while validation gets worse over ten epochs is overfitting', () => {
    expect(kindsOf({ history: historyOf(line(1, 0.9, 10), line(1, 1.1, 10)) })).toEqual(['overfitting'])
  })

  test('changes of five percent and less, and fewer than ten epochs, are not', () => {
    expect(kindsOf({ history: historyOf(line(1, 0.96, 10), line(1, 1.04, 10)) })).toEqual([])
    expect(kindsOf({ history: historyOf(line(1, 0.5, 9), line(1, 2, 9)) })).toEqual([])
  })

  test('ten epochs that brought nothing are a plateau, unless that is what ended the training', () => {
    const history = historyOf(line(1, 1, 12), line(1, 1, 12))
    expect(kindsOf({ history, bestEpoch: 1 })).toEqual(['plateau'])
    expect(kindsOf({ history, bestEpoch: 2 })).toEqual([])
    expect(kindsOf({ history, bestEpoch: 1, stoppedEarly: true })).toEqual([])
  })
})

test('a class with fewer than five percent of the training rows is rare, and one that never occurs too', () => {
  const trainClasses = (rare: number) => [
    { name: 'buy', count: 100 - rare },
    { name: 'hold', count: rare },
  ]
  expect(kindsOf({ trainClasses: trainClasses(5) })).toEqual([])
  expect(kindsOf({ trainClasses: trainClasses(4) })).toEqual(['class_imbalance'])
  expect(kindsOf({ trainClasses: trainClasses(0) })).toEqual(['class_imbalance'])
})

test('a model that gives one answer to everything is named', () => {
  const scores = (predicted: number): ClassScores => ({
    ...{ name: 'buy', support: 5, predicted, precision: null, recall: null, f1: null },
  })
  expect(kindsOf({ measured: [scores(10), scores(0), scores(0)] })).toEqual(['one_answer'])
  expect(kindsOf({ measured: [scores(9), scores(1), scores(0)] })).toEqual([])
})

describe('dead units', () => {
  test('are those whose output is the same on all rows', () => {
    // Unit 0 is the feature itself, unit 1 never passes 0, unit 2 sees nothing.
    const model = {
      spec: { kind: 'mlp', inputs: 1, hidden: [3], activation: 'relu', dropout: 0, outputs: 2 },
      parameters: [
        { name: 'layers.0.weight', shape: [3, 1], values: Float32Array.of(1, 1, 0) },
        { name: 'layers.0.bias', shape: [3], values: Float32Array.of(0, -9, 2) },
      ],
    } as const
    const rows = { features: Float32Array.of(1, 2, 3), rows: Int32Array.of(0, 1, 2) }
    expect(countDeadUnits(model, rows)).toEqual({ dead: 2, units: 3 })
  })

  test('are named from a quarter of the units on', () => {
    expect(kindsOf({ deadUnits: { dead: 3, units: 12 } })).toEqual(['dead_units'])
    expect(kindsOf({ deadUnits: { dead: 2, units: 12 } })).toEqual([])
  })
})

describe('leakage', () => {
  const strategy = smallStrategy({ training: { batch_size: 64 } })
  const set = setOf(strategy, { AAA: 1, BBB: 2 }, 400)

  test('a feature that knows the label is flagged by its name, honest ones are not', () => {
    expect(findLeakage(set.samples, set.split)).toEqual([])
    const { samples } = set
    const column = samples.ids.indexOf('1d_change_raw')
    const features = samples.features.slice()
    for (let row = 0; row < samples.rows; row++)
      features[row * samples.ids.length + column] = samples.ret[row] ?? 0
    const suspects = findLeakage({ ...samples, features }, set.split)
    const [finding, ...others] = findFindings({ ...quiet, suspects })
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      kind: 'leakage',
      message: expect.stringMatching(/^1d_change_raw may know/),
    })
  })

  test('a model trained on shuffled labels is no better than chance', () => {
    const { plan } = taskOf(strategy, set)
    const shuffled = trainOnShuffled(plan, set, () => {})
    expect(shuffled).toMatchObject({ suspicious: false, epochs: 3, rows: plan.train.length })
    expect(trainOnShuffled(plan, set, () => {})).toEqual(shuffled)
    expect(kindsOf({ shuffled })).toEqual([])
  })

  test('one that is right more often than chance allows is flagged', () => {
    const shuffled = { accuracy: 0.9, limit: 0.6, suspicious: true, epochs: 5, rows: 100 }
    expect(kindsOf({ shuffled })).toEqual(['shuffled_labels'])
  })
})
