import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, stopPrograms } from '../support/program.ts'
import { complete, leftAfterInterruptions, leftBy, startWithApple } from '../support/research.ts'

let programs: readonly Program[]
beforeAll(async () => {
  programs = await Promise.all(['2', '1', '8'].map(threads => startWithApple({ KTRDR_THREADS: threads })))
}, 60_000)
afterAll(stopPrograms)

const backtest = { strategy: 'sma_cross', spread_bps: 2 }
const walk = {
  ...{ backtest, method: 'random', trials: 250, minimum_trades: 1, train_days: 300, test_days: 180 },
  space: [
    { path: 'indicators.fast.period', min: 2, max: 30, integer: true },
    { path: 'indicators.slow.period', min: 20, max: 90, integer: true, scale: 'log' },
  ],
  constraints: ['indicators.fast.period < indicators.slow.period'],
}
const simulation = { backtest, trade_simulations: 2_000, bar_simulations: 400 }

test.each<[string, object, string[]]>([
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
