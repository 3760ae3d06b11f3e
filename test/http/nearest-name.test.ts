import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
  for (const name of ['EURUSD/1h', 'EURUSD/1d', 'GONE/1d']) {
    const { status } = await program.request('PUT', `/api/v1/datasets/${name}`, {
      raw: 'time,open,high,low,close\n2024-01-02T15:00:00Z,1,1,1,1\n',
      headers: { 'content-type': 'text/csv' },
    })
    if (status !== 201) throw new Error(`${name} was answered ${status}`)
  }
  await program.request('DELETE', '/api/v1/datasets/GONE/1d')
})
afterAll(stopPrograms)

type Request = readonly [method: string, path: string, body?: object]

async function hintOf([method, path, body]: Request, code: string): Promise<string | undefined> {
  const answer = await program.request<Problem>(method, path, body === undefined ? {} : { body })
  expect([path, answer.status, answer.body.code]).toEqual([path, 404, code])
  return answer.body.hint
}

const calculation = (symbol: string) => ({ symbol, timeframe: '1d', indicators: { x: { type: 'sma' } } })

test.each<Request>([
  ['GET', '/api/v1/strategies/sma_crss'],
  ['GET', '/api/v1/strategies/SMA_Cross'],
  ['GET', '/api/v1/strategies/sma_crss/versions'],
  ['GET', '/api/v1/strategies/sma_crss/features'],
  ['DELETE', '/api/v1/strategies/sma_crss'],
  ['POST', '/api/v1/operations', { type: 'backtesting', params: { strategy: 'sma_crss' } }],
  ['POST', '/api/v1/operations', { type: 'feature_build', params: { strategy: 'sma_crss' } }],
])('%s %s is told which strategy may be meant', async (...request) => {
  expect(await hintOf(request, 'strategy-not-found')).toBe(
    "Did you mean 'sma_cross'? GET /api/v1/strategies lists the names.",
  )
})

test.each<Request>([
  ['GET', '/api/v1/datasets/EURUSF/1d'],
  ['GET', '/api/v1/datasets/eurusd/1d'],
  ['GET', '/api/v1/datasets/EURSD/1d/gaps'],
  ['GET', '/api/v1/datasets/EURSD/1d/quality'],
  ['DELETE', '/api/v1/datasets/EURSD/1d'],
  ['POST', '/api/v1/indicators/calculate', calculation('EURSD')],
])('%s %s is told which dataset may be meant', async (...request) => {
  expect(await hintOf(request, 'dataset-not-found')).toBe('Did you mean EURUSD? It is stored in 1d, 1h.')
})

test('of a symbol that is stored otherwise, the timeframes are told', async () => {
  expect(await hintOf(['GET', '/api/v1/datasets/EURUSD/1m'], 'dataset-not-found')).toBe(
    'EURUSD is stored in 1d, 1h.',
  )
})

test('where nothing is near, or only what was removed, the lists are named and no guess is made', async () => {
  const lists = 'GET /api/v1/datasets lists what is stored.'
  for (const symbol of ['QQQQQQQQ', 'GONE', 'GONR'])
    expect([symbol, await hintOf(['GET', `/api/v1/datasets/${symbol}/1d`], 'dataset-not-found')]).toEqual([
      symbol,
      lists,
    ])
  expect(await hintOf(['GET', '/api/v1/strategies/qqqqqqqqqqqq'], 'strategy-not-found')).toBe(
    'GET /api/v1/strategies lists the names.',
  )
})
