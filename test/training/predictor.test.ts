import { describe, expect, test } from '@jest/globals'
import { windowEnds } from '../../src/features/feature-table.ts'
import { buildFeatures, type SymbolBars } from '../../src/features/pipeline.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { Problem } from '../../src/problems.ts'
import { decisionOf } from '../../src/training/decision.ts'
import { loadModel, windowOf } from '../../src/training/predictor.ts'
import { type ServedModel, servedOf } from '../../src/training/served-model.ts'
import { sampleBars } from '../support/sample-bars.ts'
import { exampleText, untrainedModel, weeksOf } from '../support/trained-model.ts'

const days = sampleBars()
const aapl = { symbol: 'AAPL', bars: { '1d': days, '1w': weeksOf(days) } }
const weekly = exampleText('fuzzy_and_raw').replace(
  '{ mode: single, timeframe: 1d }',
  '{ mode: multi_timeframe, list: [1d, 1w], base_timeframe: 1d }',
)
const models: readonly (readonly [string, ServedModel])[] = [
  ['a perceptron', servedOf(untrainedModel('fuzzy_and_raw'))],
  ['a perceptron on days and weeks', servedOf(untrainedModel('fuzzy_and_raw', 7, weekly))],
  ['an LSTM', servedOf(untrainedModel('lstm_trend'))],
  ['a perceptron with quantile sets', servedOf(untrainedModel('quantile_zones'))],
  ['a regression', servedOf(untrainedModel('return_regression'))],
]
const fit = { start: days.time[0] ?? 0, end: days.time[600] ?? 0 }

describe.each(models)('%s', (_name, served) => {
  const { model, recipe } = served
  const predictor = loadModel(served)
  const all = predictor.predict(aapl)

  test('answers on the rows that training would have, bar by bar and bit by bit', () => {
    const { table } = buildFeatures({ recipe, symbols: [aapl], fit })
    const rows = windowEnds(table, windowOf(model.spec))
    const network = new Predictor(model)
    const expected =
      served.output.kind === 'classification'
        ? network.probabilities(table.values, rows)
        : network.values(table.values, rows)
    expect([...all.bar]).toEqual(Array.from(rows, row => table.bar[row]))
    expect(all.outputs).toEqual(expected)
    expect(all.bar.length).toBeGreaterThan(1_000)
  })

  test('knows nothing of later bars: without them it says the same', () => {
    for (const last of [300, 777, 1_100]) {
      const end = days.close_time[last] ?? 0
      const bars = {
        '1d': sliceBars(days, null, days.time[last + 1] ?? 0),
        '1w': sliceBars(aapl.bars['1w'], null, end),
      }
      const { bar, outputs } = predictor.predict({ symbol: 'AAPL', bars })
      expect(bar.at(-1)).toBe(last)
      expect(outputs).toEqual(all.outputs.subarray(0, outputs.length))
      expect([...bar]).toEqual([...all.bar.subarray(0, bar.length)])
    }
  })

  test('answers from a bar on as it answers for all, windows that reach before it included', () => {
    const { bar, outputs } = predictor.predict(aapl, 900)
    expect([...bar]).toEqual([...all.bar].filter(at => at >= 900))
    expect(outputs).toEqual(all.outputs.subarray(all.outputs.length - outputs.length))
    expect(predictor.predict(aapl, days.length).bar.length).toBe(0)
  })

  test('can be stopped between two pieces of the work', () => {
    let looks = 0
    const stop = () => {
      if (++looks > 20) throw new RangeError('stopped')
    }
    expect(() => predictor.predict(aapl, 0, stop)).toThrow('stopped')
  })
})

test('bars that a model needs and is not given are named', () => {
  const [, served] = models[1] ?? []
  const alone: SymbolBars = { symbol: 'AAPL', bars: { '1d': days } }
  expect(() => served !== undefined && loadModel(served).predict(alone)).toThrow(
    'no bars of AAPL 1w were given',
  )
})

test('a network that does not fit its features, classes or normalisers is refused', () => {
  const served = servedOf(untrainedModel('fuzzy_and_raw'))
  const { recipe } = served
  for (const [unfit, why] of [
    [{ ...served, recipe: { ...recipe, features: recipe.features.slice(1) } }, /inputs for/],
    [{ ...served, output: { kind: 'regression' } as const }, /3 outputs where 1/],
    [{ ...served, normalisers: {} }, /has no normaliser/],
  ] as const) {
    expect(() => loadModel(unfit)).toThrow(Problem)
    expect(() => loadModel(unfit)).toThrow(why)
  }
})

test('a model is refused whose strategy gives other features than it was trained on', () => {
  const trained = untrainedModel('fuzzy_and_raw')
  const swapped = trained.feature_ids.toReversed()
  expect(() => servedOf({ ...trained, feature_ids: swapped })).toThrow(/was trained on/)
})

describe('a decision', () => {
  const trades = servedOf(untrainedModel('fuzzy_and_raw'))
  const decideBy = (confidence_threshold: number) =>
    decisionOf({
      ...trades,
      decisions: {
        ...trades.decisions,
        output_format: 'classification',
        confidence_threshold,
        allow_short_from_flat: false,
      },
    })

  test.each([
    [[0.6, 0.3, 0.1], 0.5, 'buy'],
    [[0.1, 0.3, 0.6], 0.5, 'sell'],
    [[0.5, 0.3, 0.2], 0.5, 'buy'],
    [[0.45, 0.35, 0.2], 0.5, 'hold'],
    [[0.4, 0.2, 0.4], 0.4, 'buy'],
    [[0.2, 0.4, 0.4], 0, 'hold'],
  ])('of %j with the threshold %d is %s', (outputs, threshold, said) => {
    expect(decideBy(threshold)(outputs, 0)).toBe(said)
    expect(decideBy(threshold)([9, 9, 9, ...outputs], 3)).toBe(said)
  })

  test('of regimes is the most probable one, however little', () => {
    const classes = ['trending_up', 'trending_down', 'ranging', 'volatile']
    const decide = decisionOf({ ...trades, output: { kind: 'classification', classes } })
    expect(decide([0.24, 0.26, 0.25, 0.25], 0)).toBe('trending_down')
  })

  test.each([
    [0.0046, 'buy'],
    [0.0044, 'hold'],
    [-0.0044, 'hold'],
    [-0.0046, 'sell'],
  ])('of an expected return of %d, where 0.0045 has to be earned, is %s', (value, said) => {
    expect(decisionOf(servedOf(untrainedModel('return_regression')))([value], 0)).toBe(said)
  })
})
