import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { components } from '../../src/openapi.gen.ts'
import { type Operation, type Program, startProgram, stopPrograms } from '../support/program.ts'

type SweepResult = components['schemas']['SweepResult']

let program: Program
beforeAll(async () => {
  program = await startProgram()
  await download(program)
})
afterAll(stopPrograms)

async function download(server: Program): Promise<void> {
  const params = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  const { operation_id: id } = await server.submit('data_download', params)
  expect((await server.end(id)).status).toBe('completed')
}

const space = [
  { path: 'indicators.fast.period', min: 5, max: 30, step: 5 },
  { path: 'indicators.slow.period', values: [20, 30, 50, 80] },
]
const grid = {
  backtest: { strategy: 'sma_cross' },
  space,
  constraints: ['indicators.fast.period < indicators.slow.period'],
  minimum_trades: 3,
  top_k: 5,
}
/** Enough trials to be stopped while it runs. */
const large = {
  ...grid,
  space: [
    { path: 'indicators.fast.period', min: 2, max: 100, integer: true },
    { path: 'indicators.slow.period', min: 20, max: 300, integer: true, scale: 'log' },
  ],
  method: 'random',
  trials: 800,
}

async function finish(server: Program, params: object): Promise<Operation> {
  const { operation_id: id } = await server.submit('sweep', params)
  return server.end(id)
}

/** Everything that a sweep leaves, without what names the operation. */
async function leftBy(server: Program, operation: Operation): Promise<object> {
  expect(operation).toMatchObject({ status: 'completed', problem: null })
  const { body } = await server.get<{ items: { name: string; sha256: string }[] }>(
    `/api/v1/operations/${operation.operation_id}/artifacts`,
  )
  const files = body.items.map(({ name, sha256 }) => [name, sha256])
  expect(files.map(([name]) => name)).toEqual(['trials', 'curves', 'heatmaps', 'winner.yaml'])
  return { result: operation.result, files }
}

test('a grid finds the best values, says what they are worth, and writes them into the strategy', async () => {
  const done = await finish(program, grid)
  const result = done.result as SweepResult
  expect(result.trials).toEqual({ run: 20, invalid: 0, without_score: 0, excluded: 4 })
  expect(result.top).toHaveLength(5)
  expect(result.top[0]?.index).toBe(result.winner?.index)
  const inside = result.top.map(trial => trial.in_sample ?? Number.NaN)
  expect(inside).toEqual([...inside].sort((a, b) => b - a))
  expect(result.overfitting).toMatchObject({ blocks: 16, splits: 12_870, trials: 20 })
  expect(result.deflated_sharpe?.trials).toBe(20)
  expect(result.neighbourhood?.trials).toBeGreaterThanOrEqual(2)
  const path = `/api/v1/operations/${done.operation_id}/artifacts`
  const table = await program.get<{ rows: unknown[][] } | unknown[]>(`${path}/trials`)
  expect(table.status).toBe(200)
  const { text } = await program.get(`${path}/winner.yaml`)
  expect(text).toContain('Trend following, the smallest useful example')
  expect(text).toContain(`period: ${result.winner?.values['indicators.fast.period']} }`)
  for (const sample of ['in_sample', 'out_of_sample'] as const) {
    const range = result[sample]
    const params = { strategy_yaml: text, start: range?.start, end: range?.end }
    const { operation_id: id } = await program.submit('backtesting', params)
    const metrics = ((await program.end(id)).result as { metrics: object }).metrics
    // Trials leave out the confidence interval of the Sharpe ratio: it takes a thousand resamples.
    const expected = { ...metrics, sharpe_ci_low: null, sharpe_ci_high: null }
    expect(result.winner?.[sample]).toEqual(expected)
  }
})

describe('the same bytes', () => {
  let single: Program
  beforeAll(async () => {
    single = await startProgram({ KTRDR_THREADS: '1' })
    await download(single)
  })

  test.each([
    ['grid', grid],
    ['latin_hypercube', { ...large, method: 'latin_hypercube', trials: 60 }],
    ['tpe', { ...large, method: 'tpe', trials: 60 }],
  ])('on one thread and on two: %s', async (_name, params) => {
    const onOne = await leftBy(single, await finish(single, params))
    expect(await leftBy(program, await finish(program, params))).toEqual(onOne)
  })
})

test('a sweep of ten thousand trials that is cancelled leaves nothing running', async () => {
  const { operation_id: id } = await program.submit('sweep', { ...large, trials: 10_000 })
  await program.until(id, ({ children }) => (children?.completed ?? 0) >= 1)
  await program.cancel(id)
  expect((await program.end(id)).status).toBe('cancelled')
  const { body } = await program.get<{ by_status: Record<string, number> }>('/api/v1/operations/counts')
  expect([body.by_status.pending, body.by_status.running, body.by_status.cancelling]).toEqual([0, 0, 0])
})

test('a search in which nothing trades has no winner and says so', async () => {
  const done = await finish(program, { ...grid, minimum_trades: 10_000 })
  expect(done.result).toMatchObject({ winner: null, top: [], deflated_sharpe: null, neighbourhood: null })
  const { warnings } = done.result as SweepResult
  expect(warnings.join()).toContain('No trial has a score')
  expect(warnings.join()).not.toMatch(/noise|deflated/i)
})

test('a hypercube that the constraints leave hardly anything of says so when it is accepted, and ends', async () => {
  const whole = { min: 2, max: 500, integer: true }
  const accepted = await program.submit('sweep', {
    ...grid,
    space: ['fast', 'slow'].map(name => ({ path: `indicators.${name}.period`, ...whole })),
    method: 'latin_hypercube',
    trials: 400,
    constraints: ['indicators.fast.period < 4'],
  })
  const found = accepted.warnings.find(text => text.includes('of 400 trials that were asked for'))
  expect(found).toContain('indicators.fast.period < 4')
  const done = await program.end(accepted.operation_id)
  const { run, invalid } = (done.result as SweepResult).trials
  expect(found).toContain(`Only ${run + invalid} of 400`)
  expect(done.steps).toMatchObject({ total: 3 })
})

test('sizes and rules can be varied, and values that do not go together are counted', async () => {
  const done = await finish(program, {
    backtest: { strategy: 'macd_momentum', end: '2016-01-01' },
    space: [
      { path: 'indicators.macd.fast_period', values: [12, 30] },
      { path: 'decisions.rules.sizing.fraction', values: [0.25, 0.5] },
    ],
    objective: 'total_return_fraction',
    minimum_trades: 0,
    out_of_sample_fraction: 0,
  })
  const result = done.result as SweepResult
  expect(result.trials).toMatchObject({ run: 2, invalid: 2 })
  expect(result.out_of_sample).toBeNull()
  const [one, other] = result.top.map(trial => trial.in_sample)
  expect(one).not.toBe(other)
})

describe('what is refused, all at once and by its place', () => {
  test.each<[object, string]>([
    [{ ...grid, backtest: { strategy: 'nosuch' } }, '/body/params/backtest/strategy'],
    [{ ...grid, backtest: { strategy: 'sma_cross', symbol: 'NOPE' } }, '/body/params/backtest/symbol'],
    [
      { ...grid, backtest: { strategy: 'sma_cross', symbols: ['AAPL', 'NOPE'] } },
      '/body/params/backtest/symbols/1',
    ],
    [{ ...grid, space: [{ path: 'indicators.fast.period' }] }, '/body/params/space/0'],
    [{ ...grid, space: [{ path: 'indicators.fast.size', values: [1] }] }, '/body/params/space/0/path'],
    [{ ...grid, constraints: ['fast < slow'] }, '/body/params/constraints/0'],
    [{ ...large, method: 'grid' }, '/body/params/space'],
    [{ ...large, method: 'tpe', trials: 5_000 }, '/body/params/trials'],
    [
      {
        ...grid,
        backtest: { strategy: 'macd_momentum', sizing: { mode: 'all_in' } },
        space: [{ path: 'decisions.rules.sizing.fraction', values: [0.5] }],
        constraints: [],
      },
      '/body/params/space/0/path',
    ],
  ])('%j', async (params, pointer) => {
    const { status, body } = await program.request<{ errors?: { pointer: string }[] }>(
      'POST',
      '/api/v1/operations',
      { body: { type: 'sweep', params } },
    )
    expect([404, 422]).toContain(status)
    expect(body.errors?.map(error => error.pointer)).toContain(pointer)
  })
})

test.each<[string, object, string]>([
  ['walk_forward', { space, train_days: 700, test_days: 100 }, 'backtest/symbol'],
  ['monte_carlo', {}, 'backtest/symbol'],
  ['lookahead_analysis', { strategy: 'sma_cross', symbol: 'NOPE' }, 'symbol'],
  ['warmup_analysis', { strategy: 'sma_cross', symbols: ['AAPL', 'NOPE'] }, 'symbols/1'],
])('a symbol without bars is told by its field: %s', async (type, given, pointer) => {
  const nested = { ...given, backtest: { strategy: 'sma_cross', symbol: 'NOPE' } }
  const params = pointer.startsWith('backtest') ? nested : given
  const { status, body } = await program.request('POST', '/api/v1/operations', { body: { type, params } })
  expect(status).toBe(422)
  expect(body).toMatchObject({ errors: [{ pointer: `/body/params/${pointer}`, code: 'unknown' }] })
})
