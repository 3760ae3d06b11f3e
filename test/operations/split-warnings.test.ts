import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import type { CorporateAction } from '../../src/market/corporate-action.ts'
import { splitWarnings } from '../../src/operations/split-warnings.ts'
import { walkOf } from '../fixtures/walks.ts'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

const modelled = `name: modelled
training_data:
  symbols: { mode: multi_symbol, list: [WHOLE, SPLIT] }
  timeframes: { mode: single, timeframe: 1d }
indicators: { rsi_14: { type: rsi } }
nn_inputs: [{ raw_indicator: rsi_14, timeframes: all }]
model: { type: mlp, architecture: { hidden_layers: [4] } }
decisions: { output_format: classification }
training: { labels: { source: zigzag } }
`
const ruled = `name: ruled
training_data:
  symbols: { mode: single, symbol: SPLIT }
  timeframes: { mode: single, timeframe: 1d }
indicators: { fast: { type: sma } }
decisions: { rules: { enter_long: close > fast, exit_long: close < fast } }
`
const actions: readonly CorporateAction[] = [
  { kind: 'split', ex_date: '2024-03-01', ratio: 7 },
  { kind: 'dividend', ex_date: '2024-04-01', amount: 1 },
  { kind: 'split', ex_date: '2024-05-01', ratio: 2 },
]

let program: Program
let bars: BarsArchive
/** Bars of 200 days from 1 January 2024: SPLIT has actions, WHOLE has none. */
beforeAll(async () => {
  program = await startProgram()
  bars = new BarsArchive(program.home)
  const origin = { source: 'test', now: 0, calendar: '24-7' }
  await bars.publish('WHOLE', '1d', walkOf(1, 200), origin)
  await bars.publish('SPLIT', '1d', walkOf(2, 200), { ...origin, actions })
})
afterAll(stopPrograms)

const requests = {
  backtesting: { strategy_yaml: ruled },
  feature_build: { strategy_yaml: modelled, fit: { start: '2024-01-01', end: '2024-07-01' } },
}

test.each(['backtesting', 'feature_build'] as const)(
  '%s of bars as traded warns of each split inside the range, and adjusted bars have none',
  async type => {
    const warned = async (params: object) =>
      (await program.submit(type, { ...requests[type], ...params })).warnings
    const warningOf = (dates: string) =>
      `SPLIT was split inside the range (${dates}): prices as traded jump there. adjustment: split removes the jump.`
    expect(await warned({ adjustment: 'none' })).toEqual([warningOf('2024-03-01, 2024-05-01')])
    expect(await warned({ adjustment: 'none', start: '2024-03-01' })).toEqual([warningOf('2024-05-01')])
    expect(await warned({ adjustment: 'none', start: '2024-03-01', end: '2024-05-01' })).toEqual([])
    for (const adjustment of ['split', 'total']) expect(await warned({ adjustment })).toEqual([])
  },
)

test('a split that several datasets of a symbol know is told once', async () => {
  const manifest = await bars.manifest('SPLIT', '1d')
  if (manifest === null) throw new Error('nothing was stored')
  const known = { ...manifest, actions: actions.slice(0, 1) }
  const range = { adjustment: 'none', start: '2024-01-01', end: '2024-07-01' }
  const [warning, ...others] = splitWarnings([known, manifest], range)
  expect([warning, others]).toEqual([expect.stringContaining('(2024-03-01, 2024-05-01)'), []])
})
