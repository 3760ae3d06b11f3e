import type { Operation, Program } from '../support/program.ts'
import { smaCross } from '../support/research.ts'
import { pointsOf } from './chaos-follower.ts'

/** One operation to submit, and how it is to end. */
export type Task = {
  readonly type: string
  readonly params: object
  readonly end: 'completed' | 'failed' | 'cancelled'
}

/** How much of what. `long` ones take `longSteps` ms of CPU. */
export type Amounts = {
  readonly short: number
  readonly medium: number
  readonly long: number
  readonly longSteps: number
  readonly fanOuts: number
  readonly downloads: number
  readonly backtests: number
  readonly sweeps: number
  readonly failing: number
  readonly cancelled: number
}

const completed = { end: 'completed' } as const
const apple = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
const sample = { ...apple, mode: 'range', start: '2013-01-01' }
const sweep = {
  backtest: { strategy: 'sma_cross' },
  space: [{ path: 'indicators.fast.period', min: 5, max: 30, step: 5 }],
  minimum_trades: 1,
}

/** Bars that were there before: tasks that read them do not depend on which download came first. */
export async function storeBars(program: Program): Promise<void> {
  const { operation_id: id } = await program.submit('data_download', apple)
  const { status } = await program.end(id)
  if (status !== 'completed') throw new Error(`the bars could not be stored: ${status}`)
}

/** Work of all kinds and lengths, in an order that mixes them. */
export function mixedTasks(amounts: Amounts): Task[] {
  const several = (n: number, make: (index: number) => Task) => Array.from({ length: n }, (_, i) => make(i))
  const exercise = (params: object): Task => ({ type: 'exercise', params, ...completed })
  const kinds = [
    several(amounts.short, i => exercise({ steps: 20, step_ms: 1, seed: 1 + (i % 5) })),
    several(amounts.medium, i =>
      exercise({
        ...{ steps: 600, step_ms: 1, checkpoint_every: 100, metrics: 20, allocate_mb: 2 },
        seed: 1 + (i % 5),
      }),
    ),
    several(amounts.long, i =>
      exercise({
        steps: amounts.longSteps,
        step_ms: 1,
        checkpoint_every: 250,
        metrics: 50,
        seed: 1 + (i % 3),
      }),
    ),
    several(amounts.fanOuts, i => ({
      type: 'exercise_fan_out',
      params: { children: 4 + (i % 2), rounds: 2, exercise: { steps: 80, step_ms: 1, metrics: 20 } },
      ...completed,
    })),
    several(amounts.downloads, () => ({ type: 'data_download', params: sample, ...completed })),
    several(amounts.backtests, i => ({
      type: 'backtesting',
      params: { strategy_yaml: smaCross(5 + (i % 3), 30), spread_bps: 2 },
      ...completed,
    })),
    several(amounts.sweeps, () => ({ type: 'sweep', params: sweep, ...completed })),
    several(amounts.failing, i => ({
      type: 'exercise',
      params: { steps: 400, step_ms: 1, checkpoint_every: 100, fail_at: 300, seed: i },
      end: 'failed',
    })),
    several(amounts.cancelled, i => ({
      type: 'exercise',
      params: { steps: 1_000_000, step_ms: 1, checkpoint_every: 200, metrics: 100, seed: i },
      end: 'cancelled',
    })),
  ]
  return interleave(kinds)
}

/** Each kind spread evenly over the whole. */
function interleave(kinds: readonly Task[][]): Task[] {
  const placed = kinds.flatMap(tasks => tasks.map((task, i) => ({ task, place: (i + 0.5) / tasks.length })))
  return placed.sort((a, b) => a.place - b.place).map(({ task }) => task)
}

/** What an operation leaves that must not depend on what happened to it on the way. */
export async function bytesOf(program: Program, operation: Operation): Promise<string> {
  const { operation_id: id, type, status, problem, result } = operation
  if (type === 'data_download') {
    const { datasets } = result as unknown as { datasets: { sha256: string; bars: number }[] }
    return JSON.stringify([status, datasets.map(({ sha256, bars }) => [sha256, bars])])
  }
  if (status === 'failed') return JSON.stringify([status, problem?.code])
  const { body } = await program.get<{ items: { name: string; sha256: string }[] }>(
    `/api/v1/operations/${id}/artifacts`,
  )
  const files = body.items.map(({ name, sha256 }) => [name, sha256])
  const trades = files.some(([name]) => name === 'trades')
    ? (await program.get(`/api/v1/operations/${id}/artifacts/trades`, { accept: 'text/csv' })).text
    : null
  const points = type === 'exercise' ? await pointsOf(program, id) : []
  return JSON.stringify([status, result, files, trades, points.map(({ seq, values }) => [seq, values])])
}

/** What each of the tasks leaves when nobody disturbs it. Cancelled ones leave nothing that could be compared. */
export async function undisturbed(program: Program, tasks: readonly Task[]): Promise<Map<string, string>> {
  const distinct = new Map(tasks.filter(({ end }) => end !== 'cancelled').map(task => [keyOf(task), task]))
  const left = new Map<string, string>()
  await Promise.all(
    [...distinct].map(async ([key, { type, params }]) => {
      const { operation_id: id } = await program.submit(type, withoutPauses(params))
      left.set(key, await bytesOf(program, await program.end(id)))
    }),
  )
  return left
}

export const keyOf = ({ type, params }: Task): string => JSON.stringify([type, params])

/** The result of an exercise depends on its steps and its seed; how long a step takes is for the disturbed only. */
function withoutPauses(params: object): object {
  const { exercise } = params as { exercise?: object }
  return {
    ...params,
    ...('step_ms' in params ? { step_ms: 0 } : {}),
    ...(exercise === undefined ? {} : { exercise: { ...exercise, step_ms: 0 } }),
  }
}
