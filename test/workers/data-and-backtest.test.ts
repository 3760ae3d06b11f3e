import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { BarsArchive } from '../../src/archive/bars.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import type { BacktestingResult } from '../../src/operations/backtesting.ts'
import type { DataDownloadResult } from '../../src/operations/data-download.ts'
import { stop } from '../../src/operations/protocol.ts'
import { completed, makeHome, operationId, runWorker } from '../support/worker.ts'

const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'], mode: 'full' }
const trading = {
  adjustment: 'none',
  strategy: 'sma_cross',
  initial_capital: 100_000,
  commission_rate: 0.001,
  commission_fixed: 0,
  slippage_bps: 5,
  sizing: { mode: 'all_in' },
  units: 'whole',
  close_open_trades: true,
}

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
  expect(first.result).toMatchObject({ strategy_name: 'sma_cross', symbol: 'AAPL', bars: 1260 })
  expect(first.artifacts.map(artifact => artifact.file)).toEqual([
    'trades.arrow',
    'equity.arrow',
    'strategy.yaml',
  ])
  const [trades, equity] = first.artifacts.map(artifact => {
    const path = artifactPath(home, operationId, 1, artifact)
    return artifact.rows === null ? null : decodeTable(readFileSync(path))
  })
  const net = trades?.columns.find(column => column.name === 'net_pnl')?.values as Float64Array
  const curve = equity?.columns.find(column => column.name === 'equity')?.values as Float64Array
  expect(net.length).toBeGreaterThan(3)
  expect(net.reduce((sum, pnl) => sum + pnl, 0)).toBeCloseTo((curve.at(-1) ?? 0) - 100_000, 6)
  expect(curve.length).toBe(1260)
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
