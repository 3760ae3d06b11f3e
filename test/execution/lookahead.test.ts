import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { barsTable } from '../../src/archive/bars.ts'
import { renderTable } from '../../src/archive/render.ts'
import type { components } from '../../src/openapi.gen.ts'
import { daysOf, hoursOf } from '../lookahead/planted.ts'
import { type Operation, type Program, startProgram, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)

type Result = components['schemas']['LookaheadAnalysisResult']
type Warmup = components['schemas']['WarmupAnalysisResult']

/** The real program with AAPL by day, EURUSD by hour and day, and many hours of Bitcoin. */
async function startWithBars(environment: Record<string, string> = {}, entry?: string): Promise<Program> {
  const program = await startProgram(environment, entry)
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', sample)).operation_id)
  const hours = hoursOf(2, 1200)
  const datasets = [
    ['EURUSD/1h', hours],
    ['EURUSD/1d', daysOf(hours)],
    ['BTC-USD/1h', hoursOf(3, 20_000)],
  ] as const
  for (const [name, bars] of datasets) {
    const answer = await program.request('PUT', `/api/v1/datasets/${name}?calendar=24-7`, {
      raw: await renderTable(barsTable(bars), 'csv'),
      headers: { 'content-type': 'text/csv' },
    })
    expect(answer.status).toBe(201)
  }
  return program
}

async function analyse(program: Program, params: object, type = 'lookahead_analysis'): Promise<Operation> {
  const done = await program.end((await program.submit(type, params)).operation_id)
  expect({ status: done.status, problem: done.problem }).toEqual({ status: 'completed', problem: null })
  return done
}

let program: Program
beforeAll(async () => {
  program = await startWithBars({ KTRDR_THREADS: '2', KTRDR_MAX_ATTEMPTS: '100' })
})

test('each planted bias is caught and named: the next close, the whole sample, a day joined when it opens', async () => {
  const biased = await startWithBars({}, 'test/lookahead/biased-main.ts')
  const rootsOf = async (strategy: string) => {
    const done = await analyse(biased, { strategy, cuts: 16 })
    const { verdict, findings } = done.result as Result
    expect(verdict).toBe('biased')
    const table = await biased.get(`/api/v1/operations/${done.operation_id}/artifacts/findings`, {
      accept: 'text/csv',
    })
    // A row for each, and the names.
    expect(table.text.trim().split('\n')).toHaveLength(findings.length + 1)
    expect(findings.every(({ role, because_of }) => (role === 'root') === (because_of.length === 0))).toBe(
      true,
    )
    return findings.filter(({ role }) => role === 'root').map(({ kind, column }) => `${kind} ${column}`)
  }
  expect(await rootsOf('sma_cross')).toEqual(['indicator fast', 'indicator slow'])
  expect(await rootsOf('macd_momentum')).toEqual(
    ['line', 'signal', 'histogram'].map(output => `indicator macd.${output}`),
  )
  expect(await rootsOf('multi_timeframe')).toEqual([
    ...['low', 'mid', 'high'].map(term => `membership 1d_rsi_zone_${term}`),
    ...['weak', 'strong'].map(term => `membership 1d_trend_power_${term}`),
    'feature 1d_natr_14_raw before zscore',
  ])
})

test('every shipped strategy is clean, and no declared warm-up of one is too short', async () => {
  for (const file of readdirSync('examples/strategies')) {
    const strategy = file.replace('.yaml', '')
    const own = strategy === 'multi_timeframe' ? {} : { symbol: 'AAPL' }
    const { result } = await analyse(program, { strategy, cuts: 8, ...own })
    const { findings, verdict } = result as Result
    expect([strategy, findings, verdict]).toEqual([strategy, [], 'clean'])
    const warm = await analyse(program, { strategy, decisions: 4, ...own }, 'warmup_analysis')
    const short = (warm.result as Warmup).findings.filter(({ flag }) => flag === 'too_short')
    expect([strategy, short]).toEqual([strategy, []])
  }
})

describe('the bytes of a finished analysis', () => {
  const hourly = { symbol: 'BTC-USD', timeframe: '1h' }
  const cases = [
    ['lookahead_analysis', { strategy: 'channel_breakout', ...hourly, cuts: 60, seed: 3 }, ['findings']],
    ['warmup_analysis', { strategy: 'macd_momentum', ...hourly, decisions: 60 }, ['columns', 'lengths']],
  ] as const

  /** Result and artifacts of a completed analysis, as they are given out. */
  async function bytesOf(
    program: Program,
    { operation_id: id, result }: Operation,
    names: readonly string[],
  ) {
    const read = async (name: string) =>
      (await program.get(`/api/v1/operations/${id}/artifacts/${name}`, { accept: 'text/csv' })).text
    return JSON.stringify([result, await Promise.all(names.map(read))])
  }

  /** Asks again and again: a parent sums its children up only now and then. */
  async function someChildHasEnded(program: Program, id: string): Promise<void> {
    const path = `/api/v1/operations/${id}/children`
    for (let ended = false; !ended; ) {
      const { items } = (await program.get<{ items: Operation[] }>(path)).body
      ended = items.some(({ status }) => status === 'completed')
    }
  }

  test.each(cases)(
    'are the same on 1 and 2 threads, after cancel and resume, and after kill -9: %s',
    async (type, params, names) => {
      const two = program
      single ??= startWithBars({ KTRDR_THREADS: '1' })
      const one = await single
      const expected = await bytesOf(one, await analyse(one, params, type), names)
      expect(await bytesOf(two, await analyse(two, params, type), names)).toBe(expected)

      const { operation_id: stopped } = await two.submit(type, params)
      await someChildHasEnded(two, stopped)
      await two.cancel(stopped)
      expect((await two.end(stopped)).status).toBe('cancelled')
      await two.request('POST', `/api/v1/operations/${stopped}/resume`)
      expect(await bytesOf(two, await two.end(stopped), names)).toBe(expected)

      const { operation_id: killed } = await two.submit(type, params)
      await someChildHasEnded(two, killed)
      await two.kill()
      await two.start()
      expect(await bytesOf(two, await two.end(killed), names)).toBe(expected)
    },
  )
})

describe('a request that cannot be analysed is refused', () => {
  test.each([
    [{}, /give either strategy or strategy_yaml/],
    [{ strategy: 'sma_cross', symbol: 'AAPL', symbols: ['AAPL'] }, /give either symbol or symbols/],
    [{ strategy: 'sma_cross', timeframes: ['1h', '1d'] }, /decides by rules on one timeframe/],
    [{ strategy: 'sma_cross', fit: { start: '2014-01-01', end: '2015-01-01' } }, /there is nothing to fit/],
    [{ strategy: 'sma_cross', start: '2031-01-01' }, /no bars in the requested range/],
    [{ strategy: 'sma_cross', symbol: 'NONE' }, /no bars of NONE 1d are stored/],
    [{ strategy: 'multi_timeframe', timeframe: '1d' }, /decides by a model on 1h/],
  ])('%j', async (params, message) => {
    const body = { type: 'lookahead_analysis', params }
    const answer = await program.request<{ detail: string }>('POST', '/api/v1/operations', { body })
    expect([answer.status, answer.body.detail]).toEqual([422, expect.stringMatching(message)])
  })

  test('a part of an analysis cannot be asked for by a client', async () => {
    const body = { type: 'lookahead_batch', params: { from: 0, to: 1, parts: [] } }
    expect((await program.request('POST', '/api/v1/operations', { body })).status).toBe(400)
  })
})

let single: Promise<Program> | undefined
