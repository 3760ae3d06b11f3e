import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
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
        stop_loss: null,
        take_profit: null,
        max_bars: null,
        sizing: null,
      },
    },
  })
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
