import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { runBacktest } from '../../src/backtest/engine.ts'
import type { Bars } from '../../src/market/bars.ts'
import { sliceBars, truncateBars } from '../../src/market/bars.ts'
import { planOf } from '../../src/operations/backtest-config.ts'
import type { ModelDecisions } from '../../src/strategy/strategy.ts'
import { decidesTrades, signalsOf } from '../../src/training/model-signals.ts'
import { loadModel } from '../../src/training/predictor.ts'
import { type ServedModel, servedOf } from '../../src/training/served-model.ts'
import { freeConfig } from '../fixtures/backtest.ts'
import { anyBars, barsOfCloses } from '../fixtures/bars.ts'
import { sampleBars } from '../support/sample-bars.ts'
import { exampleText, untrainedModel, weeksOf } from '../support/trained-model.ts'

type Decided = Pick<ServedModel, 'output' | 'decisions'>
const trades = { kind: 'classification', classes: ['buy', 'hold', 'sell'] } as const
const value = { kind: 'regression' } as const

type Classes = ModelDecisions & { output_format: 'classification' }
const classes = (more: Partial<Classes> = {}): Decided & { decisions: Classes } => ({
  output: trades,
  decisions: {
    output_format: 'classification',
    position_awareness: true,
    filters: { min_signal_separation: 0 },
    confidence_threshold: 0.5,
    allow_short_from_flat: true,
    ...more,
  },
})
const returns: Decided = {
  output: value,
  decisions: {
    output_format: 'regression',
    position_awareness: true,
    filters: { min_signal_separation: 0 },
    cost_model: { round_trip_cost: 0.003, min_edge_multiplier: 1.5 },
  },
}

/** A prediction of one answer per bar, null for none. */
function predictionOf(bars: Bars, answers: readonly (readonly number[] | null)[]) {
  const bar = answers.flatMap((answer, i) => (answer === null ? [] : [i]))
  return {
    base: bars,
    bar: Int32Array.from(bar),
    outputs: Float32Array.from(answers.flatMap(answer => answer ?? [])),
  }
}

/** Which of the four columns are set on each bar, as `L` enter long, `l` exit long, `S` and `s` for shorts. */
function marksOf({ enter_long, exit_long, enter_short, exit_short }: ReturnType<typeof signalsOf>): string[] {
  return Array.from(enter_long, (_, i) =>
    [
      ['L', enter_long],
      ['l', exit_long],
      ['S', enter_short],
      ['s', exit_short],
    ]
      .map(([mark, column]) => (column?.[i] === 1 ? mark : ''))
      .join(''),
  )
}

const marks = (answers: readonly (readonly number[] | null)[], served: Decided, firstBar = 0) =>
  marksOf(signalsOf(predictionOf(barsOfCloses(answers.map(() => 100)), answers), served, firstBar))

describe('what is decided on one bar', () => {
  test.each<[string, number[], Decided, string]>([
    ['a buy enters long and closes a short', [0.6, 0.3, 0.1], classes(), 'Ls'],
    ['a hold does nothing', [0.2, 0.6, 0.2], classes(), ''],
    ['a sell closes a long and enters short', [0.1, 0.3, 0.6], classes(), 'lS'],
    ['without shorts a sell closes a long', [0.1, 0.3, 0.6], classes({ allow_short_from_flat: false }), 'l'],
    ['without shorts a buy is a buy', [0.6, 0.3, 0.1], classes({ allow_short_from_flat: false }), 'Ls'],
    ['what is less sure than the threshold is a hold', [0.45, 0.3, 0.25], classes(), ''],
    ['what is as sure as the threshold counts', [0.5, 0.25, 0.25], classes(), 'Ls'],
    ['of equals the first counts', [0.375, 0.25, 0.375], classes({ confidence_threshold: 0.25 }), 'Ls'],
    ['no number is a hold', [Number.NaN, Number.NaN, Number.NaN], classes({ confidence_threshold: 0 }), ''],
    ['a return above the costs is a buy', [0.0046], returns, 'Ls'],
    ['a return below them is none', [0.0044], returns, ''],
    ['a loss above the costs is a sell, short as well', [-0.0046], returns, 'lS'],
    ['a loss below them is none', [-0.0044], returns, ''],
    ['a return that is no number is a hold', [Number.NaN], returns, ''],
  ])('%s', (_name, answer, served, expected) => {
    expect(marks([null, answer, null], served)).toEqual(['', expected, ''])
  })

  test('nothing is decided before the first bar on which it may be', () => {
    const buy = [0.9, 0.1, 0]
    expect(marks([buy, buy, buy], classes(), 2)).toEqual(['', '', 'Ls'])
    const all = signalsOf(predictionOf(barsOfCloses([1, 1, 1, 1]), [null, buy, null, buy]), classes(), 2)
    expect(all.first_usable_bar).toBe(3)
  })

  test('a model without an answer decides nothing, and says that no bar is usable', () => {
    const none = signalsOf(predictionOf(barsOfCloses([1, 1]), [null, null]), classes())
    expect(none.first_usable_bar).toBe(2)
    expect(marksOf(none)).toEqual(['', ''])
  })

  test('regimes are no trades', () => {
    const regimes = {
      kind: 'classification',
      classes: ['trending_up', 'trending_down', 'ranging', 'volatile'],
    } as const
    expect(decidesTrades({ output: regimes })).toBe(false)
    expect([trades, value].map(output => decidesTrades({ output }))).toEqual([true, true])
    expect(marks([[0.9, 0, 0, 0.1]], { ...classes(), output: regimes })).toEqual([''])
  })

  test('the answers are kept bar by bar, and where there is none there is no number', () => {
    const bars = barsOfCloses([1, 1, 1])
    const { outputs } = signalsOf(predictionOf(bars, [null, [0.5, 0.25, 0.25], null]), classes())
    expect(outputs.map(({ name, values }) => [name, ...values])).toEqual([
      ['probability_buy', Number.NaN, 0.5, Number.NaN],
      ['probability_hold', Number.NaN, 0.25, Number.NaN],
      ['probability_sell', Number.NaN, 0.25, Number.NaN],
    ])
    const [only] = signalsOf(predictionOf(bars, [[0.5], null, null]), returns).outputs
    expect([only?.name, only?.values[0]]).toEqual(['value', 0.5])
  })
})

/** Answers of classes: a buy, a hold, a sell, something unsure, or none. */
const anyAnswer: fc.Arbitrary<readonly number[] | null> = fc.constantFrom(
  [0.75, 0.125, 0.125],
  [0.125, 0.75, 0.125],
  [0.125, 0.125, 0.75],
  [0.375, 0.25, 0.375],
  null,
)
const said = (answer: readonly number[] | null) =>
  ['buy', 'hold', 'sell'][answer?.indexOf(0.75) ?? -1] ?? 'hold'

const anyCase = anyBars(2, 60).chain(bars =>
  fc.record({
    bars: fc.constant(bars),
    answers: fc.array(anyAnswer, { minLength: bars.length, maxLength: bars.length }),
    separation: fc.nat(9),
    shorts: fc.boolean(),
    aware: fc.boolean(),
  }),
)

type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never
type Held = { side: 'long' | 'short'; from: number }

/** What should be traded, decision by decision: side, bar of the entry, bar of the exit (the last one: none). */
function expectedTrades({ answers, separation, shorts, aware }: Case): string[] {
  const done: string[] = []
  let held = null as Held | null
  let entered = Number.NEGATIVE_INFINITY
  // All but the last: what is decided there is filled nowhere.
  for (let i = 0; i < answers.length - 1; i++) {
    const decision = said(answers[i] ?? null)
    if (decision === 'hold') continue
    const side = decision === 'buy' ? 'long' : 'short'
    const isEntry = (side === 'long' || shorts) && i - entered >= separation
    if (isEntry && !aware) entered = i
    if (held?.side === side) continue
    if (held !== null) done.push(`${held.side} ${held.from} ${i + 1}`)
    held = isEntry ? { side, from: i + 1 } : null
    if (isEntry) entered = i
  }
  if (held !== null) done.push(`${held.side} ${held.from} -`)
  return done
}

function tradesOf({ bars, answers, separation, shorts, aware }: Case): string[] {
  const served = classes({
    allow_short_from_flat: shorts,
    position_awareness: aware,
    filters: { min_signal_separation: separation },
  })
  const plan = planOf({ kind: 'model', name: 'any', decisions: served.decisions })
  const signals = signalsOf(predictionOf(bars, answers), served)
  const market = { symbol: 'TEST', bars, signals, from: 0, finer: null }
  const config = { ...freeConfig, initial_capital: 1e9, sizing: { mode: 'units', units: 1 } as const }
  const { trades, open_trades } = runBacktest({ markets: [market], config, plan })
  const barAt = (timeMs: number) => bars.time.indexOf(timeMs)
  return [
    ...trades.side.map(
      (side, i) => `${side} ${barAt(trades.entry_time[i] ?? 0)} ${barAt(trades.exit_time[i] ?? 0)}`,
    ),
    ...open_trades.map(({ side, entry_time }) => `${side} ${barAt(entry_time)} -`),
  ]
}

describe('what comes of decisions', () => {
  test('is what they say: entries kept apart, exits never held back, the side held ignored', () => {
    let count = 0
    fc.assert(
      fc.property(anyCase, given => {
        const expected = expectedTrades(given)
        count += expected.length
        expect(tradesOf(given)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
    expect(count).toBeGreaterThan(500)
  })

  const buy = [0.75, 0.125, 0.125]
  const sell = [0.125, 0.125, 0.75]
  const common = { bars: barsOfCloses(Array.from({ length: 12 }, (_, i) => 100 + i)), shorts: false }

  test('an entry waits until the separation from the one before is over; an exit does not', () => {
    const answers = [buy, sell, buy, buy, buy, null, sell, buy, null, null, null, null]
    expect(tradesOf({ ...common, answers, separation: 4, aware: true })).toEqual(['long 1 2', 'long 5 7'])
    expect(tradesOf({ ...common, answers, separation: 3, aware: true })).toEqual([
      'long 1 2',
      'long 4 7',
      'long 8 -',
    ])
  })

  test('unaware of positions a repeated buy counts as an entry, so that the next one waits for longer', () => {
    const answers = [buy, null, null, buy, sell, buy, null, buy, null, null, null, null]
    expect(tradesOf({ ...common, answers, separation: 3, aware: true })).toEqual(['long 1 5', 'long 6 -'])
    expect(tradesOf({ ...common, answers, separation: 3, aware: false })).toEqual(['long 1 5', 'long 8 -'])
  })

  test('a reversal that comes too early only closes', () => {
    const answers = [buy, null, sell, null, null, sell, null, null, null, null, null, null]
    const given = { ...common, answers, shorts: true, aware: true }
    expect(tradesOf({ ...given, separation: 2 })).toEqual(['long 1 3', 'short 3 -'])
    expect(tradesOf({ ...given, separation: 4 })).toEqual(['long 1 3', 'short 6 -'])
  })

  test('later answers change nothing before them', () => {
    fc.assert(
      fc.property(anyCase, fc.nat(), (given, at) => {
        const { bars, answers, separation, shorts, aware } = given
        const served = classes({
          ...{ allow_short_from_flat: shorts, position_awareness: aware },
          filters: { min_signal_separation: separation },
        })
        const cut = 1 + (at % (bars.length - 1))
        const all = marksOf(signalsOf(predictionOf(bars, answers), served))
        const known = signalsOf(predictionOf(truncateBars(bars, cut), answers.slice(0, cut)), served)
        expect(marksOf(known)).toEqual(all.slice(0, cut))
      }),
    )
  })
})

describe('without the bars after one, everything before it is the same', () => {
  const days = sampleBars()
  const weeks = weeksOf(days)
  const weekly = exampleText('fuzzy_and_raw')
    .replace(
      '{ mode: single, timeframe: 1d }',
      '{ mode: multi_timeframe, list: [1d, 1w], base_timeframe: 1d }',
    )
    .replace('confidence_threshold: 0.45', 'confidence_threshold: 0.3')
  test.each([
    ['a perceptron on days and weeks', untrainedModel('fuzzy_and_raw', 8, weekly)],
    [
      'an LSTM',
      untrainedModel(
        'lstm_trend',
        4,
        exampleText('lstm_trend').replace(/confidence_threshold: [\d.]+/, 'confidence_threshold: 0.3'),
      ),
    ],
    ['a regression', untrainedModel('return_regression')],
  ])('%s: decisions, answers and trades', (_name, trained) => {
    const served = servedOf(trained)
    const predictor = loadModel(served)
    const plan = planOf({ kind: 'model', name: 'any', decisions: served.decisions })
    const runOn = (bars: Bars, from: number) => {
      const seen = { '1d': bars, '1w': sliceBars(weeks, null, bars.close_time[bars.length - 1] ?? 0) }
      const signals = signalsOf(predictor.predict({ symbol: 'AAPL', bars: seen }, from), served)
      const market = { symbol: 'AAPL', bars, signals, from, finer: null }
      return {
        signals,
        run: runBacktest({ markets: [market], config: { ...freeConfig, initial_capital: 1e5 }, plan }),
      }
    }
    const all = runOn(days, 100)
    const marks = marksOf(all.signals)
    expect(marks.filter(mark => mark !== '').length).toBeGreaterThan(50)
    expect(new Set(marks).size).toBe(3)
    for (const length of [101, 300, 777, 1_259]) {
      const { signals, run } = runOn(truncateBars(days, length), 100)
      expect(marksOf(signals)).toEqual(marksOf(all.signals).slice(0, length))
      signals.outputs.forEach(({ values }, i) => {
        expect(values).toEqual(all.signals.outputs[i]?.values.slice(0, length))
      })
      const closed = run.trades.length
      expect(run.trades.net_pnl.slice(0, closed)).toEqual(all.run.trades.net_pnl.slice(0, closed))
      expect(run.equity.equity).toEqual(all.run.equity.equity.slice(0, run.equity.length))
    }
  })
})
