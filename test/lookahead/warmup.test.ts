import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { IndicatorSpec } from '../../src/indicators/indicator.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import { chooseCuts } from '../../src/lookahead/cut-points.ts'
import { strategyColumns } from '../../src/lookahead/strategy-columns.ts'
import { barsWithHistory, measureWarmup, mergeWarmups, warmupLengths } from '../../src/lookahead/warmup.ts'
import { judgeWarmup, type WarmupVerdict } from '../../src/lookahead/warmup-verdict.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { walkOf } from '../fixtures/walks.ts'

const bars = walkOf(5, 2600)
const market = [{ symbol: 'AAPL', bars: { '1d': bars } }]
const folder = 'examples/strategies'

const ruled = (indicators: string, enter: string, history = 0) => `
name: tested
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
  history_required: ${history}
indicators: ${indicators}
decisions:
  rules: { enter_long: '${enter}', exit_long: 'close < 0.001' }
`

function analyse(yaml: string, count = 12): WarmupVerdict {
  const source = strategyColumns(parseStrategy(yaml).strategy)
  const whole = source(market)
  const all = { close_time: bars.close_time, from: 0, to: bars.length }
  const lengths = warmupLengths(whole, bars.length - 1)
  const instants = chooseCuts(whole, barsWithHistory(all, lengths), { cuts: count, seed: 3 })
  return judgeWarmup(measureWarmup({ market, source, whole, lengths, instants }))
}

const flagsOf = ({ columns }: WarmupVerdict) =>
  Object.fromEntries(columns.map(({ name, flag }) => [name, flag]))
const columnOf = ({ columns }: WarmupVerdict, name: string) => columns.find(column => column.name === name)!

test('windows are settled with their look-back, averages that never end with their settling', () => {
  const verdict = analyse(
    ruled('{ slow: { type: sma, period: 50 }, trend: { type: ema, period: 20 } }', 'slow > trend', 400),
  )
  expect(verdict.verdict).toBe('stable')
  expect(columnOf(verdict, 'slow')).toMatchObject({
    lookback: 49,
    stable_after: 49,
    settled_from: 49,
    flag: 'settled',
  })
  const trend = columnOf(verdict, 'trend')
  expect(trend).toMatchObject({ lookback: 19, flag: 'settled' })
  // (1 − 2/21)^bars < 1e-6 within 140 bars, well after the look-back and before what is declared.
  expect(trend.settled_from).toBeGreaterThan(40)
  expect(trend.settled_from).toBeLessThanOrEqual(trend.stable_after!)
  const [shortest] = trend.lengths
  expect(shortest).toMatchObject({ history_bars: 19, missing: 0 })
  expect(shortest!.largest_relative_difference).toBeGreaterThan(1e-3)
  expect(verdict.suggested_history).toBe(400)
})

test('decisions that depend on how much history there is are named, with the history that would do', () => {
  const verdict = analyse(ruled('{ trend: { type: ema, period: 100 } }', 'close > trend * 1.02'), 60)
  expect(verdict.verdict).toBe('unstable')
  expect(flagsOf(verdict)).toMatchObject({
    enter_long: 'signals_change',
    exit_long: 'settled',
    trend: 'settled',
  })
  const enter = columnOf(verdict, 'enter_long')
  expect(enter.lengths.find(({ history_bars }) => history_bars === 99)!.changed).toBeGreaterThan(0)
  const { suggested_history } = verdict
  expect(suggested_history).toBeGreaterThan(99)
  const yaml = ruled('{ trend: { type: ema, period: 100 } }', 'close > trend * 1.02', suggested_history!)
  expect(analyse(yaml, 60).verdict).toBe('stable')
})

test('what never forgets its first bar says so and is no fault by itself', () => {
  const verdict = analyse(ruled('{ flow: { type: obv }, slow: { type: sma, period: 5 } }', 'close > slow'))
  expect(flagsOf(verdict)).toMatchObject({ flow: 'never_settles', slow: 'settled' })
  expect(verdict.verdict).toBe('stable')
  expect(columnOf(verdict, 'flow').settled_from).toBeNull()
})

describe('an indicator that declares too little', () => {
  let restore = () => {}
  afterEach(() => restore())

  function change(type: string, changed: Partial<IndicatorSpec>): void {
    const spec = findIndicator(type)!
    const before = { ...spec }
    restore = () => Object.assign(spec, before)
    Object.assign(spec, changed)
  }

  test('a settling that is too short is named', () => {
    change('ema', { stableAfter: () => 30 })
    const verdict = analyse(ruled('{ trend: { type: ema, period: 20 } }', 'close > 0', 500))
    expect(flagsOf(verdict)).toMatchObject({ trend: 'too_short' })
    expect(verdict.verdict).toBe('unstable')
  })

  test('a look-back that is too short is named: there is no value yet', () => {
    change('sma', { lookback: () => 10 })
    const verdict = analyse(ruled('{ slow: { type: sma, period: 20 } }', 'close > 0', 500))
    expect(flagsOf(verdict)).toMatchObject({ slow: 'too_short' })
    expect(columnOf(verdict, 'slow').lengths[0]).toMatchObject({ history_bars: 10, missing: 12 })
  })
})

test.each(readdirSync(folder).filter(file => /rsi|sma|fuzzy|macd|channel/.test(file)))(
  'no declared warm-up of the shipped strategy %s is too short',
  file => {
    const { columns } = analyse(readFileSync(`${folder}/${file}`, 'utf8'), 6)
    expect(columns.filter(({ flag }) => flag === 'too_short').map(({ name }) => name)).toEqual([])
    expect(columns.length).toBeGreaterThan(3)
  },
)

test('history is counted in bars of each timeframe, and lengths that it lacks are not compared', () => {
  const yaml = ruled('{ slow: { type: sma, period: 5 } }', 'close > slow')
  const source = strategyColumns(parseStrategy(yaml).strategy)
  const whole = source(market)
  const instants = [bars.close_time[100]!]
  const tallies = measureWarmup({ market, source, whole, lengths: [3, 4, 100, 101], instants })
  const slow = tallies.find(({ name }) => name === 'slow')!
  expect(
    slow.lengths.map(({ history_bars, compared, missing }) => [history_bars, compared, missing]),
  ).toEqual([
    [3, 1, 1],
    [4, 1, 0],
    [100, 1, 0],
    [101, 0, 0],
  ])
})

test('parts by length come to the same as all at once, in whatever order', () => {
  const source = strategyColumns(
    parseStrategy(ruled('{ slow: { type: ema, period: 5 } }', 'close > slow')).strategy,
  )
  const whole = source(market)
  const measure = (lengths: readonly number[]) =>
    measureWarmup({
      market,
      source,
      whole,
      lengths,
      instants: [bars.close_time[900]!, bars.close_time[2000]!],
    })
  expect(mergeWarmups([measure([20, 80]), measure([4]), measure([200])])).toEqual(measure([4, 20, 80, 200]))
})
