import { beforeAll, expect, test } from '@jest/globals'
import { Journal } from '../../src/archive/journal.ts'
import type { EffectiveBacktestingParams } from '../../src/operations/backtesting.ts'
import type { Prepared } from '../../src/operations/spec.ts'
import type { TrialBatchParams, TrialBatchResult } from '../../src/operations/trial-batch.ts'
import { backtestingParams } from '../support/backtesting-params.ts'
import { completed, makeHome, operationId, prepare, runWorker } from '../support/worker.ts'

let home: string
let prepared: Prepared
beforeAll(async () => {
  home = makeHome()
  const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  completed(await runWorker(home, 'data_download', download))
  const given = { strategy: 'sma_cross', symbol: 'AAPL', timeframe: '1d' }
  const backtest = await prepare(home, 'backtesting', backtestingParams(given))
  const params: TrialBatchParams = {
    stage: 'search',
    backtest: backtest.params as EffectiveBacktestingParams,
    variants: [5, 10, 60].map((period, i) => ({
      index: 7 + i,
      values: { 'indicators.fast.period': period },
    })),
    objective: 'sharpe',
    minimum_trades: 0,
    best: 3,
    curves: false,
  }
  prepared = { ...backtest, params }
})

const run = async (given: Prepared) => {
  const outcome = await runWorker(home, 'trial_batch', given.params, { prepared: given })
  return completed<TrialBatchResult>(outcome)
}

test('variants come out the same whichever run before them in the same memory', async () => {
  const { result } = await run(prepared)
  expect(result).toMatchObject({ stage: 'search', trials: 3, invalid: 0 })
  const params = prepared.params as TrialBatchParams
  const reversed = { ...params, variants: [...params.variants].reverse() }
  expect((await run({ ...prepared, params: reversed })).result.best).toEqual(result.best)
})

test('variants that an earlier attempt has journaled are not run again', async () => {
  const { strategy_sha256, dataset_sha256, params } = prepared
  const work = { params, strategy_sha256, dataset_sha256 }
  const { result } = await run(prepared)
  const journal = new Journal(home, operationId, 0, work)
  const record = { invalid: null, metrics: { sharpe: 99, trades: 1 }, blocks: null, curve: null }
  journal.append({ variant: 1, record })
  journal.close()
  const resumed = (await run(prepared)).result
  expect(resumed.best[0]).toMatchObject({ index: 8, score: 99 })
  const others = ({ best }: TrialBatchResult) => best.filter(({ index }) => index !== 8)
  expect(others(resumed)).toEqual(others(result))
})

test('a variant whose values do not go together is counted and has no score', async () => {
  const params = prepared.params as TrialBatchParams
  const variants = [
    { index: 0, values: { 'indicators.fast.period': 0 } },
    { index: 1, values: { 'indicators.fast.period': 9 } },
  ]
  const { result } = await run({ ...prepared, params: { ...params, variants } })
  expect(result).toMatchObject({ trials: 2, invalid: 1, best: [{ index: 1 }, { index: 0, score: null }] })
})

test('costs under stress cost more, and bars drawn anew are other bars, the same for the same seed', async () => {
  const params = prepared.params as TrialBatchParams
  const values = { 'indicators.fast.period': 10 }
  const bootstrap = { seed: 4, stream: 0, block_bars: 20 }
  const variants = [
    { index: 0, values },
    { index: 1, values, stress: { commission: 3, spread: 3, slippage: 3 } },
    { index: 2, values, bootstrap },
    { index: 3, values, bootstrap },
    { index: 4, values, bootstrap: { ...bootstrap, stream: 1 } },
  ]
  const given = { ...params, objective: 'final_equity' as const, best: 5, variants }
  const { result } = await run({ ...prepared, params: given })
  const scores = new Map(result.best.map(({ index, score }) => [index, score ?? Number.NaN]))
  const score = (index: number) => scores.get(index) ?? Number.NaN
  expect(score(1)).toBeLessThan(score(0))
  expect(score(2)).toBe(score(3))
  expect(new Set([score(0), score(2), score(4)]).size).toBe(3)
})
