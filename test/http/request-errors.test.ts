import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, stopPrograms } from '../support/program.ts'
import { strategyText } from '../support/strategy-text.ts'
import { startDeclaredProgram } from './declared.ts'

let program: Program
beforeAll(async () => {
  program = await startDeclaredProgram()
})
afterAll(stopPrograms)

const post = (raw: string, contentType = 'application/json') =>
  program.request<Problem>('POST', '/api/v1/operations', { raw, headers: { 'content-type': contentType } })
const start = (body: unknown) => post(JSON.stringify(body))

const goodRules = '    enter_long: "close > fast"\n    exit_long: "close < fast"'
const backtest = (yaml: string) => start({ type: 'backtesting', params: { strategy_yaml: yaml } })

test('a request error says where it is and what was meant', async () => {
  const unknown = await start({ type: 'exercise', params: { stepz: 1 } })
  expect(unknown.body.errors).toMatchObject([
    { pointer: '/body/params/stepz', message: expect.stringMatching(/steps/) },
  ])
  const wrongType = await start({ type: 'backtestin', params: {} })
  expect(wrongType.body.errors).toMatchObject([
    { pointer: '/body/type', message: expect.stringMatching(/backtesting/) },
  ])
  for (const [path, pointer] of [
    ['/api/v1/operations?limit=999', '/query/limit'],
    ['/api/v1/operations?limit=0x10', '/query/limit'],
    ['/api/v1/operations?created_after=2024-02-30T00:00:00Z', '/query/created_after'],
  ])
    expect((await program.get<Problem>(`${path}`)).body.errors).toMatchObject([{ pointer }])
  const empty = await program.request<Problem>('POST', '/api/v1/strategies/validate', {
    headers: { 'content-type': 'application/yaml' },
  })
  expect(empty.body.errors).toMatchObject([{ pointer: '/body' }])
  const device = await program.request<Problem>('PUT', '/api/v1/datasets/CON/1d', {
    raw: 'date,open,high,low,close\n2024-01-02,1,1,1,1\n',
    headers: { 'content-type': 'text/csv' },
  })
  expect(device.body.errors).toMatchObject([{ pointer: '/path/symbol' }])
  const far = await start({ type: 'exercise', params: {}, qqqqqqqqqqqqqqqq: 1 })
  expect(far.body.errors[0]?.message).toMatch(/; one of type, params, priority, timeout_seconds is expected$/)
})

test('headers that may be ignored are never a reason to refuse, however long', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1 })
  const long = Array.from({ length: 40 }, (_, n) => `"etag-${n}"`).join(', ')
  expect((await program.get(`/api/v1/operations/${id}`, { 'if-none-match': long })).status).toBe(200)
  await program.request('PUT', '/api/v1/datasets/MINE/1d', {
    raw: 'date,open,high,low,close\n2024-01-02,1,1,1,1\n',
    headers: { 'content-type': 'text/csv' },
  })
  const ranges = `bytes=${Array.from({ length: 40 }, (_, n) => `${n}-${n}`).join(',')}`
  expect((await program.get('/api/v1/datasets/MINE/1d', { range: ranges })).status).toBe(200)
  const part = await program.get('/api/v1/datasets/MINE/1d', { range: 'bytes=0-9', accept: 'text/csv' })
  expect([part.status, part.headers.get('content-range')]).toEqual([
    206,
    expect.stringMatching(/^bytes 0-9\//),
  ])
  const outside = await program.get('/api/v1/datasets/MINE/1d', { range: 'bytes=99999-' })
  expect([outside.status, outside.headers.get('content-range')]).toEqual([
    416,
    expect.stringMatching(/^bytes \*\//),
  ])
})

test('a typo in a strategy is named with its line, its column and the nearest match; all faults come at once', async () => {
  const indicators = '  fast: { type: sma, perod: 10 }\n  slow: { type: smaa, period: 30 }'
  const answer = await backtest(
    strategyText('    enter_long: "fsat > slow"\n    exit_long: "close <"', indicators),
  )
  expect(answer.status).toBe(422)
  const { errors } = answer.body
  expect(errors).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        pointer: '/indicators/fast/perod',
        line: 6,
        column: 22,
        message: expect.stringMatching(/did you mean 'period'/),
      }),
      expect.objectContaining({
        pointer: '/indicators/slow/type',
        line: 7,
        message: expect.stringMatching(/did you mean 'sma'/),
      }),
      expect.objectContaining({
        pointer: '/decisions/rules/enter_long',
        line: 10,
        message: expect.stringMatching(/did you mean 'fast'/),
      }),
      expect.objectContaining({ pointer: '/decisions/rules/exit_long', line: 11 }),
    ]),
  )
  const verdict = await program.request<{ valid: boolean; errors: object[] }>(
    'POST',
    '/api/v1/strategies/validate',
    { raw: strategyText(goodRules, indicators), headers: { 'content-type': 'text/yaml; charset=utf-8' } },
  )
  expect([verdict.status, verdict.body.valid]).toEqual([200, false])
})
