import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { buildFeatures } from '../../src/features/pipeline.ts'
import { recipeOf } from '../../src/features/pipeline-strategy.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeSignals } from '../../src/strategy/signals.ts'
import { ruleKinds } from '../../src/strategy/strategy.ts'

const folder = 'examples/strategies'
const examples = readdirSync(folder).map(file => parseStrategy(readFileSync(`${folder}/${file}`, 'utf8')))
const strategies = examples.map(({ strategy }) => strategy)

/** The bars that ship with the server: five years of Apple. */
function sampleBars() {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv'))
  return reader.end()
}

const bars = sampleBars()
const onSample = strategies.filter(
  ({ symbols, timeframes }) => symbols.join() === 'AAPL' && timeframes.join() === '1d',
)

test('the examples show every way of deciding', () => {
  const models = strategies.filter(strategy => strategy.kind === 'model')
  const rules = strategies.filter(strategy => strategy.kind === 'rules')
  expect(rules.length).toBeGreaterThanOrEqual(4)
  expect(rules.some(({ decisions }) => decisions.rules.enter_short !== null)).toBe(true)
  expect(rules.some(({ decisions }) => decisions.rules.sizing?.mode === 'risk')).toBe(true)
  expect(new Set(rules.map(({ decisions }) => decisions.rules.entry.type))).toEqual(
    new Set(['market', 'stop', 'limit']),
  )
  expect(rules.some(({ symbols }) => symbols.length > 1)).toBe(true)
  expect(new Set(models.map(({ model }) => model.type))).toEqual(new Set(['mlp', 'lstm']))
  expect(models.some(({ decisions }) => decisions.output_format === 'regression')).toBe(true)
  expect(models.some(({ symbols }) => symbols.length > 1)).toBe(true)
  expect(models.some(({ timeframes }) => timeframes.length > 1)).toBe(true)
})

test.each(
  onSample.filter(({ kind }) => kind === 'rules').map(strategy => [strategy.name, strategy] as const),
)('every rule of %s is true now and then on the shipped bars, never always', (_name, strategy) => {
  const signals = computeSignals(strategy, bars)
  if (strategy.kind !== 'rules') throw new Error('it decides by a model')
  for (const kind of ruleKinds.filter(kind => strategy.decisions.rules[kind] !== null)) {
    const count = signals[kind].reduce((sum, value) => sum + value, 0)
    expect(count).toBeGreaterThan(2)
    expect(count).toBeLessThan(bars.length - 100)
  }
})

test.each(
  onSample.filter(({ kind }) => kind === 'model').map(strategy => [strategy.name, strategy] as const),
)('every feature of %s has a value on nearly all shipped bars, and moves', (_name, strategy) => {
  const { table, warnings } = buildFeatures({
    recipe: recipeOf(strategy),
    symbols: [{ symbol: 'AAPL', bars: { '1d': bars } }],
    fit: { start: bars.time[0] as number, end: bars.time[800] as number },
  })
  expect(warnings).toEqual([])
  expect(table.rows).toBeGreaterThan(1150)
  const width = table.ids.length
  for (const [column] of table.ids.entries()) {
    const values = Array.from({ length: table.rows }, (_, row) => table.values[row * width + column]!)
    expect(new Set(values).size).toBeGreaterThan(1)
    expect(values.every(Number.isFinite)).toBe(true)
  }
})
