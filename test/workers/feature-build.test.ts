import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { createLayout } from '../../src/archive/layout.ts'
import { decodeTable, type Table } from '../../src/archive/tables.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import { type FeatureBuildResult, featureBuildSpec } from '../../src/operations/feature-build.ts'
import type { Artifact, Params } from '../../src/operations/operation.ts'
import { stop } from '../../src/operations/protocol.ts'
import { Problem } from '../../src/problems.ts'
import { walkOf } from '../fixtures/walks.ts'
import { startProgram, stopPrograms } from '../support/program.ts'
import { makeRooms } from '../support/rooms.ts'
import { completed, operationId, runWorker } from '../support/worker.ts'

afterAll(stopPrograms)

const yaml = `name: zones
training_data:
  symbols: { mode: multi_symbol, list: [BBB, AAA] }
  timeframes: { mode: multi_timeframe, list: [1d, 1w], base_timeframe: 1d }
indicators:
  rsi_5: { type: rsi, period: 5 }
  change: { type: roc, period: 3 }
fuzzy_sets:
  zone:
    indicator: rsi_5
    low: { type: left_shoulder, parameters: [30, 60] }
    high: { type: right_shoulder, parameters: [40, 70] }
nn_inputs:
  - { fuzzy_set: zone, timeframes: all }
  - { raw_indicator: change, timeframes: [1d], normalization: zscore }
model: { type: mlp, architecture: { hidden_layers: [4] } }
decisions: { output_format: classification }
training:
  labels: { source: zigzag }
`
const fit = { start: '2024-02-01', end: '2024-05-01' }

/** Random walks as AAA and BBB, daily and weekly, in a data folder of their own. */
async function makeHome() {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-features-'))
  createLayout(home)
  const rooms = makeRooms(home)
  const calendar = new Calendars().get('24-7')
  for (const [symbol, seed] of [['AAA', 1] as const, ['BBB', 2] as const]) {
    const days = walkOf(seed, 200)
    const weeks = resampleBars(days, { from: '1d', to: '1w', calendar }).bars
    const origin = { source: 'test', now: 0, calendar: '24-7' }
    await rooms.bars.publish(symbol, '1w', weeks, origin)
    await rooms.bars.publish(symbol, '1d', days, origin)
  }
  return { home, rooms }
}

const run = ({ home }: { readonly home: string }, params: Params, stopWord: number = stop.none) =>
  runWorker(home, 'feature_build', { adjustment: 'none', ...params }, { stopWord })

const readTable = (home: string, artifact: Artifact): Table =>
  decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact)))

async function refusal(params: Params): Promise<Problem> {
  const { rooms } = await makeHome()
  const refused = await featureBuildSpec
    .prepare({ adjustment: 'none', ...params }, rooms)
    .catch(error => error)
  if (refused instanceof Problem) return refused
  throw new Error('nothing was refused')
}

test('the table has a row per bar that has every feature, by symbol and time, and says where its columns come from', async () => {
  const folder = await makeHome()
  const { result, artifacts } = completed<FeatureBuildResult>(await run(folder, { strategy_yaml: yaml, fit }))
  const [features, info, strategy] = artifacts
  expect(artifacts.map(({ file }) => file)).toEqual(['features.arrow', 'feature_info.json', 'strategy.yaml'])
  const table = readTable(folder.home, features!)
  expect(table.columns.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    'time time',
    'close_time time',
    'symbol text',
    '1d_zone_low number',
    '1d_zone_high number',
    '1w_zone_low number',
    '1w_zone_high number',
    '1d_change_raw number',
  ])
  expect([table.rows, table.columns.length - 3]).toEqual([result.rows, result.features])
  expect([...new Set<unknown>([...table.columns[2]!.values])]).toEqual(['AAA', 'BBB'])
  // The weekly RSI needs six weeks; the week that ends with a day is known at its close.
  for (const { rows, dropped } of result.symbols) {
    expect(rows + dropped.warm_up + dropped.pre_roll + dropped.incomplete).toBe(200)
    expect(dropped.warm_up).toBe(6 * 7 - 1)
  }
  const described = JSON.parse(readFileSync(artifactPath(folder.home, operationId, 1, info!), 'utf8'))
  expect(described).toMatchObject({
    sha256: result.sha256,
    rows: result.rows,
    features: [{ id: '1d_zone_low', lookback: 5, normaliser: null }, {}, {}, {}, { id: '1d_change_raw' }],
  })
  expect(described.features[4].normaliser).toMatchObject({
    normalization: 'zscore',
    fitted_on: { start: '2024-02-01T00:00:00.000Z', end: '2024-05-01T00:00:00.000Z', values: 180 },
  })
  expect(described.features[4].normaliser.fitted_on).not.toHaveProperty('from')
  expect(readFileSync(artifactPath(folder.home, operationId, 1, strategy!), 'utf8')).toBe(yaml)
})

test('bars before the start warm indicators up and are no rows', async () => {
  const folder = await makeHome()
  const { result } = completed<FeatureBuildResult>(
    await run(folder, { strategy_yaml: yaml, fit, start: '2024-04-01', end: '2024-05-01', symbols: ['AAA'] }),
  )
  expect(result).toMatchObject({
    rows: 30,
    symbols: [
      {
        symbol: 'AAA',
        first_time: '2024-04-01T00:00:00.000Z',
        last_time: '2024-04-30T00:00:00.000Z',
        dropped: { pre_roll: 91, warm_up: 0, incomplete: 0 },
      },
    ],
  })
})

test('preparing pins every dataset, symbol by symbol, and preparing again gives the same', async () => {
  const { rooms } = await makeHome()
  const first = await featureBuildSpec.prepare({ adjustment: 'none', strategy_yaml: yaml, fit }, rooms)
  expect(first.params).toMatchObject({
    symbols: ['BBB', 'AAA'],
    timeframes: ['1d', '1w'],
    start: '2024-01-01T00:00:00.000Z',
    end: '2024-07-19T00:00:00.000Z',
  })
  const names = [
    ['BBB', '1d'] as const,
    ['BBB', '1w'] as const,
    ['AAA', '1d'] as const,
    ['AAA', '1w'] as const,
  ]
  const manifests = await Promise.all(
    names.map(([symbol, timeframe]) => rooms.bars.manifest(symbol, timeframe)),
  )
  expect(first.dataset_sha256).toEqual(manifests.map(manifest => manifest?.sha256))
  expect(await featureBuildSpec.prepare(first.params, rooms)).toEqual(first)
})

test('one of several symbols may have no bars in the range: that is remarked on', async () => {
  const { rooms } = await makeHome()
  const late = walkOf(3, 400)
  await rooms.bars.publish('BBB', '1d', late, { source: 'test', now: 0, calendar: '24-7' })
  const params = { adjustment: 'none', strategy_yaml: yaml, fit, start: '2024-08-01' }
  const { warnings } = await featureBuildSpec.prepare(params, rooms)
  expect(warnings).toEqual(['AAA 1d has no bars in the requested range: it gives no rows'])
  const day = { ...params, start: '2024-03-01', end: '2024-03-02' }
  expect((await featureBuildSpec.prepare(day, rooms)).warnings).toEqual([])
})

test('an operation that is to stop stops, and leaves no artifact', async () => {
  const outcome = await run(await makeHome(), { strategy_yaml: yaml, fit }, stop.cancel)
  expect(outcome).toEqual({ kind: 'cancelled', mode: 'cooperative' })
})

describe('refused are, before anything is computed,', () => {
  test('a normalised input without a range to fit on, and a range that is none', async () => {
    expect(await refusal({ strategy_yaml: yaml })).toMatchObject({
      code: 'params-invalid',
      errors: [{ pointer: '/body/params/fit', code: 'required' }],
    })
    const backwards = { start: fit.end, end: fit.start }
    expect((await refusal({ strategy_yaml: yaml, fit: backwards })).errors[0]?.pointer).toBe(
      '/body/params/fit/start',
    )
  })

  test('bars that are not stored, by symbol and timeframe', async () => {
    expect(await refusal({ strategy_yaml: yaml, fit, symbols: ['AAA', 'CCC'] })).toMatchObject({
      code: 'bars-missing',
      message: 'no bars of CCC 1d are stored',
      errors: [{ pointer: '/body/params/symbols/1', code: 'unknown' }],
    })
    // Named by the strategy, not by the request.
    expect(await refusal({ strategy_yaml: yaml.replace('BBB', 'CCC'), fit })).toMatchObject({
      errors: [{ pointer: '/body/params/strategy_yaml', code: 'unknown' }],
    })
  })

  test('a range without bars, to build or to fit on, with the range that is stored', async () => {
    const before = { start: '2020-01-01', end: '2021-01-01' }
    expect(await refusal({ strategy_yaml: yaml, fit, ...before })).toMatchObject({
      code: 'bars-missing',
      message: 'BBB 1d has no bars in the requested range',
      hint: expect.stringContaining('AAA from 2024-01-01T00:00:00.000Z to 2024-07-18T00:00:00.000Z'),
    })
    // Between two bars of one segment.
    const between = { start: '2024-03-01T01:00:00Z', end: '2024-03-01T23:00:00Z' }
    expect((await refusal({ strategy_yaml: yaml, fit, ...between })).code).toBe('bars-missing')
    expect(await refusal({ strategy_yaml: yaml, fit: before })).toMatchObject({
      code: 'bars-missing',
      message: 'BBB 1d has no bars in the range to fit on',
      errors: [{ pointer: '/body/params/fit' }],
    })
  })

  test('a timeframe that an input names and the request leaves out', async () => {
    const named = yaml.replace('timeframes: [1d], norm', 'timeframes: [1w], norm')
    expect(await refusal({ strategy_yaml: named, fit, timeframes: ['1d'] })).toMatchObject({
      errors: [{ pointer: '/body/params/timeframes', code: 'unknown_reference' }],
    })
  })

  test('a strategy that decides by rules, none at all, and two', async () => {
    expect((await refusal({ strategy: 'sma_cross' })).message).toMatch(/has no features/)
    expect((await refusal({})).errors.map(({ code }) => code)).toEqual(['required', 'required'])
    expect((await refusal({ strategy: 'sma_cross', strategy_yaml: yaml })).message).toMatch(/not both/)
    expect((await refusal({ strategy: 'no_such' })).code).toBe('strategy-not-found')
  })
})

/** Of the canonical bytes of the matrix of AAPL, daily, normalisers fitted on 2014 to 2016. */
const shipped = {
  fuzzy_and_raw: '8df500b5bdef55f0f9f49d802e5356c3f63c8b88f1e97f93f02b7938c5db03f4',
  fuzzy_reversion: '7c4f44c845cd97634a7e6646ea0dcf942ea1003b04ce664d0d05ab991198c85f',
  lstm_trend: '0d94054c1173ec87a4e691540d629a2842fb4ee80aa9e94d5333f0d5b5c0f8b0',
  multi_symbol: 'd30123f9f989a012e70fea26ed8b94e8d4a2993afb72492892f257c088cf3e00',
  quantile_zones: '9594b1f97e61f0f3b06c7e807b11247056522043cedbfd8f698959aa8b9748af',
  return_regression: '2fca5a583f4a892060dcbcc57e4fd2a92f708077a3b41c5403b4e99ec5cfb7d8',
}

test.each(['1', '4'])(
  'shipped strategies give the stored bytes on AAPL, with %s thread(s)',
  async threads => {
    const program = await startProgram({ KTRDR_THREADS: threads })
    const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
    await program.end((await program.submit('data_download', sample)).operation_id)
    const params = { symbols: ['AAPL'], fit: { start: '2014-01-01', end: '2017-01-01' } }
    const started = await Promise.all(
      Object.keys(shipped).map(strategy => program.submit('feature_build', { ...params, strategy })),
    )
    const ended = await Promise.all(started.map(({ operation_id: id }) => program.end(id)))
    const hashes = ended.map(({ result, params }) => [
      (params as Params).strategy,
      (result as FeatureBuildResult).sha256,
    ])
    expect(Object.fromEntries(hashes)).toEqual(shipped)
  },
)
