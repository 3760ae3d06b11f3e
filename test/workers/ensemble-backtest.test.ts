import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { publishModel } from '../../src/archive/models.ts'
import { decodeTable } from '../../src/archive/tables.ts'
import type { BacktestingResult } from '../../src/operations/backtesting.ts'
import { signalsOf } from '../../src/training/model-signals.ts'
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
/** With quantile sets. */
const fitted = exampleText('quantile_zones').replace(
  'confidence_threshold: 0.45',
  'confidence_threshold: 0.3',
)
const ofRegimes = `${daily.slice(0, daily.indexOf('decisions:'))}
decisions:
  output_format: classification

training:
  epochs: 5
  labels: { source: regime }
`
const trained: Readonly<Record<'gate' | 'day' | 'week', TrainedModel>> = {
  gate: untrainedModel('fuzzy_and_raw', 3, ofRegimes),
  day: untrainedModel('fuzzy_and_raw', 6, daily),
  week: untrainedModel('fuzzy_and_raw', 8, weekly),
}
type Key = keyof typeof trained

async function makeEnsemble(timeframes: readonly string[] = ['1d', '1w'], bundles = trained) {
  const home = makeHome()
  const { bars } = makeRooms(home)
  for (const timeframe of timeframes) {
    const stored = timeframe === '1d' ? days : weeks
    await bars.publish('AAPL', timeframe, stored, { source: 'sample', now: 0, calendar: 'XNYS' })
  }
  const publish = (key: Key) => ({
    model: publishModel(home, bundles[key], { now: 0, operationId: null }).model_id,
  })
  const models = { gate: publish('gate'), day: publish('day'), week: publish('week') }
  const regimes = ['trending_up', 'trending_down', 'ranging', 'volatile']
  const rules = Object.fromEntries(
    regimes.map((regime, i) => [regime, i % 2 === 0 ? { model: 'day' } : { model: 'week' }]),
  )
  const composition = { gate_model: 'gate', regime_threshold: 0, stability_bars: 1, rules }
  return { home, ensemble: { name: 'by_regime', models, composition } }
}

const answersOf = (key: Key) => {
  const served = servedOf(trained[key])
  return signalsOf(loadModel(served).predict({ symbol: 'AAPL', bars: { '1d': days, '1w': weeks } }), served)
}

test('an ensemble trades what the member of the regime decides, twice the same to the byte', async () => {
  const { home, ensemble } = await makeEnsemble()
  const composition = { ...ensemble.composition, on_regime_transition: 'let_run' }
  const params = backtestingParams({ ensemble: { ...ensemble, composition } })
  const first = completed<BacktestingResult>(await runWorker(home, 'backtesting', params))
  expect(completed(await runWorker(home, 'backtesting', params))).toEqual(first)
  expect(first.result).toMatchObject({
    strategy_name: 'by_regime',
    symbols: ['AAPL'],
    timeframe: '1d',
    bars: days.length,
  })
  const artifact = first.artifacts.find(({ name }) => name === 'signals')
  if (artifact === undefined) throw new Error('there are no signals')
  const { columns } = decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact)))
  const column = (name: string) => [...(columns.find(found => found.name === name)?.values ?? [])]
  const [gate, day, week] = [answersOf('gate'), answersOf('day'), answersOf('week')]
  expect(column('gate.probability_ranging')).toEqual([...(gate.outputs[2]?.values ?? [])])
  expect(column('week.probability_sell')).toEqual([...(week.outputs[2]?.values ?? [])])
  const regime = column('regime').map(Number)
  const most = gate.outputs[0]?.values.map((_, i) => {
    const said = gate.outputs.map(({ values }) => values[i] ?? Number.NaN)
    return said.indexOf(Math.max(...said))
  })
  regime.forEach((index, i) => {
    if (!Number.isNaN(index)) expect([i, index]).toEqual([i, most?.[i]])
  })
  expect(new Set(regime.filter(index => !Number.isNaN(index))).size).toBeGreaterThan(1)
  for (const name of ['enter_long', 'exit_long', 'enter_short', 'exit_short'] as const)
    expect(column(name)).toEqual(
      regime.map((index, i) => !Number.isNaN(index) && (index % 2 === 0 ? day : week)[name][i] === 1),
    )
})

describe('every model waits for the history that its strategy asks for', () => {
  const waiting = (yaml: string, bars: number) =>
    yaml.replace(/timeframes: (\{ mode: .* \})\n/, `timeframes: $1\n  history_required: ${bars}\n`)
  const signalsWith = async (history: Readonly<Record<Key, number>>) => {
    const waits: Readonly<Record<Key, TrainedModel>> = {
      gate: untrainedModel('fuzzy_and_raw', 3, waiting(ofRegimes, history.gate)),
      day: untrainedModel('quantile_zones', 2, waiting(fitted, history.day)),
      week: untrainedModel('fuzzy_and_raw', 8, waiting(weekly, history.week)),
    }
    const { home, ensemble } = await makeEnsemble(['1d', '1w'], waits)
    const composition = { ...ensemble.composition, on_regime_transition: 'let_run' }
    const params = backtestingParams({ ensemble: { ...ensemble, composition } })
    const { artifacts } = completed<BacktestingResult>(await runWorker(home, 'backtesting', params))
    const artifact = artifacts.find(({ name }) => name === 'signals')
    if (artifact === undefined) throw new Error('there are no signals')
    const { columns } = decodeTable(readFileSync(artifactPath(home, operationId, 1, artifact)))
    const column = (name: string) => [...(columns.find(found => found.name === name)?.values ?? [])]
    const regime = column('regime').map(Number)
    const decides = column('enter_long').map((_, i) =>
      ['enter_long', 'exit_long', 'enter_short', 'exit_short'].some(name => column(name)[i] === true),
    )
    return { regime, decides }
  }

  test('members of different lengths decide from different bars on', async () => {
    const free = await signalsWith({ gate: 0, day: 0, week: 0 })
    const { regime, decides } = await signalsWith({ gate: 0, day: 700, week: 300 })
    expect(regime).toEqual(free.regime)
    // Even regimes are decided by the day model, odd ones by the week model.
    const starts = regime.map(index => (index % 2 === 0 ? 700 : 300))
    expect(decides).toEqual(free.decides.map((was, i) => was && i >= (starts[i] ?? 0)))
    for (const [first, last] of [
      [300, 700],
      [700, 1_200],
    ] as const)
      expect(decides.slice(first, last)).toContain(true)
    expect(free.decides.slice(0, 300)).toContain(true)
    const heldBack = free.decides.filter((was, i) => was && i >= 300 && i < 700 && decides[i] === false)
    expect(heldBack.length).toBeGreaterThan(0)
  })

  test('before the gate may speak there is no regime, and nobody decides', async () => {
    const free = await signalsWith({ gate: 0, day: 0, week: 0 })
    const { regime, decides } = await signalsWith({ gate: 500, day: 0, week: 0 })
    expect(regime.slice(0, 500).every(Number.isNaN)).toBe(true)
    expect(regime.slice(500)).toEqual(free.regime.slice(500))
    expect(decides).toEqual(free.decides.map((was, i) => was && i >= 500))
  })
})

test('what is accepted has every default, the datasets of all models, and is accepted again as it is', async () => {
  const { home, ensemble } = await makeEnsemble()
  const accepted = await prepare(home, 'backtesting', backtestingParams({ ensemble }))
  const composition = {
    type: 'regime_route',
    min_signal_separation: 4,
    on_regime_transition: 'close_and_switch',
  }
  expect(accepted.params).toMatchObject({ ensemble: { composition }, symbols: ['AAPL'], timeframe: '1d' })
  expect(await prepare(home, 'backtesting', accepted.params)).toEqual(accepted)
  const { bars, strategies } = makeRooms(home)
  const sha256s = await Promise.all(
    (['1d', '1w'] as const).map(async timeframe => (await bars.manifest('AAPL', timeframe))?.sha256),
  )
  expect(accepted.dataset_sha256).toEqual(sha256s)
  const snapshot: unknown = JSON.parse(strategies.readSnapshot(accepted.strategy_sha256 ?? '') ?? '')
  expect(snapshot).toEqual(accepted.params.ensemble)
})

test('what does not go together is refused', async () => {
  const { home, ensemble } = await makeEnsemble()
  const { composition, models } = ensemble
  const faultsOf = async (params: object) => {
    const refused = await prepare(home, 'backtesting', backtestingParams(params)).then(
      () => null,
      error => error,
    )
    return [
      refused?.code,
      ...(refused?.errors ?? []).map(({ pointer }: { pointer: string }) =>
        pointer.replace('/body/params/', ''),
      ),
    ]
  }
  const changed = (more: object) =>
    faultsOf({ ensemble: { ...ensemble, composition: { ...composition, ...more } } })
  const of = (field: string) => ['params-invalid', `ensemble/composition/${field}`]
  expect(await changed({ gate_model: 'none' })).toEqual(of('gate_model'))
  expect(await changed({ gate_model: 'day' })).toEqual(of('gate_model'))
  expect(await changed({ rules: { ranging: { model: 'none' } } })).toEqual(of('rules/ranging/model'))
  expect(await changed({ rules: { ranging: { model: 'gate' } } })).toEqual(of('rules/ranging/model'))
  expect(await faultsOf({ ensemble, model: models.day.model })).toEqual([
    'params-invalid',
    'model',
    'ensemble',
  ])
  expect(await faultsOf({ ensemble, timeframe: '1h' })).toEqual(['params-invalid', 'timeframe'])
  const lost = { ...ensemble, models: { ...models, day: { model: `mdl_${'0'.repeat(26)}` } } }
  expect(await faultsOf({ ensemble: lost })).toEqual(['model-not-found'])
  const short = await makeEnsemble(['1d'])
  const asked = prepare(short.home, 'backtesting', backtestingParams({ ensemble: short.ensemble }))
  await expect(asked).rejects.toMatchObject({
    code: 'bars-missing',
    errors: [{ pointer: '/body/params/ensemble' }],
  })
  const idle = {
    ...ensemble,
    composition: { ...composition, rules: { ranging: { model: 'day' }, volatile: { action: 'flat' } } },
  }
  const { warnings } = await prepare(home, 'backtesting', backtestingParams({ ensemble: idle }))
  expect(warnings).toContain("The model 'week' of the ensemble is not used.")
})
