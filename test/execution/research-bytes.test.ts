import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Program, stopPrograms } from '../support/program.ts'
import { complete, leftAfterInterruptions, leftBy, startWithApple } from '../support/research.ts'

let programs: readonly Program[]
beforeAll(async () => {
  programs = await Promise.all(['2', '1', '8'].map(threads => startWithApple({ KTRDR_THREADS: threads })))
})
afterAll(stopPrograms)

const backtest = { strategy: 'sma_cross', spread_bps: 2 }
const search = {
  ...{ backtest, method: 'random', minimum_trades: 1 },
  space: [
    { path: 'indicators.fast.period', min: 2, max: 30, integer: true },
    { path: 'indicators.slow.period', min: 20, max: 90, integer: true, scale: 'log' },
  ],
  constraints: ['indicators.fast.period < indicators.slow.period'],
}
const sweep = { ...search, trials: 200 }
const walk = { ...search, trials: 160, train_days: 300, test_days: 180 }
const simulation = { backtest, trade_simulations: 1_000, bar_simulations: 240 }

test.each<[string, object, string[]]>([
  ['sweep', sweep, ['trials', 'curves', 'heatmaps', 'winner.yaml']],
  ['walk_forward', walk, ['windows', 'trials', 'curves']],
  ['monte_carlo', simulation, ['simulations']],
])(
  '%s leaves the same bytes on one, two and eight threads, and after it was killed with the server, cancelled and resumed',
  async (type, params, artifacts) => {
    const left: object[] = []
    for (const program of programs) left.push(await leftBy(program, await complete(program, type, params)))
    const [straight, ...others] = left
    expect(straight).toMatchObject({ files: artifacts.map(name => [name, expect.any(String)]) })
    for (const other of others) expect(other).toEqual(straight)
    const [two] = programs
    if (two !== undefined) expect(await leftAfterInterruptions(two, type, params)).toEqual(straight)
  },
  180_000,
)

test.each<[string, object, string[]]>([
  ['lookahead_analysis', { strategy: 'sma_cross', cuts: 60, seed: 3 }, ['findings']],
  ['warmup_analysis', { strategy: 'macd_momentum', decisions: 60 }, ['columns', 'lengths']],
])('%s leaves the same bytes on one, two and eight threads', async (type, params, artifacts) => {
  const left: object[] = []
  for (const program of programs) left.push(await leftBy(program, await complete(program, type, params)))
  const [straight, ...others] = left
  expect(straight).toMatchObject({ files: artifacts.map(name => [name, expect.any(String)]) })
  for (const other of others) expect(other).toEqual(straight)
})

test('a walk that was cancelled and is tried again leaves what one that ran through leaves', async () => {
  // On one thread the windows come one after the other: four are left when the first is done.
  const [, program] = programs
  if (program === undefined) throw new Error('there is no program')
  const params = { ...walk, trials: 100 }
  const straight = await leftBy(program, await complete(program, 'walk_forward', params))
  const { operation_id: id } = await program.submit('walk_forward', params)
  await program.until(id, ({ children }) => (children?.completed ?? 0) >= 1)
  expect((await program.cancel(id)).status).toBe(202)
  expect((await program.end(id)).status).toBe('cancelled')
  const { status, body } = await program.request<Operation>('POST', `/api/v1/operations/${id}/retry`)
  expect(status).toBe(202)
  expect(await leftBy(program, await program.end(body.operation_id))).toEqual(straight)
})
