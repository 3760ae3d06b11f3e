import { createHash } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Document = { name: string; source: string; sha256: string; yaml: string; strategy: object | null }
type Versions = { items: { sha256: string; current: boolean; size_bytes: number; stored_at: string }[] }

const yamlOf = (name: string, fast = 10) => `name: ${name} # kept as it was sent
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: ${fast} }
decisions:
  rules: { enter_long: close > fast, exit_long: close < fast }
`
const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex')
const tagOf = (text: string) => `"${sha256Of(text)}"`

let program: Program
let count = 0
let name: string
beforeAll(async () => {
  program = await startProgram()
})
afterAll(stopPrograms)
beforeEach(() => {
  name = `mine_${++count}`
})

const pathOf = (of: string) => `/api/v1/strategies/${of}`
function put(of: string, text: string, headers: Record<string, string> = {}) {
  return program.request<Document & Problem>('PUT', pathOf(of), {
    raw: text,
    headers: { 'content-type': 'application/yaml', ...headers },
  })
}
const remove = (of: string, headers: Record<string, string> = {}) =>
  program.request<Problem>('DELETE', pathOf(of), { headers })
const versionsOf = async (of: string) => (await program.get<Versions>(`${pathOf(of)}/versions`)).body.items

test('a strategy is stored as it was sent, answered with its tag, and listed', async () => {
  const text = yamlOf(name)
  const stored = await put(name, text)
  expect([stored.status, stored.headers.get('etag')]).toEqual([201, tagOf(text)])
  expect(stored.body).toMatchObject({
    name,
    source: 'stored',
    sha256: sha256Of(text),
    yaml: text,
    errors: [],
  })
  const read = await program.get<Document>(pathOf(name))
  expect(read.body).toEqual(stored.body)
  expect((await program.get(pathOf(name), { 'if-none-match': tagOf(text) })).status).toBe(304)
  const asText = await program.get<string>(pathOf(name), { accept: 'application/yaml' })
  expect([asText.body, asText.headers.get('content-type')]).toEqual([text, 'application/yaml; charset=utf-8'])
  const { items } = (await program.get<{ items: Document[] }>('/api/v1/strategies')).body
  expect(items).toContainEqual(expect.objectContaining({ name, source: 'stored', valid: true }))
})

test('a strategy sent as JSON is stored as YAML that reads the same', async () => {
  const rules = { enter_long: 'close > fast', exit_long: 'close < fast' }
  const body = {
    name,
    training_data: {
      symbols: { mode: 'single', symbol: 'AAPL' },
      timeframes: { mode: 'single', timeframe: '1d' },
    },
    indicators: { fast: { type: 'sma', period: 10 } },
    decisions: { rules },
  }
  const stored = await program.request<Document>('PUT', pathOf(name), { body })
  expect(stored.status).toBe(201)
  expect(stored.body.yaml).toContain('    type: sma\n    period: 10\n')
  const sent = await put(`${name}_text`, yamlOf(`${name}_text`))
  expect({ ...stored.body.strategy, name: '' }).toEqual({ ...sent.body.strategy, name: '' })
})

describe('conditions', () => {
  test('replacing needs the tag that was read: without one 428, with an old one 412, with the right one 200', async () => {
    const [first, second, third] = [yamlOf(name, 10), yamlOf(name, 11), yamlOf(name, 12)]
    await put(name, first)
    const bare = await put(name, second)
    expect([bare.status, bare.body.code, bare.body.hint]).toEqual([
      428,
      'precondition-required',
      `Read it again and send If-Match: ${tagOf(first)}, or If-Match: * to replace whatever is there.`,
    ])
    expect((await put(name, second, { 'if-match': tagOf(first) })).status).toBe(200)
    const late = await put(name, third, { 'if-match': tagOf(first) })
    expect([late.status, late.body.code]).toEqual([412, 'precondition-failed'])
    expect((await program.get<Document>(pathOf(name))).body.yaml).toBe(second)
    expect((await put(name, third, { 'if-match': '*' })).status).toBe(200)
  })

  test('of two who replace the same version at the same time, one is refused', async () => {
    const text = yamlOf(name)
    await put(name, text)
    const answers = await Promise.all(
      [20, 21, 22, 23].map(fast => put(name, yamlOf(name, fast), { 'if-match': tagOf(text) })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412])
  })

  test('If-None-Match: * stores only what is not there, If-Match only what is', async () => {
    expect((await put(name, yamlOf(name), { 'if-match': '*' })).status).toBe(412)
    expect((await put(name, yamlOf(name), { 'if-none-match': '*' })).status).toBe(201)
    expect((await put(name, yamlOf(name), { 'if-none-match': '*' })).status).toBe(412)
    expect((await put('sma_cross', yamlOf('sma_cross'), { 'if-none-match': '*' })).status).toBe(412)
  })

  test('sending the same again changes nothing and needs no condition', async () => {
    await put(name, yamlOf(name))
    const before = await versionsOf(name)
    expect((await put(name, yamlOf(name))).status).toBe(200)
    expect(await versionsOf(name)).toEqual(before)
  })

  test('a weak tag, and one of several that is right', async () => {
    const text = yamlOf(name)
    await put(name, text)
    expect((await put(name, yamlOf(name, 11), { 'if-match': `W/${tagOf(text)}` })).status).toBe(412)
    expect((await put(name, yamlOf(name, 11), { 'if-match': `"x", ${tagOf(text)}` })).status).toBe(200)
  })
})

test('what has faults is refused with all of them, and what was there stays', async () => {
  await put(name, yamlOf(name))
  const broken = yamlOf(name).replace('type: sma', 'typ: sma').replace('close < fast', 'close < slow')
  const refused = await put(name, broken, { 'if-match': '*' })
  expect([refused.status, refused.body.code]).toEqual([422, 'strategy-invalid'])
  expect(refused.body.errors.map(({ line }) => line)).toEqual(expect.arrayContaining([6, 8]))
  expect((await program.get<Document>(pathOf(name))).body.yaml).toBe(yamlOf(name))
  expect(await versionsOf(name)).toHaveLength(1)
})

test('the name inside must be the name of the address, and the address takes names alone', async () => {
  const other = await put(name, yamlOf('another'))
  expect([other.status, other.body.errors[0]?.pointer]).toEqual([422, '/name'])
  for (const bad of ['..%2fescape', '.hidden', 'a%00b', 'a b', 'x'.repeat(65)])
    expect([bad, (await put(bad, yamlOf('x'))).status]).toEqual([bad, 400])
  expect(readdirSync(program.home)).not.toContain('escape.yaml')
})

test('every text that was stored is kept, newest first, and can be read and stored again', async () => {
  const [first, second] = [yamlOf(name, 10), yamlOf(name, 11)]
  await put(name, first)
  await put(name, second, { 'if-match': '*' })
  expect((await versionsOf(name)).map(({ sha256, current }) => [sha256, current])).toEqual([
    [sha256Of(second), true],
    [sha256Of(first), false],
  ])
  const old = await program.get<Document>(`${pathOf(name)}?sha256=${sha256Of(first)}`)
  expect([old.body.yaml, old.headers.get('etag')]).toEqual([first, tagOf(first)])
  await put(name, first, { 'if-match': '*' })
  expect((await versionsOf(name)).map(({ sha256 }) => sha256)).toEqual([sha256Of(first), sha256Of(second)])
  expect((await program.get(`${pathOf(name)}?sha256=${sha256Of('x')}`)).status).toBe(404)
})

test('a file written by hand is kept as a version before it is replaced', async () => {
  const byHand = yamlOf(name, 33)
  writeFileSync(join(program.home, 'strategies', `${name}.yaml`), byHand)
  await put(name, yamlOf(name, 34), { 'if-match': tagOf(byHand) })
  expect((await versionsOf(name)).map(({ sha256 }) => sha256)).toContain(sha256Of(byHand))
})

test('deleting honours If-Match, keeps the versions, and is 404 the second time', async () => {
  await put(name, yamlOf(name))
  expect((await remove(name, { 'if-match': '"other"' })).status).toBe(412)
  expect((await remove(name, { 'if-match': tagOf(yamlOf(name)) })).status).toBe(204)
  expect((await remove(name)).status).toBe(404)
  expect((await program.get(pathOf(name))).status).toBe(404)
  expect((await versionsOf(name)).map(({ current }) => current)).toEqual([false])
  expect((await put(name, yamlOf(name))).status).toBe(201)
})

test('a shipped strategy is shadowed, never changed: deleting the stored one brings it back', async () => {
  const shipped = (await program.get<Document>(pathOf('sma_cross'))).body
  expect(shipped.source).toBe('shipped')
  const undeletable = await remove('sma_cross')
  expect([undeletable.status, undeletable.body.code]).toEqual([409, 'strategy-shipped'])
  expect((await put('sma_cross', yamlOf('sma_cross'))).status).toBe(428)
  expect((await put('sma_cross', yamlOf('sma_cross'), { 'if-match': `"${shipped.sha256}"` })).status).toBe(
    200,
  )
  expect((await program.get<Document>(pathOf('sma_cross'))).body).toMatchObject({ source: 'stored' })
  expect((await remove('sma_cross')).status).toBe(204)
  expect((await program.get<Document>(pathOf('sma_cross'))).body).toEqual(shipped)
})

test('an older strategy is answered in the present grammar with what was changed', async () => {
  const yaml = `name: old
version: "2.0"
indicators:
  - { name: rsi, feature_id: rsi_14, period: 14 }
fuzzy_sets:
  rsi_14: { low: { type: triangular, parameters: [0, 25, 45] } }
`
  const { status, body } = await program.request<{ yaml: string; changes: string[] }>(
    'POST',
    '/api/v1/strategies/migrate',
    { body: { yaml } },
  )
  expect(status).toBe(200)
  expect(body.changes.length).toBeGreaterThan(0)
  expect(body.yaml).toMatch(/rsi_14:[\s\S]*type: rsi/)
  const present = await program.request('POST', '/api/v1/strategies/migrate', { body: { yaml: yamlOf('x') } })
  expect(present.body).toEqual({ yaml: yamlOf('x'), changes: [] })
})
