import { describe, expect, test } from '@jest/globals'
import { joinPredictions, readTested } from '../../src/archive/cross-validation-tables.ts'
import type { Table } from '../../src/archive/tables.ts'
import { Random } from '../../src/statistics/random.ts'
import { spreadOfFolds } from '../../src/training/fold-spread.ts'
import { measureOutOfSample } from '../../src/training/out-of-sample.ts'

const classes = ['buy', 'hold', 'sell']

type Row = { readonly symbol: string; readonly time: number; readonly label: string; readonly said: string }

/** Predictions as a training leaves them: every label ends one later, with a return of 1%. */
function tableOf(rows: readonly Row[]): Table {
  const numbers = (name: string, of: (row: Row) => number) =>
    ({ name, kind: 'number', values: Float64Array.from(rows, of) }) as const
  const times = (name: string, of: (row: Row) => number) =>
    ({ name, kind: 'time', values: Float64Array.from(rows, of) }) as const
  const texts = (name: string, of: (row: Row) => string) =>
    ({ name, kind: 'text', values: rows.map(of) }) as const
  return {
    rows: rows.length,
    columns: [
      times('close_time', ({ time }) => time),
      texts('symbol', ({ symbol }) => symbol),
      texts('label', ({ label }) => label),
      texts('predicted', ({ said }) => said),
      ...classes.map(name => numbers(`probability_${name}`, ({ said }) => (said === name ? 0.5 : 0.25))),
      times('label_end', ({ time }) => time + 1),
      numbers('return_fraction', () => 0.01),
    ],
  }
}

const rowsOf = (symbol: string, times: readonly number[], label: string, said = label): Row[] =>
  times.map(time => ({ symbol, time, label, said }))

const ask = { seed: 1, checkpoint: () => {} }

describe('joining what folds leave', () => {
  const folds = [
    tableOf([...rowsOf('BBB', [1, 2], 'buy'), ...rowsOf('AAA', [1, 2], 'sell', 'hold')]),
    tableOf([...rowsOf('BBB', [3], 'hold'), ...rowsOf('AAA', [3, 4], 'sell')]),
  ]

  test('gives one table, symbol after symbol and oldest first, that names the fold', () => {
    const { rows, columns } = joinPredictions(folds)
    const valuesOf = (name: string) => [...(columns.find(column => column.name === name)?.values ?? [])]
    expect([rows, columns[0]?.name]).toEqual([7, 'fold'])
    expect(valuesOf('symbol')).toEqual(['AAA', 'AAA', 'AAA', 'AAA', 'BBB', 'BBB', 'BBB'])
    expect(valuesOf('close_time')).toEqual([1, 2, 3, 4, 1, 2, 3])
    expect(valuesOf('fold')).toEqual([0, 0, 1, 1, 0, 0, 1])
    expect(valuesOf('label')).toEqual(['sell', 'sell', 'sell', 'sell', 'buy', 'buy', 'hold'])
    expect(valuesOf('predicted')).toEqual(['hold', 'hold', 'sell', 'sell', 'buy', 'buy', 'hold'])
  })

  test('refuses a row that two folds have tested', () => {
    const again = tableOf(rowsOf('AAA', [2], 'buy'))
    expect(() => joinPredictions([...folds, again])).toThrow('AAA at 2 was tested twice')
  })

  test('measures all rows together, labels counted once', () => {
    const measured = measureOutOfSample(readTested(joinPredictions(folds)), ask)
    expect(measured).toMatchObject({
      rows: 7,
      accuracy: 5 / 7,
      confusion: [
        [2, 0, 0],
        [0, 1, 0],
        [0, 2, 2],
      ],
    })
    // Two buys earn 1% each, two sells lose it, the rest hold.
    expect(measured.mean_return_fraction).toBeCloseTo(0, 15)
    // Brier of (0.5, 0.25, 0.25): 0.375 where right, 0.875 where not.
    expect(measured.brier).toBeCloseTo((5 * 0.375 + 2 * 0.875) / 7, 12)
  })
})

describe('the permutation test over all folds', () => {
  const random = new Random(5)
  const drawn = () => classes[random.below(3)] ?? ''

  test('gives no credit to models that know how often the classes of their fold occur, and nothing else', () => {
    // In each fold one class prevails, and the model says always that one.
    const folds = classes.map((mostly, fold) =>
      tableOf(
        Array.from({ length: 100 }, (_, i) => {
          const label = random.uniform() < 0.8 ? mostly : drawn()
          return { symbol: 'AAA', time: 100 * fold + i, label, said: mostly }
        }),
      ),
    )
    const { accuracy, permutation } = measureOutOfSample(readTested(joinPredictions(folds)), ask)
    expect(accuracy).toBeGreaterThan(0.7)
    expect(permutation.p_value).toBe(1)
  })

  test('gives it to models that are right within their folds', () => {
    const folds = [0, 1, 2].map(fold =>
      tableOf(
        Array.from({ length: 100 }, (_, i) => {
          const label = drawn()
          return {
            symbol: 'AAA',
            time: 100 * fold + i,
            label,
            said: random.uniform() < 0.5 ? label : drawn(),
          }
        }),
      ),
    )
    expect(measureOutOfSample(readTested(joinPredictions(folds)), ask).permutation.p_value).toBeLessThan(0.01)
  })
})

test('a spread counts every fold alike, and is none where no fold has the number', () => {
  // Squared distances from the mean 4: 4, 0, 4.
  expect(spreadOfFolds([2, null, 4, 6])).toEqual({ mean: 4, deviation: 2, least: 2, greatest: 6, folds: 3 })
  expect(spreadOfFolds([3])).toEqual({ mean: 3, deviation: null, least: 3, greatest: 3, folds: 1 })
  expect(spreadOfFolds([null, undefined])).toBeNull()
})
