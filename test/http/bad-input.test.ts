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
const unknownId = 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'

const backtest = (yaml: string) => start({ type: 'backtesting', params: { strategy_yaml: yaml } })

test.each<[string, () => ReturnType<typeof post>, number, string]>([
  ['broken JSON', () => post('{"type":'), 400, 'malformed-json'],
  ['an empty body', () => post(''), 400, 'invalid-request'],
  ['a JSON array', () => post('[]'), 400, 'invalid-request'],
  ['an unknown type', () => start({ type: 'backtestin', params: {} }), 400, 'invalid-request'],
  ['no params', () => start({ type: 'exercise' }), 400, 'invalid-request'],
  ['an unknown param', () => start({ type: 'exercise', params: { stepz: 1 } }), 400, 'invalid-request'],
  ['an unknown key', () => start({ type: 'exercise', params: {}, prio: 1 }), 400, 'invalid-request'],
  ['a wrong enum', () => start({ type: 'exercise', params: { allocate: 'stack' } }), 400, 'invalid-request'],
  ['a wrong type', () => start({ type: 'exercise', params: { steps: '9' } }), 400, 'invalid-request'],
  ['a number out of range', () => start({ type: 'exercise', params: { steps: 0 } }), 400, 'invalid-request'],
  [
    'a huge body',
    () => start({ type: 'exercise', params: { steps: 1 }, pad: 'x'.repeat(3_000_000) }),
    413,
    'body-too-large',
  ],
  [
    'a wrong content type',
    () => post('steps=1', 'application/x-www-form-urlencoded'),
    415,
    'unsupported-media-type',
  ],
  ['no content type', () => post('{}', ''), 415, 'unsupported-media-type'],
  [
    'an unknown operation',
    () => program.request<Problem>('GET', `/api/v1/operations/${unknownId}`),
    404,
    'operation-not-found',
  ],
  [
    'an id that is none',
    () => program.request<Problem>('GET', '/api/v1/operations/nonsense'),
    400,
    'invalid-request',
  ],
  [
    'cancelling an unknown operation',
    () => program.request<Problem>('DELETE', `/api/v1/operations/${unknownId}/cancel`),
    404,
    'operation-not-found',
  ],
  ['an unknown path', () => program.request<Problem>('GET', '/api/v1/operation'), 404, 'not-found'],
  [
    'a wrong method',
    () => program.request<Problem>('PATCH', '/api/v1/operations'),
    405,
    'method-not-allowed',
  ],
  [
    'an unknown query parameter',
    () => program.request<Problem>('GET', '/api/v1/operations?limits=3'),
    400,
    'invalid-request',
  ],
  [
    'a limit out of range',
    () => program.request<Problem>('GET', '/api/v1/operations?limit=999'),
    400,
    'invalid-request',
  ],
  [
    'a malformed address',
    () => program.request<Problem>('GET', '/api/v1/operations/%E0%A4%A'),
    400,
    'invalid-request',
  ],
  [
    'a strategy by a path',
    () => start({ type: 'backtesting', params: { strategy: '../../etc/passwd', symbol: 'AAPL' } }),
    400,
    'invalid-request',
  ],
  [
    'a strategy that is not there',
    () => start({ type: 'backtesting', params: { strategy: 'sma_cros' } }),
    404,
    'strategy-not-found',
  ],
  [
    'a strategy file by a path',
    () => program.request<Problem>('GET', '/api/v1/strategies/..%2F..%2Fpackage'),
    400,
    'invalid-request',
  ],
  [
    'a symbol by a path',
    () => program.request<Problem>('GET', '/api/v1/datasets/..%2F..%2Fx/1d'),
    400,
    'invalid-request',
  ],
  [
    'an artifact by a path',
    () => program.request<Problem>('GET', `/api/v1/operations/${unknownId}/artifacts/..%2Fx`),
    400,
    'invalid-request',
  ],
  [
    'both strategy and strategy_yaml',
    () => start({ type: 'backtesting', params: { strategy: 'sma_cross', strategy_yaml: 'x' } }),
    422,
    'params-invalid',
  ],
  [
    'bars that are not stored',
    () => start({ type: 'backtesting', params: { strategy: 'sma_cross' } }),
    422,
    'bars-missing',
  ],
  [
    'a sizing that contradicts itself',
    () => start({ type: 'backtesting', params: { strategy: 'sma_cross', sizing: { mode: 'fraction' } } }),
    422,
    'params-invalid',
  ],
  [
    'a range that ends before it starts',
    () =>
      start({
        type: 'data_download',
        params: {
          vendor: 'sample',
          symbols: ['AAPL'],
          timeframes: ['1d'],
          start: '2016-01-01',
          end: '2015-01-01',
        },
      }),
    422,
    'params-invalid',
  ],
  ['YAML that is none', () => backtest('name: [unclosed'), 422, 'strategy-invalid'],
  ['YAML with a custom tag', () => backtest('name: !!js/function "x"'), 422, 'strategy-invalid'],
  [
    'a rule of the wrong kind',
    () => backtest(strategyText('    enter_long: "close + 1"\n    exit_long: "close < fast"')),
    422,
    'strategy-invalid',
  ],
  ...[
    'post /api/v1/operations json',
    'post /api/v1/strategies/validate yaml',
    'put /api/v1/datasets/MINE/1d csv',
  ].map((address): [string, () => ReturnType<typeof post>, number, string] => {
    const [method = '', path = '', type = ''] = address.split(' ')
    const headers = { 'content-type': `${type === 'csv' ? 'text' : 'application'}/${type}` }
    return [
      `no body at all (${address})`,
      () => program.request<Problem>(method.toUpperCase(), path, { headers }),
      400,
      'invalid-request',
    ]
  }),
  ...['2024-13-01T00:00:00Z', '2024-01-01T23:59:60Z', '2024-02-30T00:00:00Z'].map(
    (time): [string, () => ReturnType<typeof post>, number, string] => [
      `a list from ${time}`,
      () => program.request<Problem>('GET', `/api/v1/operations?created_after=${time}`),
      422,
      'params-invalid',
    ],
  ),
  ...['0x10', '%2B5', '+5', '1e2', '5.0', ''].map(
    (limit): [string, () => ReturnType<typeof post>, number, string] => [
      `a limit of ${limit}`,
      () => program.request<Problem>('GET', `/api/v1/operations?limit=${limit}`),
      400,
      'invalid-request',
    ],
  ),
  [
    'JSON in another character set',
    () => post('{"type":"exercise","params":{}}', 'application/json; charset=utf-16'),
    415,
    'unsupported-media-type',
  ],
  [
    'compressed CSV',
    () =>
      program.request<Problem>('PUT', '/api/v1/datasets/MINE/1d', {
        raw: 'date,open,high,low,close\n2024-01-02,1,1,1,1\n',
        headers: { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
      }),
    415,
    'unsupported-media-type',
  ],
  [
    'a symbol that is a device on Windows',
    () =>
      program.request<Problem>('PUT', '/api/v1/datasets/CON/1d', {
        raw: 'date,open,high,low,close\n2024-01-02,1,1,1,1\n',
        headers: { 'content-type': 'text/csv' },
      }),
    422,
    'params-invalid',
  ],
  [
    'CSV without bars',
    () =>
      program.request<Problem>('PUT', '/api/v1/datasets/MINE/1d', {
        raw: 'hello',
        headers: { 'content-type': 'text/csv' },
      }),
    422,
    'bars-invalid',
  ],
])('%s is refused with the right problem', async (_what, send, status, code) => {
  const answer = await send()
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(answer.body).toMatchObject({
    type: `/problems/${code}`,
    status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: expect.any(String),
    request_id: answer.headers.get('x-request-id'),
    retryable: expect.any(Boolean),
    errors: expect.any(Array),
  })
  expect(answer.text).not.toMatch(/\bat .*\.(ts|js):\d+/)
  if (status === 405) expect(answer.headers.get('allow')).toMatch(/GET.*POST|POST.*GET/)
})
