import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { measureClasses } from '../../src/training/class-metrics.ts'
import { measureRegression } from '../../src/training/regression-metrics.ts'

const three = ['a', 'b', 'c']

describe('the examples in the documentation of scikit-learn', () => {
  test('confusion_matrix', () => {
    const label = [2, 0, 2, 2, 0, 1]
    const metrics = measureClasses({ classes: three, label, predicted: [0, 0, 2, 2, 0, 2] })
    expect(metrics.confusion).toEqual([
      [2, 0, 0],
      [0, 0, 1],
      [1, 0, 2],
    ])
    // Gorodkin by hand: 4 of 6 right, labels 2 1 3, predictions 3 0 3: (24 − 15) / √((36 − 18)(36 − 14)).
    expect(metrics.mcc).toBeCloseTo(9 / Math.sqrt(18 * 22), 12)
  })

  test('precision_score, recall_score and f1_score with macro average', () => {
    const metrics = measureClasses({
      classes: three,
      label: [0, 1, 2, 0, 1, 2],
      predicted: [0, 2, 1, 0, 0, 1],
    })
    const mean = (values: readonly (number | null)[]) =>
      values.reduce<number>((sum, x) => sum + (x ?? 0), 0) / 3
    expect(mean(metrics.classes.map(score => score.precision))).toBeCloseTo(0.22, 2)
    expect(mean(metrics.classes.map(score => score.recall))).toBeCloseTo(0.33, 2)
    expect(metrics.macro_f1).toBeCloseTo(0.267, 3)
  })

  test('classification_report', () => {
    const metrics = measureClasses({ classes: three, label: [0, 1, 2, 2, 2], predicted: [0, 0, 2, 2, 1] })
    expect(metrics.accuracy).toBeCloseTo(0.6, 12)
    expect(metrics.macro_f1).toBeCloseTo(0.49, 2)
    expect(metrics.classes).toEqual([
      expect.objectContaining({ name: 'a', support: 1, predicted: 2, precision: 0.5, recall: 1 }),
      expect.objectContaining({ name: 'b', support: 1, predicted: 1, precision: 0, recall: 0, f1: 0 }),
      expect.objectContaining({ name: 'c', support: 3, predicted: 2, precision: 1 }),
    ])
    expect(metrics.classes[0]?.f1).toBeCloseTo(0.67, 2)
    expect(metrics.classes[2]?.recall).toBeCloseTo(0.67, 2)
    expect(metrics.classes[2]?.f1).toBeCloseTo(0.8, 12)
  })

  test('balanced_accuracy_score and matthews_corrcoef', () => {
    const two = ['no', 'yes']
    const balanced = measureClasses({
      classes: two,
      label: [0, 1, 0, 0, 1, 0],
      predicted: [0, 1, 0, 0, 0, 1],
    })
    expect(balanced.balanced_accuracy).toBe(0.625)
    const matthews = measureClasses({ classes: two, label: [1, 1, 1, 0], predicted: [1, 0, 1, 1] })
    expect(matthews.mcc).toBeCloseTo(-0.33, 2)
  })

  test('brier_score_loss of three classes', () => {
    const metrics = measureClasses({
      classes: ['eggs', 'ham', 'spam'],
      label: [0, 1, 2],
      predicted: [0, 1, 2],
      probabilities: [0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.2, 0.2, 0.6],
    })
    expect(metrics.brier).toBeCloseTo(0.146, 2)
    expect(metrics.brier).toBeCloseTo((0.06 + 0.14 + 0.24) / 3, 12)
  })

  test('mean_absolute_error, mean_squared_error and r2_score', () => {
    const metrics = measureRegression([3, -0.5, 2, 7], [2.5, 0, 2, 8])
    expect(metrics.mae).toBe(0.5)
    expect(metrics.rmse).toBeCloseTo(Math.sqrt(0.375), 12)
    expect(metrics.r2).toBeCloseTo(0.9486, 4)
    expect(measureRegression([1, 2, 3], [3, 2, 1]).r2).toBe(-3)
  })
})

test('calibration compares, bin by bin, how sure the model was with how often it was right', () => {
  // Two rows 0.9 sure, one of them right: |1 − 1.8|; two rows 0.6 sure, both right: |2 − 1.2|. 1.6 of 4 rows.
  const sure = [0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4]
  const metrics = measureClasses({
    classes: ['a', 'b'],
    label: [0, 1, 0, 0],
    predicted: [0, 0, 0, 0],
    probabilities: sure,
  })
  expect(metrics.ece).toBeCloseTo(0.4, 12)
  // Rows of one bin make up for each other: 0.94 and 0.98 are both above 14 / 15.
  const together = { classes: ['a', 'b'], predicted: [0, 0], probabilities: [0.94, 0.06, 0.98, 0.02] }
  expect(measureClasses({ ...together, label: [0, 1] }).ece).toBeCloseTo(0.92 / 2, 12)
  expect(measureClasses({ ...together, label: [0, 0] }).ece).toBeCloseTo(0.08 / 2, 12)
})

test('fifteen bins are closed above', () => {
  // 0.8 = 12 / 15 belongs to the twelfth bin, 0.81 to the next: apart they do not make up for each other.
  const label = [0, 1]
  const apart = { classes: ['a', 'b'], label, predicted: [0, 0], probabilities: [0.8, 0.2, 0.81, 0.19] }
  expect(measureClasses(apart).ece).toBeCloseTo((0.2 + 0.81) / 2, 12)
  const within = { ...apart, probabilities: [0.82, 0.18, 0.81, 0.19] }
  expect(measureClasses(within).ece).toBeCloseTo(Math.abs(0.18 - 0.81) / 2, 12)
})

test('one class alone has no correlation, and what does not occur has no score', () => {
  const metrics = measureClasses({ classes: three, label: [1, 1, 0], predicted: [1, 1, 1] })
  expect(metrics).toMatchObject({ mcc: 0, balanced_accuracy: 0.5, brier: null, ece: null })
  expect(metrics.macro_f1).toBeCloseTo((0 + 0.8) / 2, 12)
  const none = { support: 0, predicted: 0, precision: null, recall: null, f1: null }
  expect(metrics.classes[2]).toEqual({ name: 'c', ...none })
  expect(metrics.classes[0]).toMatchObject({ precision: null, recall: 0 })
})

test('renaming the classes changes no score, and right answers have the best', () => {
  const rows = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(rows, drawn => {
      const of = (rename: (k: number) => number) =>
        measureClasses({
          classes: three,
          label: drawn.map(([truth]) => rename(truth)),
          predicted: drawn.map(([, guess]) => rename(guess)),
        })
      const [plain, renamed] = [of(k => k), of(k => (k + 1) % 3)]
      for (const name of ['accuracy', 'macro_f1', 'balanced_accuracy', 'mcc'] as const) {
        expect(renamed[name]).toBeCloseTo(plain[name], 12)
        expect(plain[name]).toBeLessThanOrEqual(1)
      }
      const label = drawn.map(([truth]) => truth)
      const right = measureClasses({ classes: three, label, predicted: label })
      expect([right.accuracy, right.macro_f1, right.balanced_accuracy]).toEqual([1, 1, 1])
      expect(right.mcc).toBeCloseTo(new Set(label).size > 1 ? 1 : 0, 12)
    }),
  )
})

test('directions agree above 0 and not above it', () => {
  expect(measureRegression([1, -1, 0, 2], [3, -2, -1, -1]).direction_accuracy).toBe(0.75)
  expect(measureRegression([2, 2], [1, 3]).r2).toBeNull()
})

test('rows that do not match are refused', () => {
  expect(() => measureClasses({ classes: three, label: [], predicted: [] })).toThrow(RangeError)
  expect(() => measureClasses({ classes: three, label: [1], predicted: [1, 2] })).toThrow(RangeError)
  expect(() => measureClasses({ classes: three, label: [1], predicted: [1], probabilities: [1] })).toThrow(
    RangeError,
  )
  expect(() => measureRegression([], [])).toThrow(RangeError)
  expect(() => measureRegression([1], [])).toThrow(RangeError)
})
