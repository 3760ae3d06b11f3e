import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { BarsArchive } from '../../src/archive/bars.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import type { BacktestingResult } from '../../src/operations/backtesting.ts'
import type { DataDownloadResult } from '../../src/operations/data-download.ts'
import type { Params } from '../../src/operations/operation.ts'
import { stop } from '../../src/operations/protocol.ts'
import { backtestingParams } from '../support/backtesting-params.ts'
import { completed, makeHome, operationId, prepare, runWorker } from '../support/worker.ts'

const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'], mode: 'full' }
const trading = backtestingParams({ strategy: 'sma_cross' })

test('a download stores the bars, and what could not be fetched makes it partial', async () => {
  const home = makeHome()
  const { result } = completed<DataDownloadResult>(
    await runWorker(home, 'data_download', { ...sample, symbols: ['MSFT', 'AAPL'] }),
  )
  expect(result).toMatchObject({ partial: true, datasets: [{ symbol: 'AAPL', timeframe: '1d', bars: 1260 }] })
  expect((await new BarsArchive(home).manifest('AAPL', '1d'))?.sha256).toBe(result.datasets[0]?.sha256)
})

test('a download of which nothing could be fetched fails with the first problem', async () => {
  const outcome = await runWorker(makeHome(), 'data_download', { ...sample, symbols: ['MSFT', 'GOOG'] })
  expect(outcome).toMatchObject({ kind: 'failed', problem: { code: 'bars-missing' } })
})

test('a backtest gives the same bytes twice, and its trades add up to the change of the equity', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  const first = completed<BacktestingResult>(await runWorker(home, 'backtesting', trading))
  const second = completed<BacktestingResult>(await runWorker(home, 'backtesting', trading))
  expect(second).toEqual(first)
  expect(first.result).toMatchObject({ strategy_name: 'sma_cross', symbols: ['AAPL'], bars: 1260 })
  expect(first.artifacts.map(artifact => artifact.file)).toEqual([
    'trades.arrow',
    'orders.arrow',
    'equity.arrow',
    'drawdowns.arrow',
    'signals.arrow',
    'indicators.arrow',
    'report.html',
    'strategy.yaml',
  ])
  const [trades, , equity] = first.artifacts.map(artifact => {
    const path = artifactPath(home, operationId, 1, artifact)
    return artifact.rows === null ? null : decodeTable(readFileSync(path))
  })
  const net = trades?.columns.find(column => column.name === 'net_pnl')?.values as Float64Array
  const curve = equity?.columns.find(column => column.name === 'equity')?.values as Float64Array
  expect(net.length).toBeGreaterThan(3)
  expect(net.reduce((sum, pnl) => sum + pnl, 0)).toBeCloseTo((curve.at(-1) ?? 0) - 100_000, 6)
  expect(curve.length).toBe(1260)
})

test('the report shows the numbers of the result, and nothing that changes from run to run', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  const { result, artifacts } = completed<BacktestingResult>(await runWorker(home, 'backtesting', trading))
  const report = artifacts.find(({ name }) => name === 'report.html')
  if (report === undefined) throw new Error('there is no report')
  const html = readFileSync(artifactPath(home, operationId, 1, report), 'utf8')
  expect(report).toMatchObject({ media_type: 'text/html', rows: null })
  expect(report.size_bytes).toBeLessThan(2_000_000)
  for (const value of Object.values(result.metrics))
    if (value !== null) expect(html).toContain(`data-value="${value}"`)
  expect(html).toContain('sma_cross: AAPL 1d')
  expect(html).not.toContain(operationId)
})

test('bars before the start warm the indicators up and are not traded', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  const range = { start: '2016-01-01', end: '2017-01-01' }
  const { result } = completed<BacktestingResult>(
    await runWorker(home, 'backtesting', { ...trading, ...range }),
  )
  expect(result).toMatchObject({
    bars: 252,
    start: '2016-01-04T00:00:00.000Z',
    // The close of New York on the last session of the year.
    end: '2016-12-30T21:00:00.000Z',
  })
})

const bothSides = `name: both_sides
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: 5 }
  slow: { type: sma, period: 20 }
  range: { type: atr, period: 14 }
decisions:
  rules:
    enter_long: fast crosses above slow
    enter_short: fast crosses below slow
    stop_loss: { indicator: range, multiple: 2, trailing: true }
    take_profit: { percent: 6 }
    max_bars: 15
    sizing: { mode: risk, risk_percent: 1 }
`
const { strategy: _, ...asWritten } = trading

test('a strategy that goes both ways is traded with its own stops, time stop and sizing', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  const { result, artifacts } = completed<BacktestingResult>(
    await runWorker(home, 'backtesting', { ...asWritten, strategy_yaml: bothSides }),
  )
  const [artifact] = artifacts
  if (artifact === undefined) throw new Error('there are no trades')
  const { columns } = decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact)))
  const column = (name: string) => columns.find(found => found.name === name)?.values ?? []
  const numbers = (name: string) => [...(column(name) as Float64Array)]
  const { splits, metrics } = result
  expect(splits.side.long.trades).toBeGreaterThan(5)
  expect(splits.side.short.trades).toBeGreaterThan(5)
  for (const reason of ['trailing_stop', 'target', 'max_bars'] as const)
    expect([reason, splits.exit_reason[reason]?.trades ?? 0]).not.toEqual([reason, 0])
  expect(Math.max(...numbers('bars_held'))).toBe(15)
  expect(column('ambiguous')).toContain(false)
  const ofReasons = Object.values(splits.exit_reason).reduce((sum, part) => sum + (part.net_pnl ?? 0), 0)
  expect(ofReasons).toBeCloseTo((metrics.final_equity ?? 0) - 100_000, 6)
  // 1 % of the equity is what the units lose from the entry to the stop, less the rounding to whole units.
  const [entry = 0] = numbers('entry_price')
  const [stop = 0] = numbers('stop_price')
  const [units = 0] = numbers('units')
  const lost = units * Math.abs(entry - stop)
  expect(lost).toBeLessThanOrEqual(1000)
  expect(lost).toBeGreaterThan(1000 - Math.abs(entry - stop))
})

test('the sizing of the request goes before that of the strategy, and all_in is what is left', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  const sizingOf = async (params: Params) => (await prepare(home, 'backtesting', params)).params.sizing
  const sizing = { mode: 'units', units: 3 }
  expect(await sizingOf({ ...asWritten, strategy_yaml: bothSides })).toEqual({
    mode: 'risk',
    risk_percent: 1,
  })
  expect(await sizingOf({ ...asWritten, strategy_yaml: bothSides, sizing })).toEqual(sizing)
  expect(await sizingOf({ ...asWritten, strategy: 'sma_cross' })).toEqual({ mode: 'all_in' })
})

test('a sizing that does not say how much, or needs a stop there is not, is refused', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  const refusal = async (sizing: object) => {
    const params = { ...asWritten, strategy: 'sma_cross', sizing }
    const refused = await prepare(home, 'backtesting', params).catch(problem => problem)
    return refused.errors
  }
  expect(await refusal({ mode: 'risk', risk_percent: 1 })).toMatchObject([
    { pointer: '/body/params/sizing/mode', code: 'not_allowed' },
  ])
  expect(await refusal({ mode: 'units', fraction: 1 })).toMatchObject([
    { pointer: '/body/params/sizing/fraction', code: 'not_allowed' },
    { pointer: '/body/params/sizing/units', code: 'required' },
  ])
})

test('a worker that is asked to stop stops, and leaves no artifact', async () => {
  const home = makeHome()
  await runWorker(home, 'data_download', sample)
  expect(await runWorker(home, 'backtesting', trading, { stopWord: stop.cancel })).toEqual({
    kind: 'cancelled',
    mode: 'cooperative',
  })
  expect(await runWorker(home, 'data_download', sample, { stopWord: stop.drain })).toEqual({
    kind: 'interrupted',
  })
})
