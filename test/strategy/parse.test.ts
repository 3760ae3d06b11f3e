import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { parseStrategy } from '../../src/strategy/parse.ts'

test('defaults are filled in, so that the strategy says what will run', () => {
  const { strategy, warnings } = parseStrategy(`
name: tiny
training_data:
  symbols: { mode: single, symbol: BRK.B }
  timeframes: { mode: single, timeframe: 1M, base_timeframe: 1M }
indicators:
  fast: { type: ema }
  calm: { type: atr, period: 5 }
decisions:
  rules:
    enter_long: close > fast
    exit_long: close < fast - calm
`)
  expect(strategy).toEqual({
    kind: 'rules',
    name: 'tiny',
    version: '3.0',
    symbols: ['BRK.B'],
    timeframes: ['1M'],
    base_timeframe: '1M',
    history_required: 0,
    indicators: { fast: { type: 'ema', period: 20, source: 'close' }, calm: { type: 'atr', period: 5 } },
    decisions: {
      rules: {
        enter_long: 'close > fast',
        exit_long: 'close < fast - calm',
        enter_short: null,
        exit_short: null,
        entry: { type: 'market' },
        stop_loss: null,
        take_profit: null,
        max_bars: null,
        sizing: null,
      },
    },
  })
  expect(warnings).toEqual([])
})

/** The rules of a strategy of two symbols, with lines of YAML added. */
function rulesWith(lines: string) {
  const { strategy, warnings } = parseStrategy(`
name: two
training_data:
  symbols: { mode: multi_symbol, list: [AAPL, MSFT] }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  range: { type: atr }
  mean: { type: sma }
decisions:
  rules:
    enter_long: close > mean
    stop_loss: { indicator: range, multiple: 2 }
${lines}
`)
  if (strategy.kind !== 'rules') throw new Error('it decides by a model')
  return { ...strategy.decisions.rules, symbols: strategy.symbols, warnings }
}

test('rules run on several symbols', () => {
  expect(rulesWith('').symbols).toEqual(['AAPL', 'MSFT'])
})

test.each([
  ['{ type: market }', { type: 'market' }],
  ['{ type: limit, limit: { percent: 1 } }', { type: 'limit', limit: { percent: 1 }, good_till: 'cancel' }],
  [
    '{ type: stop, stop: { indicator: range, multiple: 0.5 }, good_till: { bars: 3 } }',
    { type: 'stop', stop: { indicator: 'range', multiple: 0.5 }, good_till: { bars: 3 } },
  ],
  [
    '{ type: stop_limit, stop: { percent: 2 }, limit: { percent: 1 }, good_till: session }',
    { type: 'stop_limit', stop: { percent: 2 }, limit: { percent: 1 }, good_till: 'session' },
  ],
])('the entry %s says what will be ordered, defaults filled in', (written, entry) => {
  expect(rulesWith(`    entry: ${written}`)).toMatchObject({ entry, warnings: [] })
})

test.each([
  '{ mode: all_in }',
  '{ mode: fraction, fraction: 0.5 }',
  '{ mode: units, units: 10 }',
  '{ mode: value, value: 5000 }',
  '{ mode: risk, risk_percent: 1 }',
  '{ mode: volatility_target, annual_volatility: 0.15, lookback_bars: 60 }',
  '{ mode: kelly, cap: 0.25, min_trades: 30, fraction: 0.1 }',
])('the size %s runs as it is written', written => {
  expect(rulesWith(`    sizing: ${written}`).sizing).toEqual(parse(written))
})

test('an entry at a distance that is no difference of prices is remarked on', () => {
  const { warnings } = rulesWith('    entry: { type: limit, limit: { indicator: mean, multiple: 0.1 } }')
  expect(warnings).toEqual([expect.stringMatching(/distance of entry.limit, .*price itself/)])
})

test('an indicator that only an entry reads is used', () => {
  const { warnings } = parseStrategy(`
name: tiny
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: { range: { type: atr, period: 5 } }
decisions:
  rules:
    enter_long: close > 2
    exit_long: close < 1
    entry: { type: stop, stop: { indicator: range, multiple: 1 } }
`)
  expect(warnings).toEqual([])
})

test('an indicator that no rule uses is remarked on, not refused', () => {
  const { warnings } = parseStrategy(`
name: tiny
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: { spare: { type: sma } }
decisions: { rules: { enter_long: close > 2, exit_long: close < 1 } }
`)
  expect(warnings).toEqual(["indicator 'spare' is not used by any rule"])
})

const folder = 'examples/strategies'

test.each(readdirSync(folder).filter(name => name.endsWith('.yaml')))(
  'the example %s is valid, named like its file and free of remarks',
  name => {
    const { strategy, warnings } = parseStrategy(readFileSync(`${folder}/${name}`, 'utf8'))
    expect(`${strategy.name}.yaml`).toBe(name)
    expect(strategy.description).toBeTruthy()
    expect(warnings).toEqual([])
  },
)
