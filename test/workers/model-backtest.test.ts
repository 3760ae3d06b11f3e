import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { publishModel } from '../../src/archive/models.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import type { Bars } from '../../src/market/bars.ts'
import { truncateBars } from '../../src/market/bars.ts'
import type { BacktestingResult } from '../../src/operations/backtesting.ts'
import type { Artifact } from '../../src/operations/operation.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { loadModel } from '../../src/training/predictor.ts'
import { servedOf } from '../../src/training/served-model.ts'
import type { TrainedModel } from '../../src/training/trained-model.ts'
import { backtestingParams } from '../support/backtesting-params.ts'
import { makeRooms } from '../support/rooms.ts'
import { sampleBars } from '../support/sample-bars.ts'
import { exampleText, untrainedModel, weeksOf } from '../support/trained-model.ts'
import { completed, makeHome, operationId, prepare, runWorker } from '../support/worker.ts'

const days = sampleBars()
const weeks = weeksOf(days)
const daily = exampleText('fuzzy_and_raw').replace('confidence_threshold: 0.45', 'confidence_threshold: 0.3')
const weekly = daily.replace(
  '{ mode: single, timeframe: 1d }',
  '{ mode: multi_timeframe, list: [1d, 1w], base_timeframe: 1d }',
)
/** Of these seeds the network, untrained as it is, says buy and sell often enough. */
const models = {
  daily: untrainedModel('fuzzy_and_raw', 6, daily),
  weekly: untrainedModel('fuzzy_and_raw', 8, weekly),
  lstm: untrainedModel('lstm_trend', 4),
  regression: untrainedModel('return_regression'),
  quantile: untrainedModel('quantile_zones'),
}

type Stored = readonly [symbol: string, timeframe: string, bars: Bars]
const apple: readonly Stored[] = [
  ['AAPL', '1d', days],
  ['AAPL', '1w', weeks],
]

/** A data folder with bars and one model. */
async function homeWith(trained: TrainedModel, datasets: readonly Stored[] = apple) {
  const home = makeHome()
  const { bars } = makeRooms(home)
  for (const [symbol, timeframe, stored] of datasets)
    await bars.publish(symbol, timeframe, stored, { source: 'sample', now: 0, calendar: 'XNYS' })
  const { model_id: model } = publishModel(home, trained, { now: 0, operationId: null })
  return { home, model }
}

const backtest = async (home: string, params: object) =>
  completed<BacktestingResult>(await runWorker(home, 'backtesting', backtestingParams(params)))

function tableOf(home: string, artifacts: readonly Artifact[], name: string) {
  const artifact = artifacts.find(found => found.name === name)
  if (artifact === undefined) throw new Error(`there is no artifact ${name}`)
  const { columns } = decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact)))
  return Object.fromEntries(columns.map(column => [column.name, [...column.values]]))
}

const reportOf = (home: string, artifacts: readonly Artifact[]) => {
  const artifact = artifacts.find(({ name }) => name === 'report.html')
  return artifact === undefined ? '' : readFileSync(artifactPath(home, operationId, 1, artifact), 'utf8')
}

describe.each(Object.entries(models))('a backtest with a %s model', (_name, trained) => {
  test('gives the same bytes twice, and its signals stand beside what the model answered', async () => {
    const { home, model } = await homeWith(trained)
    const first = await backtest(home, { model, start: '2014-01-01' })
    expect(await backtest(home, { model, start: '2014-01-01' })).toEqual(first)
    const { result, artifacts } = first
    expect(result).toMatchObject({
      strategy_name: trained.strategy_name,
      symbols: ['AAPL'],
      timeframe: '1d',
      model: { model_id: model, trained: { from: '2013-05-13T00:00:00.000Z' } },
    })
    expect(artifacts.map(({ file }) => file)).toEqual([
      'trades.arrow',
      'orders.arrow',
      'equity.arrow',
      'drawdowns.arrow',
      'signals.arrow',
      'report.html',
      'strategy.yaml',
    ])
    const served = servedOf(trained)
    const { bar, outputs } = loadModel(served).predict({ symbol: 'AAPL', bars: { '1d': days, '1w': weeks } })
    const signals = tableOf(home, artifacts, 'signals')
    const names =
      served.output.kind === 'regression'
        ? ['value']
        : ['probability_buy', 'probability_hold', 'probability_sell']
    expect(Object.keys(signals).slice(-names.length)).toEqual(names)
    const row = (at: number) => signals.time?.indexOf(days.time[bar[at] ?? 0] ?? 0) ?? -1
    for (let at = 300; at < bar.length; at += 97)
      expect(names.map(name => signals[name]?.[row(at)])).toEqual([
        ...outputs.subarray(at * names.length, (at + 1) * names.length),
      ])
  })
})

test('entries are as far apart as the strategy says, at the open after a buy, and a sell closes at once', async () => {
  const { home, model } = await homeWith(models.weekly)
  const { result, artifacts } = await backtest(home, { model, commission_rate: 0 })
  const trades = tableOf(home, artifacts, 'trades')
  const signals = tableOf(home, artifacts, 'signals')
  const bars = (trades.entry_time ?? []).map(time => days.time.indexOf(Number(time)))
  expect(bars.length).toBeGreaterThan(10)
  const { decisions } = servedOf(models.weekly)
  const gaps = bars.slice(1).map((bar, i) => bar - (bars[i] ?? 0))
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(decisions.filters.min_signal_separation)
  for (const [i, bar] of bars.entries()) {
    const entered = trades.side?.[i] === 'long' ? signals.enter_long : signals.enter_short
    expect([i, entered?.[bar - 1], trades.entry_price?.[i]]).toEqual([i, true, days.open[bar]])
    const exit = days.time.indexOf(Number(trades.exit_time?.[i]))
    const left = trades.side?.[i] === 'long' ? signals.exit_long : signals.exit_short
    if (exit >= 0)
      expect([i, left?.slice(bar, exit - 1).includes(true), left?.[exit - 1]]).toEqual([i, false, true])
  }
  expect(result.splits.side.short.trades).toBeGreaterThan(0)
})

/** The artifact `signals` of a backtest, read before the next one takes its place. */
async function signalsOf(home: string, params: object) {
  const { artifacts } = await backtest(home, params)
  return tableOf(home, artifacts, 'signals')
}

test('earlier bars warm the model up: from a later start it decides the same', async () => {
  const { home, model } = await homeWith(models.lstm)
  const all = await signalsOf(home, { model })
  const part = await signalsOf(home, { model, start: '2016-01-04' })
  const rows = days.time.filter(time => time >= Date.UTC(2016, 0, 4)).length
  expect([part.time?.length, all.time?.length]).toEqual([rows, days.length])
  for (const name of ['probability_buy', 'enter_long', 'exit_long']) {
    expect(part[name]).toEqual(all[name]?.slice(-rows))
    expect(part[name]).not.toContain(Number.NaN)
  }
})

test('several symbols are answered for each on its own bars and share one account', async () => {
  const raised = days.close.map((close, i) => close * (1 + (i % 7) / 100))
  const other = { ...days, close: raised, high: days.high.map((high, i) => Math.max(high, raised[i] ?? 0)) }
  const shorter = truncateBars(other, 1_000)
  const bars = { '1d': shorter, '1w': weeksOf(shorter) }
  const { home, model } = await homeWith(models.weekly, [
    ...apple,
    ['MSFT', '1d', bars['1d']],
    ['MSFT', '1w', bars['1w']],
  ])
  const alone = await signalsOf(home, { model, symbol: 'AAPL' })
  const both = await signalsOf(home, { model, symbols: ['MSFT', 'AAPL'] })
  expect(new Set(both.symbol)).toEqual(new Set(['MSFT', 'AAPL']))
  for (const name of ['probability_buy', 'enter_long', 'enter_short'])
    expect(both[name]?.slice(1_000)).toEqual(alone[name])
  const { bar, outputs } = loadModel(servedOf(models.weekly)).predict({ symbol: 'MSFT', bars })
  const expected = Array.from(bar, (_, row) => outputs[3 * row])
  expect(both.probability_buy?.slice(0, 1_000).filter(value => !Number.isNaN(value))).toEqual(expected)
  expect(expected).not.toEqual(alone.probability_buy?.slice(0, 1_000).filter(value => !Number.isNaN(value)))
})

describe('bars that the model has seen', () => {
  const day = (at: number) => days.time[at] ?? 0
  const close = (at: number) => days.close_time[at] ?? 0
  const trained: TrainedModel = {
    ...models.daily,
    ranges: {
      train: { from: close(100), to: close(500) },
      validation: { from: close(510), to: close(700) },
      test: { from: close(710), to: close(1_000) },
    },
  }
  const date = (at: number) => new Date(day(at)).toISOString().slice(0, 10)
  const was = /The model was (trained on|chosen by its results on) part of this range, (\S+)T\S+ to (\S+)T/g
  const overlaps = async (range: object) => {
    const { home, model } = await homeWith(trained)
    const { artifacts } = await backtest(home, { model, ...range })
    return [...reportOf(home, artifacts).matchAll(was)].map(([, what, from, to]) => `${what} ${from} ${to}`)
  }
  const closed = (at: number) => new Date(close(at)).toISOString().slice(0, 10)

  test.each<[string, object, string[]]>([
    [
      'all',
      {},
      [`trained on ${closed(100)} ${closed(500)}`, `chosen by its results on ${closed(510)} ${closed(700)}`],
    ],
    [
      'a part of both',
      { start: date(490), end: date(520) },
      [`trained on ${date(490)} ${closed(500)}`, `chosen by its results on ${closed(510)} ${closed(519)}`],
    ],
    ['the test part', { start: date(720), end: date(900) }, []],
    ['what came after', { start: date(1_010) }, []],
  ])('are told of where the range holds %s', async (_what, range, expected) => {
    expect(await overlaps(range)).toEqual(expected)
  })

  test('are told of when they are those of other symbols, and when they came later', async () => {
    const { home, model } = await homeWith(trained, [...apple, ['MSFT', '1d', days]])
    const warningsOf = async (params: object) =>
      (await prepare(home, 'backtesting', backtestingParams({ model, ...params }))).warnings
    expect(await warningsOf({ symbol: 'MSFT' })).toEqual([
      expect.stringMatching(/was trained on AAPL up to .* other symbols are not unseen/),
    ])
    expect(await warningsOf({ symbol: 'MSFT', start: date(600) })).toEqual([])
    expect(await warningsOf({ end: date(90) })).toEqual([
      expect.stringMatching(/was trained on later bars, from 2013-10-04/),
    ])
    expect(await warningsOf({})).toEqual([])
    expect(await warningsOf({ adjustment: 'split' })).toEqual([
      expect.stringMatching(/trained on bars with adjustment none/),
    ])
  })
})

describe('what is accepted', () => {
  test('names the model, its strategy and every dataset it reads, and is accepted again as it is', async () => {
    const { home, model } = await homeWith(models.weekly, [
      ...apple,
      ['MSFT', '1d', days],
      ['MSFT', '1w', weeks],
    ])
    const params = backtestingParams({ model, symbols: ['MSFT', 'AAPL'] })
    const accepted = await prepare(home, 'backtesting', params)
    expect(accepted.params).toMatchObject({
      ...{ model, symbols: ['MSFT', 'AAPL'], timeframe: '1d', sizing: { mode: 'all_in' } },
      ...{ start: '2013-05-13T00:00:00.000Z', end: '2018-05-12T00:00:00.000Z' },
    })
    expect(await prepare(home, 'backtesting', accepted.params)).toEqual(accepted)
    const { bars, strategies } = makeRooms(home)
    const pins = [
      ['MSFT', '1d'],
      ['AAPL', '1d'],
      ['MSFT', '1w'],
      ['AAPL', '1w'],
    ] as const
    const sha256s = await Promise.all(
      pins.map(async ([symbol, timeframe]) => (await bars.manifest(symbol, timeframe))?.sha256),
    )
    expect(accepted.dataset_sha256).toEqual(sha256s)
    expect(strategies.readSnapshot(accepted.strategy_sha256 ?? '')).toBe(weekly)
    expect(parseStrategy(weekly).strategy.kind).toBe('model')
  })

  test.each<[string, object, RegExp, string[]]>([
    [
      'a strategy beside it',
      { strategy: 'sma_cross' },
      /either a model or a strategy/,
      ['strategy', 'model'],
    ],
    ['a text beside it', { strategy_yaml: 'x' }, /either a model or a strategy/, ['strategy_yaml', 'model']],
    ['another timeframe', { timeframe: '1h' }, /answers on bars of 1d, not of 1h/, ['timeframe']],
    [
      'a size by a stop it has not',
      { sizing: { mode: 'risk', risk_percent: 1 } },
      /needs a stop/,
      ['sizing/mode'],
    ],
    [
      'compatibility that knows no separation',
      { slippage_bps: 0, engine: { compat: 'backtesting_py' } },
      /min_signal_separation/,
      ['model'],
    ],
    ['symbol and symbols', { symbol: 'AAPL', symbols: ['AAPL'] }, /not both/, ['symbol', 'symbols']],
  ])('is no model with %s', async (_what, params, message, fields) => {
    const { home, model } = await homeWith(models.daily)
    const refused = prepare(home, 'backtesting', backtestingParams({ model, ...params }))
    await expect(refused).rejects.toMatchObject({
      code: 'params-invalid',
      message: expect.stringMatching(message),
      errors: fields.map(field => expect.objectContaining({ pointer: `/body/params/${field}` })),
    })
  })

  test('is no model of regimes, none that is not there, and none without its bars', async () => {
    const regimes = { ...models.daily, classes: ['trending_up', 'ranging', 'volatile'] }
    const { home, model } = await homeWith(regimes)
    const ask = (params: object) => prepare(home, 'backtesting', backtestingParams(params))
    await expect(ask({ model })).rejects.toMatchObject({
      code: 'params-invalid',
      message: expect.stringMatching(/makes no trades/),
    })
    await expect(ask({ model: `mdl_${'0'.repeat(26)}` })).rejects.toMatchObject({ code: 'model-not-found' })
    const alone = await homeWith(models.weekly, apple.slice(0, 1))
    await expect(
      prepare(alone.home, 'backtesting', backtestingParams({ model: alone.model })),
    ).rejects.toMatchObject({
      code: 'bars-missing',
      message: 'no bars of AAPL 1w are stored',
    })
  })

  test('is no strategy that has yet to be trained: the hint says how', async () => {
    const { home } = await homeWith(models.daily)
    await expect(
      prepare(home, 'backtesting', backtestingParams({ strategy: 'lstm_trend' })),
    ).rejects.toMatchObject({
      code: 'strategy-invalid',
      hint: expect.stringMatching(
        /"type":"training","params":\{"strategy":"lstm_trend"\}.*models\?strategy=lstm_trend/,
      ),
      errors: [expect.objectContaining({ pointer: '/body/params/model' })],
    })
  })

  test('a model that is deleted before it runs fails the run', async () => {
    const { home, model } = await homeWith(models.daily)
    const prepared = await prepare(home, 'backtesting', backtestingParams({ model }))
    await makeRooms(home).models.remove(model, [])
    expect(await runWorker(home, 'backtesting', {}, { prepared })).toMatchObject({
      kind: 'failed',
      problem: { code: 'model-not-found' },
    })
  })
})
