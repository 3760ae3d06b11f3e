import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
})
afterAll(stopPrograms)

const post = (raw: string, contentType = 'application/json') =>
  program.request<Problem>('POST', '/api/v1/operations', { raw, headers: { 'content-type': contentType } })
const start = (body: unknown) => post(JSON.stringify(body))
const unknownId = 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'

const strategy = (rules: string, indicators = '  fast: { type: sma, period: 10 }') => `name: mine
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
${indicators}
decisions:
  rules:
${rules}
`
const goodRules = '    enter_long: "close > fast"\n    exit_long: "close < fast"'
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
    () => backtest(strategy('    enter_long: "close + 1"\n    exit_long: "close < fast"')),
    422,
    'strategy-invalid',
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

test('a request error says where it is and what was meant', async () => {
  const unknown = await start({ type: 'exercise', params: { stepz: 1 } })
  expect(unknown.body.errors).toMatchObject([
    { pointer: '/body/params/stepz', message: expect.stringMatching(/steps/) },
  ])
  const wrongType = await start({ type: 'backtestin', params: {} })
  expect(wrongType.body.errors).toMatchObject([
    { pointer: '/body/type', message: expect.stringMatching(/backtesting/) },
  ])
  const limit = await program.request<Problem>('GET', '/api/v1/operations?limit=999')
  expect(limit.body.errors).toMatchObject([{ pointer: '/query/limit' }])
})

test('a typo in a strategy is named with its line, its column and the nearest match; all faults come at once', async () => {
  const indicators = '  fast: { type: sma, perod: 10 }\n  slow: { type: smaa, period: 30 }'
  const answer = await backtest(
    strategy('    enter_long: "fsat > slow"\n    exit_long: "close <"', indicators),
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
    { raw: strategy(goodRules, indicators), headers: { 'content-type': 'text/yaml; charset=utf-8' } },
  )
  expect([verdict.status, verdict.body.valid]).toEqual([200, false])
})

test('ten thousand different content-type parameters cost no memory', async () => {
  const residentMb = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]) / 1024
  const send = async (from: number, to: number) => {
    for (let i = from; i < to; i += 20) {
      const batch = Array.from({ length: 20 }, (_, n) =>
        post('{"type":"exercise","params":{"steps":0}}', `application/json; v=${i + n}`),
      )
      for (const answer of await Promise.all(batch)) expect(answer.status).toBe(400)
    }
  }
  await send(0, 1_000)
  const before = residentMb()
  await send(1_000, 10_000)
  expect(residentMb() - before).toBeLessThan(100)
}, 120_000)

test('a thousand bad requests of every kind leave no 5xx, and the server ready', async () => {
  const bodies = [
    '',
    '{',
    'null',
    '0',
    '"x"',
    '[]',
    '{}',
    '{"type":1}',
    '{"type":"exercise"}',
    '{"type":"exercise","params":[]}',
    '{"type":"exercise","params":{"steps":1e400}}',
    '{"__proto__":{"x":1},"type":"exercise","params":{}}',
    `{"type":"${'x'.repeat(10_000)}","params":{}}`,
  ]
  for (let round = 0; round < 80; round++) {
    const answers = await Promise.all(bodies.map(body => post(body)))
    for (const answer of answers) expect(answer.status).toBeLessThan(500)
  }
  expect((await program.get('/health/ready')).status).toBe(200)
})

test('garbage instead of HTTP and an endless header do not take the server down', async () => {
  const { hostname, port } = new URL(program.url)
  for (const garbage of [
    '\u0000\u0001\u0002\r\n\r\n',
    `GET / HTTP/1.1\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), hostname)
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(garbage)
    await closed
  }
  expect((await program.get('/health/live')).status).toBe(200)
})
