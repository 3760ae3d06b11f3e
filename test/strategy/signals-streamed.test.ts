import { expect, test } from '@jest/globals'
import { ColumnCache } from '../../src/features/column-cache.ts'
import { streamedBars } from '../../src/features/column-stream.ts'
import { indicators } from '../../src/indicators/registry.ts'
import type { Bars } from '../../src/market/bars.ts'
import { sliceBars } from '../../src/market/bars.ts'
import { parseRule } from '../../src/strategy/expression.ts'
import { namesOf } from '../../src/strategy/indicator-names.ts'
import { readIndicators } from '../../src/strategy/market-input.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeIndicators, computeSignals, requiredHistory } from '../../src/strategy/signals.ts'
import { type RuleStrategy, requireRules, ruleKinds } from '../../src/strategy/strategy.ts'
import { compileRule } from '../fixtures/compile-rule.ts'
import { walkOf } from '../fixtures/walks.ts'

const strategyOf = (written: string, rules: string): RuleStrategy =>
  requireRules(
    parseStrategy(`
name: tested
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: ${written}
decisions: { rules: ${rules} }
`).strategy,
  )

const strategies = [
  strategyOf(
    '{ fast: { type: sma, period: 3 }, slow: { type: sma, period: 7 } }',
    '{ enter_long: fast crosses above slow, exit_long: fast crosses below slow }',
  ),
  strategyOf(
    '{ base: { type: ema, period: 3, source: hl2 }, twice: { type: rsi, period: 2, source: base }, range: { type: atr, period: 5 } }',
    '{ enter_long: "twice < 40 or not (close > base)", exit_long: "twice - 10 crosses above 30 + base / close", enter_short: open crosses below base, exit_short: close == high, stop_loss: { indicator: range, multiple: 2 }, take_profit: { percent: 3 } }',
  ),
  strategyOf(
    '{ trend: { type: macd, fast_period: 3, slow_period: 8, signal_period: 4 }, bands: { type: bollinger_bands, period: 6, multiplier: 1 } }',
    '{ enter_long: trend crosses above trend.signal and close < bands.lower, exit_long: not close crosses below bands.middle }',
  ),
  strategyOf('{}', '{ enter_short: close crosses above 100, exit_short: close > 100 }'),
]

const walk = walkOf(11, 2 * streamedBars + 5)
const lengths = [0, 1, streamedBars - 1, streamedBars, streamedBars + 1, 2 * streamedBars + 5]

/** What the rules make of whole columns. */
function signalsOfColumns(strategy: RuleStrategy, bars: Bars) {
  const { open, high, low, close, volume } = bars
  const columns = { ...computeIndicators(strategy, bars), open, high, low, close, volume }
  return Object.fromEntries(
    ruleKinds.map(kind => {
      const signal = new Uint8Array(bars.length)
      const text = strategy.decisions.rules[kind]
      const ast = text === null ? null : parseRule(text, Object.keys(columns)).ast
      if (ast !== null) compileRule(ast, columns)(signal, requiredHistory(strategy))
      return [kind, signal]
    }),
  )
}

test('rules over some bars at a time decide what they decide over whole columns, also where two pieces meet', () => {
  let decisions = 0
  for (const strategy of strategies) {
    for (const length of lengths) {
      const bars = sliceBars(walk, null, walk.time[length] ?? null)
      expect(bars.length).toBe(length)
      const signals = computeSignals(strategy, bars)
      for (const [kind, expected] of Object.entries(signalsOfColumns(strategy, bars))) {
        const actual = signals[kind as (typeof ruleKinds)[number]]
        expect(Buffer.compare(actual, expected)).toBe(0)
        decisions += expected.reduce((sum, value) => sum + value, 0)
      }
    }
  }
  expect(decisions).toBeGreaterThan(10_000)
})

test('a distance from an indicator is that of the whole column', () => {
  const [, strategy] = strategies
  if (strategy === undefined) throw new Error('there is no second strategy')
  const { stop_distance, target_distance } = computeSignals(strategy, walk)
  const { range } = computeIndicators(strategy, walk)
  const wrong = walk.close.findIndex((close, i) => {
    const stop = 2 * (range?.[i] ?? 0)
    return (
      !Object.is(stop_distance?.[i], stop > 0 ? stop : Number.NaN) || target_distance?.[i] !== 0.03 * close
    )
  })
  expect(wrong).toBe(-1)
})

test('what a cache keeps of it is the whole column, bit for bit, of every indicator', () => {
  for (const { type, outputs } of indicators) {
    const rule = namesOf('one', type)
      .map(name => `${name} > 0`)
      .join(' or ')
    const strategy = strategyOf(`{ one: { type: ${type} } }`, `{ enter_long: ${rule}, exit_long: close < 0 }`)
    const cache = new ColumnCache(10_000_000)
    const direct = computeSignals(strategy, walk)
    expect(Buffer.compare(computeSignals(strategy, walk, { cache }).enter_long, direct.enter_long)).toBe(0)
    const { byteLength } = cache
    const columns = computeIndicators(strategy, walk)
    for (const { name, values } of readIndicators(strategy, walk, cache))
      expect(values.findIndex((value, i) => !Object.is(value, columns[name]?.[i]))).toBe(-1)
    // Nothing was calculated for the reading.
    expect(cache.byteLength).toBe(byteLength)
    expect(byteLength).toBe(8 * outputs.length * walk.length)
  }
})

test('computing signals stops where its checkpoint throws, within some thousand bars', () => {
  const [strategy] = strategies
  if (strategy === undefined) throw new Error('there is no strategy')
  let looks = 0
  const stop = new Error('stopped')
  const checkpoint = () => {
    if (++looks === 2) throw stop
  }
  const cache = new ColumnCache(10_000_000)
  expect(() => computeSignals(strategy, walk, { cache, checkpoint })).toThrow(stop)
  // Half a column is none.
  expect([looks, cache.byteLength]).toEqual([2, 0])
})
