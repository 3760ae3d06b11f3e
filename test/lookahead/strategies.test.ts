import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { timeframesOf } from '../../src/features/pipeline-recipe.ts'
import { recipeOf } from '../../src/features/pipeline-strategy.ts'
import type { IndicatorSpec } from '../../src/indicators/indicator.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import { decidingTimes } from '../../src/lookahead/cut-points.ts'
import { analyseLookahead } from '../../src/lookahead/lookahead.ts'
import type { MarketView } from '../../src/lookahead/named-column.ts'
import { strategyColumns } from '../../src/lookahead/strategy-columns.ts'
import type { Bars } from '../../src/market/bars.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import type { Strategy } from '../../src/strategy/strategy.ts'
import { walkOf } from '../fixtures/walks.ts'
import { hoursOf } from './planted.ts'

const folder = 'examples/strategies'
const shipped = readdirSync(folder).map(
  file => [file, parseStrategy(readFileSync(`${folder}/${file}`, 'utf8')).strategy] as const,
)
const calendar = new Calendars().get('24-7')

/** Bars of every symbol and timeframe that a strategy reads, the longer ones made of the base bars. */
function marketOf(strategy: Strategy, length: number): MarketView {
  const { base_timeframe: base } = strategy
  return strategy.symbols.map((symbol, seed) => {
    const bars = base === '1h' ? hoursOf(seed, length) : walkOf(seed, length)
    const made = (to: Timeframe): Bars =>
      to === base ? bars : resampleBars(bars, { from: base, to, calendar }).bars
    const read = strategy.kind === 'rules' ? [base] : timeframesOf(recipeOf(strategy))
    return { symbol, bars: Object.fromEntries(read.map(timeframe => [timeframe, made(timeframe)])) }
  })
}

function analyse(strategy: Strategy, { length = 900, cuts = 12 } = {}) {
  const market = marketOf(strategy, length)
  const base = market.map(({ bars }) => bars[strategy.base_timeframe] as Bars)
  const close_time = decidingTimes(base)
  const fit = { start: base[0]!.time[0]!, end: base[0]!.time[Math.floor(0.6 * length)]! }
  return analyseLookahead({
    market,
    source: strategyColumns(strategy, { fit }),
    deciding: { close_time, from: 0, to: close_time.length },
    cuts,
    seed: 7,
  })
}

test.each(shipped)('the shipped strategy %s is clean', (_file, strategy) => {
  const { verdict, findings, columns } = analyse(strategy)
  expect(findings).toEqual([])
  expect(verdict).toBe('clean')
  expect(columns).toBeGreaterThan(3)
})

test('a fitted term is looked at as the indicator it reads, and as the membership it becomes behind its range', () => {
  const [, strategy] = shipped.find(([file]) => file === 'quantile_zones.yaml')!
  const view = marketOf(strategy, 300)
  const { time } = view[0]!.bars['1d'] as Bars
  const fit = { start: time[0]!, end: time[200]! }
  const columns = (options: object) =>
    strategyColumns(
      strategy,
      options,
    )(view)
      .filter(({ name }) => name.startsWith('1d_range_wild'))
      .map(({ name, kind }) => `${kind} ${name}`)
  const before = 'feature 1d_range_wild before quantile'
  expect(columns({})).toEqual([before])
  expect(columns({ fit })).toEqual([before, 'membership 1d_range_wild'])
})

describe('an indicator of the registry that looks ahead', () => {
  let restore = () => {}
  afterEach(() => restore())

  /** Adds to every output what only a look at later bars tells. */
  function spoil(type: string, extra: (close: Float64Array, i: number) => number): void {
    const spec = findIndicator(type) as { -readonly [Key in keyof IndicatorSpec]: IndicatorSpec[Key] }
    const { compute } = spec
    restore = () => {
      spec.compute = compute
    }
    spec.compute = (input, params) => {
      const columns = Object.entries(compute(input, params))
      const { close } = input
      return Object.fromEntries(
        columns.map(([name, values]) => [name, values.map((value, i) => value + extra(close, i))]),
      )
    }
  }

  const strategyOf = (name: string) => parseStrategy(readFileSync(`${folder}/${name}.yaml`, 'utf8')).strategy
  const named = (strategy: Strategy) =>
    analyse(strategy).findings.map(({ kind, name, role, because_of }) =>
      `${role} ${kind} ${name} ${because_of}`.trim(),
    )

  test('is named in a strategy with rules, with the rules, the stop and the target that read it', () => {
    spoil('atr', (close, i) => (close[i + 1] ?? 0) / 1000)
    expect(named(strategyOf('channel_breakout'))).toEqual([
      'root indicator range',
      'consequence distance stop_distance AAPL 1d indicator range',
      'consequence distance target_distance AAPL 1d indicator range',
    ])
  })

  test('is named in place of an indicator that reads it, and of the memberships of that', () => {
    spoil('rsi', (close, i) => (i < close.length - 3 ? 1 : 0))
    expect(named(strategyOf('fuzzy_reversion'))).toEqual([
      'root indicator rsi_14',
      'consequence indicator rsi_smooth AAPL 1d indicator rsi_14',
      ...['low', 'mid', 'high'].map(
        term => `consequence membership 1d_rsi_zone_${term} AAPL 1d indicator rsi_14`,
      ),
    ])
  })

  test('normalised over the whole sample is named, before and after the fitted scale', () => {
    spoil('natr', close => close.reduce((sum, value) => sum + value, 0))
    const found = named(strategyOf('fuzzy_and_raw'))
    expect(found[0]).toBe('root indicator natr_14')
    expect(found.filter(line => line.startsWith('root'))).toHaveLength(1)
    expect(found).toContain('consequence feature 1d_natr_14_raw before robust AAPL 1d indicator natr_14')
    expect(found).toContain('consequence feature 1d_natr_14_raw AAPL 1d indicator natr_14')
  })
})

describe('cuts', () => {
  const strategy = parseStrategy(readFileSync(`${folder}/sma_cross.yaml`, 'utf8')).strategy

  test('are the same for the same seed, others for another, rise, and hold the warm-up and the last bar', () => {
    const market = marketOf(strategy, 900)
    const bars = market[0]!.bars[strategy.base_timeframe]!
    const { cuts } = analyse(strategy)
    expect(analyse(strategy).cuts).toEqual(cuts)
    expect(new Set(cuts).size).toBe(12)
    expect([...cuts].sort((a, b) => a - b)).toEqual(cuts)
    expect(cuts.at(-1)).toBe(bars.close_time.at(-1))
    const slow = strategyColumns(strategy)(market).find(({ name }) => name === 'slow')!
    const warm = slow.values.findIndex(value => !Number.isNaN(value))
    expect(cuts).toContain(bars.close_time[warm - 1])
  })

  test('half of them are bars on which a rule turns true, of every rule', () => {
    const market = marketOf(strategy, 900)
    const { cuts } = analyse(strategy, { cuts: 20 })
    const rules = strategyColumns(strategy)(market).filter(
      ({ kind, values }) => kind === 'rule' && values.includes(1),
    )
    expect(rules.length).toBeGreaterThan(1)
    for (const { values, bars } of rules) {
      const turning = cuts.filter(cut => values[bars.close_time.indexOf(cut)] === 1)
      expect(turning.length).toBeGreaterThanOrEqual(4)
    }
  })

  test('of a short range are all its bars', () => {
    expect(analyse(strategy, { length: 60, cuts: 100 }).cuts).toHaveLength(60)
  })
})
