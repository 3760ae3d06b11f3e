import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ColumnCache } from '../../src/features/column-cache.ts'
import { IndicatorColumns } from '../../src/features/pipeline-columns.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { SignalColumns } from '../../src/strategy/signal-columns.ts'
import { computeSignals } from '../../src/strategy/signals.ts'
import { anyBars, barsOfCloses } from '../fixtures/bars.ts'

const strategyOf = (indicators: string, rules: string) =>
  parseStrategy(`
name: tested
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: ${indicators}
decisions: { rules: ${rules} }
`).strategy

const strategies = [
  strategyOf(
    '{ fast: { type: sma, period: 2 }, slow: { type: sma, period: 5 } }',
    '{ enter_long: fast crosses above slow, exit_long: fast crosses below slow }',
  ),
  strategyOf(
    '{ slow: { type: sma, period: 2 }, fast: { type: sma, period: 5 }, range: { type: atr, period: 3 } }',
    '{ enter_long: fast > slow, exit_short: fast > slow, enter_short: not fast > slow, stop_loss: { indicator: range, multiple: 2 } }',
  ),
  strategyOf(
    '{ base: { type: ema, period: 3 }, twice: { type: sma, period: 2, source: base } }',
    '{ enter_long: twice > base, exit_long: close < base, stop_loss: { percent: 2 }, take_profit: { percent: 4 } }',
  ),
  strategyOf('{}', '{ enter_short: close < 90, exit_short: close > 100 }'),
] as const

test('signals are the same with a cache and reused columns, in whatever order strategies and bars come', () => {
  const some = fc.array(fc.tuple(fc.constantFrom(...strategies), fc.nat(1)), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(
      anyBars(0, 40),
      anyBars(0, 40),
      some,
      fc.integer({ min: 0, max: 2_000 }),
      (one, other, runs, maxBytes) => {
        const cache = new ColumnCache(maxBytes)
        const reuse = new SignalColumns()
        for (const [strategy, second] of runs) {
          const bars = second === 1 ? other : one
          expect(computeSignals(strategy, bars, { cache, reuse })).toEqual(computeSignals(strategy, bars))
          expect(cache.byteLength).toBeLessThanOrEqual(maxBytes)
        }
      },
    ),
  )
})

test('an indicator is calculated once, whatever the strategies call it', () => {
  const cache = new ColumnCache(1_000)
  const bars = barsOfCloses([1, 2, 3, 4])
  const read = (id: string, indicator: { type: string; period: number; source: string }) =>
    new IndicatorColumns({ indicators: { [id]: indicator } }, bars, undefined, cache).read(id)
  const first = read('a', { type: 'sma', period: 2, source: 'close' })
  expect(read('b', { type: 'sma', period: 2, source: 'close' })).toBe(first)
  expect(read('a', { type: 'sma', period: 3, source: 'close' })).not.toEqual(first)
  expect(read('a', { type: 'sma', period: 2, source: 'volume' })).not.toEqual(first)
  expect(read('a', { type: 'ema', period: 2, source: 'close' })).not.toBe(first)
})

test('indicators over others of the same name are told apart by what these calculate', () => {
  const cache = new ColumnCache(10_000)
  const bars = barsOfCloses([1, 2, 4, 8, 16, 32])
  const read = (period: number) => {
    const indicators = {
      base: { type: 'sma', period, source: 'close' },
      over: { type: 'sma', period: 2, source: 'base' },
    }
    return new IndicatorColumns({ indicators }, bars, undefined, cache).read('over')
  }
  expect([...read(1)].slice(1)).toEqual([1.5, 3, 6, 12, 24])
  expect([...read(2)].slice(2)).toEqual([2.25, 4.5, 9, 18])
})

test('the columns used last are kept, and never more bytes than allowed', () => {
  const cache = new ColumnCache(160)
  const bars = {}
  let calculated = 0
  const read = (key: string, values = 10) =>
    cache.read(bars, key, () => {
      calculated++
      return { value: new Float64Array(values) }
    })
  const a = read('a')
  read('b')
  expect(read('a')).toBe(a)
  read('c')
  expect([calculated, cache.byteLength]).toEqual([3, 160])
  expect(read('a')).toBe(a)
  expect(calculated).toBe(3)
  read('b')
  expect(calculated).toBe(4)
  read('too large', 21)
  expect([calculated, cache.byteLength]).toEqual([5, 160])
  expect(cache.read({}, 'b', () => ({ value: new Float64Array(1) })).value?.length).toBe(1)
})
