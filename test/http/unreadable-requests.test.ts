import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
})
afterAll(stopPrograms)

type Raw = { readonly status: number; readonly head: string; readonly body: Problem; readonly ms: number }

function open(): Socket {
  const { hostname, port } = new URL(program.url)
  return connect(Number(port), hostname).on('error', () => undefined)
}

/** Everything the server sends until it closes the connection. */
async function answerTo(socket: Socket, ...parts: string[]): Promise<Raw> {
  const started = performance.now()
  let text = ''
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.on('data', chunk => {
    text += chunk
  })
  for (const part of parts) socket.write(part)
  await closed
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
  return { status, head, body: JSON.parse(body || 'null'), ms: performance.now() - started }
}
const post = (headers: string) =>
  `POST /api/v1/operations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`

test.each<[string, string, number, string]>([
  ['what is not HTTP', '\u0000\u0001\u0002\r\n\r\n', 400, 'invalid-request'],
  ['a bad chunk', `${post('Transfer-Encoding: chunked')}zz\r\nhello\r\n`, 400, 'invalid-request'],
  ['no host', 'GET /api/v1/system HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'invalid-request'],
  [
    'endless headers',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
    431,
    'headers-too-large',
  ],
  [
    'an unknown expectation',
    'GET /api/v1/system HTTP/1.1\r\nHost: localhost\r\nExpect: foo\r\nConnection: close\r\n\r\n',
    417,
    'expectation-failed',
  ],
  ['a body said to be too long', post('Content-Length: 99999999'), 413, 'body-too-large'],
  [
    'an import said to be too long',
    'PUT /api/v1/datasets/X/1d HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 9999999999\r\n\r\n',
    413,
    'body-too-large',
  ],
])(
  '%s is answered by a problem with a request id, and the connection closes',
  async (_what, bytes, status, code) => {
    const answer = await answerTo(open(), bytes)
    expect([answer.status, answer.body.code, answer.body.status]).toEqual([status, code, status])
    expect(answer.head).toMatch(/^content-type: application\/problem\+json/im)
    expect(answer.head).toMatch(/^content-security-policy: default-src 'none'/im)
    expect(/^x-request-id: (\S+)$/im.exec(answer.head)?.[1]).toBe(answer.body.request_id)
    expect(answer.ms).toBeLessThan(5_000)
    expect((await program.get('/health/live')).status).toBe(200)
  },
)

test('a bad chunk is answered under the id of the request it belongs to', async () => {
  const bytes = `${post('Transfer-Encoding: chunked\r\nX-Request-Id: my-request-0002')}zz\r\n`
  expect((await answerTo(open(), bytes)).body).toMatchObject({
    request_id: 'my-request-0002',
    instance: '/api/v1/operations',
  })
})

test('a fault after the beginning of an answer cuts the connection instead of writing into the answer', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1 })
  const socket = open()
  socket.write(`GET /api/v1/operations/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  let text = ''
  socket.on('data', chunk => {
    text += chunk
    if (text.includes('event: snapshot')) socket.write('garbage\r\n\r\n')
  })
  await new Promise(resolve => socket.once('close', resolve))
  expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200'])
  await program.cancel(id)
})

test('headers and bodies that trickle in are answered 408: after 15 s and 30 s', async () => {
  const [headers, body] = await Promise.all([
    answerTo(open(), 'GET /api/v1/system HTTP/1.1\r\nHost: localhost\r\n'),
    answerTo(open(), post('Content-Length: 100'), '{"type":'),
  ])
  for (const answer of [headers, body])
    expect([answer.status, answer.body.code]).toEqual([408, 'request-timeout'])
  expect(headers.ms).toBeGreaterThan(14_000)
  expect(headers.ms).toBeLessThan(25_000)
  expect(body.ms).toBeLessThan(36_000)
})

test('an absolute address is answered as its path, and its host counts', async () => {
  const ask = (target: string) =>
    answerTo(open(), `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
  const system = await ask(`${program.url}/api/v1/system`)
  expect([system.status, system.body]).toEqual([200, expect.objectContaining({ role: 'all' })])
  expect((await ask('http://evil.example/api/v1/system')).body).toMatchObject({ code: 'host-refused' })
})

test('without a key only loopback names are served, health excepted; with one, every name', async () => {
  const ask = async (path: string, host: string) => {
    const headers = `Host: ${host}\r\nAuthorization: Bearer a long secret\r\nConnection: close`
    return (await answerTo(open(), `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`)).status
  }
  const operation = '/api/v1/operations/op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'
  for (const host of ['localhost', 'LOCALHOST:8000', '127.0.0.1:9', '127.8.9.1', '[::1]:8000', '[::1]'])
    expect([host, await ask('/api/v1/system', host)]).toEqual([host, 200])
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:80',
    '192.168.1.5',
    '',
  ]) {
    expect([host, await ask('/api/v1/system', host)]).toEqual([host, 421])
    expect([host, await ask(operation, host)]).toEqual([host, 421])
    expect([host, await ask('/health/live', host)]).toEqual([host, 200])
  }
  program = await startProgram({ KTRDR_API_KEY: 'a long secret', KTRDR_VALIDATE_RESPONSES: 'false' })
  expect(await ask('/api/v1/system', 'research.example')).toBe(200)
  expect(await ask(operation, 'research.example')).toBe(404)
})
