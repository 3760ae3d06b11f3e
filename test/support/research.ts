import { expect } from '@jest/globals'
import { barsTable } from '../../src/archive/bars.ts'
import { renderTable } from '../../src/archive/render.ts'
import type { components } from '../../src/openapi.gen.ts'
import { daysOf, hoursOf } from '../lookahead/planted.ts'
import { type Operation, type Program, startProgram } from './program.ts'

type Metrics = components['schemas']['BacktestMetrics']

/** The real program with AAPL by day. */
export async function startWithApple(environment: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram({ KTRDR_MAX_ATTEMPTS: '100', ...environment })
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  const { operation_id: id } = await program.submit('data_download', sample)
  expect((await program.end(id)).status).toBe('completed')
  return program
}

/** Stores 200 days of EURUSD and of BTC-USD, and the hours of the former. */
export async function storeWalks(program: Program): Promise<void> {
  const hours = hoursOf(2, 24 * 200)
  const datasets = [
    ['EURUSD/1h', hours],
    ['EURUSD/1d', daysOf(hours)],
    ['BTC-USD/1d', daysOf(hoursOf(3, 24 * 200))],
  ] as const
  for (const [name, bars] of datasets) {
    const { status } = await program.request('PUT', `/api/v1/datasets/${name}?calendar=24-7`, {
      raw: await renderTable(barsTable(bars), 'csv'),
      headers: { 'content-type': 'text/csv' },
    })
    expect(status).toBe(201)
  }
}

/** The text of `sma_cross` with other periods. */
export function smaCross(fast: number, slow: number): string {
  return `
name: sma_cross
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: ${fast} }
  slow: { type: sma, period: ${slow} }
decisions:
  rules:
    enter_long: fast crosses above slow
    exit_long: fast crosses below slow
`
}

/** Submits it and waits until it has completed. */
export async function complete(program: Program, type: string, params: object): Promise<Operation> {
  const done = await program.end((await program.submit(type, params)).operation_id)
  expect({ status: done.status, problem: done.problem }).toEqual({ status: 'completed', problem: null })
  return done
}

/** What a backtest by itself says. Trials leave out the confidence interval of the Sharpe ratio. */
export async function backtestByHand(program: Program, params: object): Promise<Metrics> {
  const { result } = await complete(program, 'backtesting', params)
  const { metrics } = result as { metrics: Metrics }
  return { ...metrics, sharpe_ci_low: null, sharpe_ci_high: null }
}

/** A numeric artifact by column; null where a cell is empty or a text. */
export async function readColumns(
  program: Program,
  { operation_id: id }: Operation,
  name: string,
): Promise<Record<string, (number | null)[]>> {
  const path = `/api/v1/operations/${id}/artifacts/${name}`
  const [head = '', ...lines] = (await program.get(path, { accept: 'text/csv' })).text.trim().split(/\r?\n/)
  const rows = lines.map(line => line.split(','))
  return Object.fromEntries(
    head.split(',').map((column, i) => [column, rows.map(cells => toNumber(cells[i] ?? ''))]),
  )
}

function toNumber(cell: string): number | null {
  const value = /^\d{4}-/.test(cell) ? Date.parse(cell) : Number(cell)
  return cell === '' || Number.isNaN(value) ? null : value
}

/** Everything that a completed operation leaves, without what names it. */
export async function leftBy(program: Program, operation: Operation): Promise<object> {
  expect(operation).toMatchObject({ status: 'completed', problem: null })
  const { body } = await program.get<{ items: { name: string; sha256: string }[] }>(
    `/api/v1/operations/${operation.operation_id}/artifacts`,
  )
  const files = body.items.map(({ name, sha256 }) => [name, sha256])
  expect(files.length).toBeGreaterThan(0)
  return { result: JSON.stringify(operation.result), files }
}

/** What an operation leaves that was killed with the server in the middle, then cancelled and resumed. */
export async function leftAfterInterruptions(
  program: Program,
  type: string,
  params: object,
): Promise<object> {
  const id = await interrupted(program, type, params)
  expect((await program.request('POST', `/api/v1/operations/${id}/resume`)).status).toBe(202)
  const done = await program.end(id)
  expect(done.attempt).toBeGreaterThan(2)
  return leftBy(program, done)
}

/** One that was quicker than who interrupts it is begun anew. */
const tries = 10

async function interrupted(program: Program, type: string, params: object): Promise<string> {
  for (let n = 0; n < tries; n++) {
    const { operation_id: id } = await program.submit(type, params)
    const isOver = ({ completed_at }: Operation) => completed_at !== null
    await program.until(id, one => isOver(one) || (one.children?.completed ?? 0) >= 2)
    await program.kill()
    await program.start()
    // In a cluster only when the lease of the killed one is over.
    await program.until(id, one => isOver(one) || one.attempt > 1)
    if ((await program.cancel(id)).status !== 202) continue
    if ((await program.end(id)).status === 'cancelled') return id
  }
  throw new Error(`${type} was quicker ${tries} times`)
}

/** What a request that cannot be run is answered with. */
export async function refusalOf(
  program: Program,
  type: string,
  params: object,
): Promise<{ status: number; detail: string; pointers: string[] }> {
  const { status, body } = await program.request<{ detail: string; errors?: { pointer: string }[] }>(
    'POST',
    '/api/v1/operations',
    { body: { type, params } },
  )
  return { status, detail: body.detail, pointers: (body.errors ?? []).map(({ pointer }) => pointer) }
}
