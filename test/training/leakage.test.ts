import { describe, expect, test } from '@jest/globals'
import { makeLabels } from '../../src/labels/label.ts'
import { Random } from '../../src/statistics/random.ts'
import type { StrategyLabels } from '../../src/strategy/labels.ts'
import { countDisjoint, findLeakage, judgeShuffledRun } from '../../src/training/leakage.ts'
import { joinSamples, type SymbolRows } from '../../src/training/samples.ts'
import { splitSamples } from '../../src/training/splits.ts'
import { barrier, barsOf, regime } from '../labels/label-bars.ts'
import { sampleBars } from '../support/sample-bars.ts'
import { oneSymbol, partOf } from './rows.ts'

const random = new Random(7)
let price = 100
const walk = barsOf(
  Array.from({ length: 3000 }, () => {
    price *= Math.exp(0.01 * random.normal())
    return price
  }),
)

/** Suspects among features of these bars, each a function of what is past and what is to come. */
function suspectsOf(
  spec: StrategyLabels,
  features: Readonly<Record<string, (close: (offset: number) => number) => number>>,
  bars = walk,
) {
  const part = partOf('A', bars, makeLabels(spec, bars), bar => bar >= 20 && bar < bars.length - 20)
  const ids = Object.keys(features)
  const values = Float32Array.from(
    [...part.features.bar].flatMap(bar =>
      Object.values(features).map(of => of(offset => bars.close[bar + offset] ?? 0)),
    ),
  )
  const joined: SymbolRows = { ...part, features: { ...part.features, ids, values } }
  const samples = joinSamples([joined])
  const split = splitSamples(samples, { train: 0.6, validation: 0.2, test: 0.2, embargo_bars: null })
  return findLeakage(samples, split)
}

const momentum = (close: (offset: number) => number) => close(0) / close(-10) - 1
const noise = () => random.normal()
const returns = { source: 'forward_return', horizon: 5 } as const

describe('a feature that sees later bars is flagged, and one of the past is not', () => {
  test('returns, with as much noise as there is signal', () => {
    const suspects = suspectsOf(returns, {
      momentum,
      planted: close => close(5) / close(0) - 1,
      half: close => close(5) / close(0) - 1 + 0.022 * random.normal(),
      opposite: close => 1 - close(5) / close(0),
      noise,
    })
    expect(suspects.map(({ feature }) => feature)).toEqual(['planted', 'half', 'opposite'])
    expect(suspects[0]?.train_correlation).toBeCloseTo(1, 6)
    expect(suspects[1]?.validation_correlation).toBeCloseTo(Math.SQRT1_2, 1)
    expect(suspects[0]).toMatchObject({ train_information: null, validation_information: null })
    expect(suspects[2]?.reason).toMatch(/by -1.00 in training and -1.00 in validation/)
  })

  test('classes that are known without a correlation', () => {
    // How far the price will be away says whether it is neutral, not on which side.
    const spec = { source: 'context', horizon: 5, bullish_threshold: 0.01, bearish_threshold: -0.01 } as const
    const suspects = suspectsOf(spec, { momentum, size: close => Math.abs(close(5) / close(0) - 1), noise })
    expect(suspects.map(({ feature }) => feature)).toEqual(['size'])
    expect(suspects[0]?.reason).toMatch(/explains \d\d% of the label/)
  })

  test('a flag that is 0 or 1', () => {
    const spec = {
      source: 'context',
      horizon: 5,
      bullish_threshold: 0.001,
      bearish_threshold: -0.001,
    } as const
    const suspects = suspectsOf(spec, {
      momentum,
      turned: close => (close(5) > close(0) ? 1 : 0),
      constant: () => 1,
    })
    expect(suspects.map(({ feature }) => feature)).toEqual(['turned'])
  })
})

test.each([
  returns,
  { source: 'zigzag', zigzag_threshold: 0.03, neutral_fraction: 0.5 },
  { ...barrier, vol_span: 20, max_holding_period: 20 },
  { ...regime, atr_period: 14, vol_lookback: 60 },
] as const)('what indicators know of the past raises no suspicion about $source on a real market', spec => {
  const features = {
    momentum,
    level: (close: (offset: number) => number) => close(0),
    volatility: (close: (offset: number) => number) => {
      const moves = Array.from({ length: 14 }, (_, i) => Math.abs(Math.log(close(-i) / close(-i - 1))))
      return moves.reduce((sum, move) => sum + move, 0)
    },
    noise,
  }
  expect(suspectsOf(spec, features, sampleBars())).toEqual([])
})

/** Rows of one feature, the first half for training. */
function judge(
  rows: number,
  of: { feature: (i: number) => number; label: (i: number) => number; classes: string[] },
) {
  const column = (value: (i: number) => number) => Float64Array.from({ length: rows }, (_, i) => value(i))
  const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i)
  const kind = of.classes.length === 0 ? 'regression' : 'classification'
  return findLeakage(
    {
      ...{ ids: ['x'], features: Float32Array.from(column(of.feature)), kind, classes: of.classes },
      ...{ label: column(of.label), ret: column(of.label) },
    },
    { train: range(0, rows / 2), validation: range(rows / 2, rows) },
  )
}

test('too few rows say nothing', () => {
  const same = { feature: (i: number) => i, label: (i: number) => i, classes: [] }
  expect(judge(98, same)).toEqual([])
  expect(judge(100, same)).toHaveLength(1)
})

test('a correlation that turns round is no knowledge of the future', () => {
  const turning = (i: number) => (i < 100 ? i : -i)
  expect(judge(200, { feature: i => i, label: turning, classes: [] })).toEqual([])
})

test('information is told without what chance adds', () => {
  // Two bins that are the two classes: entropy ln 2, and chance adds 1 · 1 / (2 · 60) to it.
  const parity = (i: number) => i % 2
  const [suspect] = judge(120, { feature: parity, label: parity, classes: ['a', 'b'] })
  expect(suspect?.train_information).toBeCloseTo(1 - 1 / 120 / Math.LN2, 12)
})

describe('a model trained on shuffled labels', () => {
  test('is suspicious when it beats the majority class by more than chance', () => {
    // Three standard errors of 100 rows at one half are 0.15, and a row is 0.01.
    const judge = (accuracy: number, disjointRows = 100) =>
      judgeShuffledRun({ accuracy, majorityAccuracy: 0.5, disjointRows })
    expect(judge(0.5).limit).toBeCloseTo(0.66, 12)
    expect([judge(0.4), judge(0.65), judge(0.67)].map(({ suspicious }) => suspicious)).toEqual([
      false,
      false,
      true,
    ])
    expect(judge(0.65, 10_000).suspicious).toBe(true)
    expect(judge(1, 4).suspicious).toBe(false)
  })

  test('counts as evidence only rows whose labels do not overlap', () => {
    const rows = (length: number) => Int32Array.from({ length }, (_, i) => i)
    expect(countDisjoint(oneSymbol(100, 1), rows(100))).toBe(100)
    expect(countDisjoint(oneSymbol(100, 10), rows(100))).toBe(10)
    const two = oneSymbol(100, 10)
    expect(countDisjoint({ ...two, symbol: two.symbol.map((_, row) => (row < 55 ? 0 : 1)) }, rows(100))).toBe(
      11,
    )
    // Of a long label over two short ones the short ones are taken.
    const time = Float64Array.of(0, 1, 3)
    expect(
      countDisjoint({ symbol: new Uint16Array(3), time, labelEnd: Float64Array.of(9, 3, 5) }, rows(3)),
    ).toBe(2)
  })
})
