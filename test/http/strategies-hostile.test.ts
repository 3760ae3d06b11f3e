import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
})
afterAll(stopPrograms)

const stored = () => readdirSync(join(program.home, 'strategies'))

function put(name: string, raw: string | Uint8Array<ArrayBuffer>, contentType = 'application/json') {
  return program.request<Problem>('PUT', `/api/v1/strategies/${name}`, {
    raw,
    headers: { 'content-type': contentType },
  })
}

const yamlOf = (name: string) => `name: ${name}
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: 10 }
decisions:
  rules: { enter_long: close > fast, exit_long: close < fast }
`

test.each([
  ['33 levels of lists', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`, /deeper than 32 levels/],
  ['1,500 levels of lists', `{"a":${'['.repeat(1500)}${']'.repeat(1500)}}`, /deeper than 32 levels/],
  ['200,000 levels of maps', `{"a":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`, /32 levels/],
  ['7,000 entries', `{"a":[${'1,'.repeat(6999)}1]}`, /7001 entries, but at most 6000/],
])(
  'JSON of %s is a fault of the client, found before it is written as YAML',
  async (_what, text, message) => {
    const { status, body } = await put('deep', text)
    expect([status, body.code]).toEqual([422, 'strategy-invalid'])
    expect(body.detail).toMatch(message)
  },
)

test('JSON of 32 levels is read, and judged as a strategy', async () => {
  const { status, body } = await put('deep', `{"a":${'['.repeat(31)}${']'.repeat(31)}}`)
  expect([status, body.code]).toEqual([422, 'strategy-invalid'])
  expect(body.errors.map(({ pointer }) => pointer)).toContain('/a')
})

test('JSON longer than a strategy may be is refused before it is written as YAML', async () => {
  const start = performance.now()
  const { status, body } = await put('wide', `{"a":[${'1,'.repeat(950_000)}1]}`)
  expect([status, body.code]).toEqual([413, 'body-too-large'])
  expect(performance.now() - start).toBeLessThan(1000)
})

test.each(['PUT', 'POST'] as const)('%s of YAML that is not UTF-8 is refused, not repaired', async method => {
  const latin = Buffer.concat([Buffer.from(`${yamlOf('latin')}description: caf`), Buffer.from([0xe9, 0x0a])])
  const path = method === 'PUT' ? 'latin' : 'validate'
  const { status, body } = await program.request<Problem>(method, `/api/v1/strategies/${path}`, {
    raw: latin,
    headers: { 'content-type': 'application/yaml' },
  })
  expect([status, body.code]).toEqual([400, 'invalid-request'])
  expect(body.errors).toEqual([{ pointer: '/body', code: 'encoding', message: 'the text is not UTF-8' }])
  expect(stored()).not.toContain('latin.yaml')
})

test('YAML in UTF-8 is stored with every character', async () => {
  const text = `${yamlOf('cafe')}description: café → 株 🙂\n`
  expect((await put('cafe', text, 'application/yaml')).status).toBe(201)
  const read = await program.get<{ yaml: string }>('/api/v1/strategies/cafe')
  expect(read.body.yaml).toBe(text)
})

test.each(['con', 'NUL', 'aux', 'com1', 'LPT9'])('the Windows device %s is no name of a file', async name => {
  const { status, body } = await put(name, yamlOf(name), 'application/yaml')
  expect([status, body.code, body.errors[0]?.pointer]).toEqual([422, 'strategy-invalid', '/name'])
  expect(body.detail).toMatch(/device on Windows/)
  expect(stored()).not.toContain(`${name}.yaml`)
})
