import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import { modelFolder } from '../../src/archive/layout.ts'
import { publishModel, readModel } from '../../src/archive/models.ts'
import { type Bars, formatTime } from '../../src/market/bars.ts'
import type { components } from '../../src/openapi.gen.ts'
import { loadModel } from '../../src/training/predictor.ts'
import type { Problem, Program } from '../support/program.ts'
import { stopPrograms } from '../support/program.ts'
import { exampleText, untrainedModel } from '../support/trained-model.ts'
import { startDeclaredProgram } from './declared.ts'

type Page = components['schemas']['ModelPage']
type Document = components['schemas']['ModelDocument']
type Table = { rows: number; columns: Record<string, (number | string | null)[]> }

const weekly = exampleText('fuzzy_and_raw').replace(
  '{ mode: single, timeframe: 1d }',
  '{ mode: multi_timeframe, list: [1d, 1w], base_timeframe: 1d }',
)
const bulky = exampleText('lstm_trend').replace('hidden_size: 16', 'hidden_size: 512')

let program: Program
const ids: Record<string, string> = {}

beforeAll(async () => {
  program = await startDeclaredProgram()
  const models = {
    daily: untrainedModel('fuzzy_and_raw'),
    weekly: untrainedModel('fuzzy_and_raw', 7, weekly),
    lstm: untrainedModel('lstm_trend'),
    regression: untrainedModel('return_regression'),
    bulky: untrainedModel('lstm_trend', 7, bulky),
  }
  let now = Date.UTC(2026, 0, 1)
  for (const [name, trained] of Object.entries(models))
    ids[name] = publishModel(program.home, trained, { now: now++, operationId: null }).model_id
  const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', download)).operation_id)
  const resample = { symbol: 'AAPL', from: '1d', timeframes: ['1w'] }
  await program.end((await program.submit('data_resample', resample)).operation_id)
})
afterAll(stopPrograms)

const pathOf = (name: string) => `/api/v1/models/${ids[name]}`
const ask = <T = Table>(name: string, body: object, headers: Record<string, string> = {}) =>
  program.request<T>('POST', `${pathOf(name)}/predict`, { body, headers })
const barsOf = async (timeframe: string): Promise<Bars> => {
  const archive = new BarsArchive(program.home)
  const manifest = await archive.manifest('AAPL', timeframe)
  return archive.read('AAPL', timeframe, manifest?.sha256 ?? '')
}
const columns = ({ open, high, low, close, volume, time }: Bars) => ({
  time: Array.from(time, formatTime),
  ...{ open: [...open], high: [...high], low: [...low], close: [...close], volume: [...volume] },
})

test('models are listed page by page, newest first, and by their strategy', async () => {
  const { items, next_cursor: cursor } = (await program.get<Page>('/api/v1/models?limit=3')).body
  expect(items.map(({ model_id }) => model_id)).toEqual([ids.bulky, ids.regression, ids.lstm])
  const rest = await program.get<Page>(`/api/v1/models?limit=3&cursor=${cursor}`)
  expect(rest.body).toMatchObject({
    items: [{ model_id: ids.weekly }, { model_id: ids.daily }],
    next_cursor: null,
  })
  expect(rest.body.items[1]).toMatchObject({
    created_at: '2026-01-01T00:00:00.000Z',
    strategy: 'fuzzy_and_raw',
    network_kind: 'mlp',
    timeframes: ['1d'],
    output: { kind: 'classification', classes: ['buy', 'hold', 'sell'] },
  })
  const named = await program.get<Page>('/api/v1/models?strategy=return_regression')
  expect(named.body.items.map(({ model_id }) => model_id)).toEqual([ids.regression])
  const other = await program.get<Problem>(`/api/v1/models?strategy=lstm_trend&cursor=${cursor}`)
  expect([other.status, other.body.code]).toEqual([400, 'invalid-cursor'])
})

test('a model says where it comes from, and its id is the hash of what it says', async () => {
  const answer = await program.get<Document>(pathOf('daily'))
  expect(answer.body).toMatchObject({
    model_id: ids.daily,
    content: {
      strategy: 'fuzzy_and_raw',
      seed: 7,
      ranges: { test: null },
      pipeline: { base_timeframe: '1d' },
    },
  })
  const etag = answer.headers.get('etag') ?? ''
  expect((await program.get(pathOf('daily'), { 'if-none-match': etag })).status).toBe(304)
  const manifest = await fetch(`${program.url}${pathOf('daily')}/files/manifest.json`)
  const bytes = Buffer.from(await manifest.arrayBuffer())
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect([sha256, etag, `mdl_${sha256.slice(0, 26)}`]).toEqual([answer.body.sha256, `"${sha256}"`, ids.daily])
  expect(JSON.parse(bytes.toString())).toEqual(answer.body.content)
})

test('the files of a model can be read, in part and unchanged too', async () => {
  const { content } = (await program.get<Document>(pathOf('daily'))).body
  for (const { name, size_bytes, sha256, media_type } of content.files) {
    const path = `${pathOf('daily')}/files/${name}`
    const whole = await fetch(program.url + path)
    const bytes = Buffer.from(await whole.arrayBuffer())
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([size_bytes, sha256])
    expect(whole.headers.get('content-type')).toContain(media_type)
    expect(whole.headers.get('etag')).toBe(`"${sha256}"`)
    const part = await fetch(program.url + path, { headers: { range: 'bytes=5-24' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 5-24/${size_bytes}`])
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(5, 25))
    expect((await program.get(path, { 'if-none-match': `"${sha256}"` })).status).toBe(304)
    expect((await program.get(path, { range: `bytes=${size_bytes}-` })).status).toBe(416)
    const head = await program.request('HEAD', path)
    expect([head.status, head.headers.get('content-length'), head.text]).toEqual([
      200,
      String(size_bytes),
      '',
    ])
  }
})

describe('an answer', () => {
  test.each(['daily', 'weekly', 'lstm', 'regression'])(
    'of the model %s on all stored bars is the one made here',
    async name => {
      const { served } = readModel(program.home, ids[name] ?? '')
      const symbol = { symbol: 'AAPL', bars: { '1d': await barsOf('1d'), '1w': await barsOf('1w') } }
      const { base, bar, outputs } = loadModel(served).predict(symbol)
      const { body } = await ask(name, { symbol: 'AAPL' })
      expect(body.rows).toBe(base.length)
      const { time, close_time, decision = [], ...values } = body.columns
      expect(time).toEqual(Array.from(base.time, formatTime))
      expect(close_time).toEqual(Array.from(base.close_time, formatTime))
      const width = Object.keys(values).length
      const answered = new Set(bar)
      Object.values(values).forEach((column, i) => {
        expect(bar.length).toBeGreaterThan(1_000)
        expect(Array.from(bar, at => column[at])).toEqual(
          Array.from(bar, (_, row) => outputs[row * width + i]),
        )
        expect(column.filter((_, at) => !answered.has(at)).every(value => value === null)).toBe(true)
      })
      expect(decision.map(said => said !== null)).toEqual(decision.map((_, at) => answered.has(at)))
      const said = new Set(decision.filter(one => one !== null))
      expect([...said].every(one => ['buy', 'hold', 'sell'].includes(String(one)))).toBe(true)
    },
  )

  test.each(['daily', 'weekly', 'lstm'])(
    'of the model %s on a part is that part of the whole',
    async name => {
      const whole = (await ask(name, { symbol: 'AAPL' })).body.columns
      const part = await ask(name, {
        symbol: 'AAPL',
        timeframe: '1d',
        start: '2016-01-04',
        end: '2016-03-01',
      })
      const first = whole.time?.indexOf(part.body.columns.time?.[0] ?? '') ?? -1
      expect([part.body.rows, part.body.columns.time?.[0]]).toEqual([39, '2016-01-04T00:00:00.000Z'])
      part.body.columns.probability_buy?.forEach((value, i) => {
        expect(value).toBeCloseTo(Number(whole.probability_buy?.[first + i]), 4)
      })
      expect(part.body.columns.decision).toEqual(whole.decision?.slice(first, first + 39))
    },
  )

  test('on posted bars is the one on stored ones', async () => {
    const bars = await barsOf('1d')
    const stored = (await ask('daily', { symbol: 'AAPL' })).body.columns
    const posted = await ask('daily', { bars: columns(bars) })
    expect([posted.status, posted.body.rows]).toEqual([200, bars.length])
    const { close_time: _closes, ...rest } = stored
    expect(posted.body.columns).toEqual(rest)
    // Few bars of a small network are answered without a thread, these by one.
    const few = columns(bars)
    for (const name of Object.keys(few) as (keyof typeof few)[]) few[name].length = 400
    const short = await ask('daily', { bars: few, start: few.time[300] })
    expect(short.body.columns.decision).toEqual(stored.decision?.slice(300, 400))
  })

  test('comes as CSV too, and has no rows where no bars are', async () => {
    const question = { symbol: 'AAPL', start: '2016-01-04', end: '2016-01-06' }
    const csv = await ask<string>('regression', question, { accept: 'text/csv' })
    expect(csv.body.split('\n')[0]?.trim()).toBe('time,close_time,value,decision')
    expect(csv.body.trim().split('\n').length).toBe(3)
    const none = await ask('weekly', { symbol: 'AAPL', start: '2030-01-01' })
    expect([none.status, none.body.rows]).toEqual([200, 0])
  })
})

describe('a question that has no answer', () => {
  const june = { start: '2016-06-01', end: '2016-07-01' }

  test.each([
    ['neither a symbol nor bars', 'daily', june, '/body/symbol', 'required', /give a symbol, or bars/],
    [
      'bars of another timeframe',
      'daily',
      { symbol: 'AAPL', timeframe: '1h', ...june },
      '/body/timeframe',
      'conflict',
      /on bars of 1d, not of 1h/,
    ],
    [
      'a range that ends before it begins',
      'daily',
      { symbol: 'AAPL', start: '2016-07-01', end: '2016-06-01' },
      '/body/start',
      'range',
      /./,
    ],
    [
      'more work than an answer is worth',
      'bulky',
      { symbol: 'AAPL' },
      '/body/start',
      'too_large',
      /multiplications/,
    ],
  ])('%s is refused', async (_what, name, body, pointer, code, message) => {
    const { status, body: problem } = await ask<Problem>(name, body)
    expect([status, problem.code]).toEqual([422, 'params-invalid'])
    expect(problem.errors).toMatchObject([{ pointer, code }])
    expect(problem.detail).toMatch(message)
  })

  test('posted bars for a model of two timeframes, or beside a symbol, are refused', async () => {
    const bars = columns(await barsOf('1w'))
    const two = await ask<Problem>('weekly', { bars })
    expect([two.status, two.body.errors?.[0]?.pointer]).toEqual([422, '/body/bars'])
    expect(two.body.hint).toContain('Import the bars')
    const both = await ask<Problem>('daily', { bars, symbol: 'AAPL' })
    expect([both.status, both.body.errors?.[0]?.pointer]).toEqual([422, '/body/bars'])
    const weeks = await ask<Problem>('daily', { bars })
    expect([weeks.status, weeks.body.errors?.[0]?.code]).toEqual([422, 'spacing'])
    bars.high[3] = 0.01
    const wrong = await ask<Problem>('daily', { bars })
    expect([wrong.status, wrong.body.code]).toEqual([422, 'bars-invalid'])
  })

  test('a symbol that is not stored, and a model that is not there, come with the nearest', async () => {
    const symbol = await ask<Problem>('daily', { symbol: 'AAPLE' })
    expect([symbol.status, symbol.body.code]).toEqual([404, 'dataset-not-found'])
    expect(symbol.body.hint).toContain('AAPL')
    const near = `${ids.daily?.slice(0, -1)}${ids.daily?.endsWith('0') ? '1' : '0'}`
    const model = await program.request<Problem>('POST', `/api/v1/models/${near}/predict`, { body: june })
    expect([model.status, model.body.code]).toEqual([404, 'model-not-found'])
    expect(model.body.hint).toContain(ids.daily)
  })

  test.each([
    ['an unknown key', { symbol: 'AAPL', symbols: ['AAPL'] }],
    ['a symbol that leads elsewhere', { symbol: '../models' }],
    ['a date that is none', { symbol: 'AAPL', start: 'yesterday' }],
    ['a list', [{ symbol: 'AAPL' }]],
  ])('%s breaks the contract', async (_what, body) => {
    const answer = await ask<Problem>('daily', body)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request'])
  })
})

test.each([
  '/api/v1/models/..',
  '/api/v1/models/..%2f..%2fktrdr.sqlite',
  '/api/v1/models/%2e%2e%2fstrategies',
  '/api/v1/models/mdl_/files/manifest.json',
  '/api/v1/models/ID/files/..%2f..%2fktrdr.sqlite',
  '/api/v1/models/ID/files/%2e%2e%2f%2e%2e%2fktrdr.sqlite',
  '/api/v1/models/ID/files/published.json',
  '/api/v1/models/ID/files/manifest.json%00.yaml',
  '/api/v1/models/ID%00/files/manifest.json',
])('nothing but files of models is at %s', async path => {
  const answer = await program.get<Problem>(path.replace('ID', ids.daily ?? ''))
  expect([400, 404]).toContain(answer.status)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
})

test('a model is not deleted while an active operation names it, and is gone afterwards', async () => {
  const { model_id: id } = publishModel(program.home, untrainedModel('fuzzy_and_raw', 11), {
    now: 0,
    operationId: null,
  })
  const busy = await Promise.all(
    [1, 2].map(() => program.submit('exercise', { steps: 100_000, step_ms: 10 })),
  )
  const naming = { vendor: 'sample', symbols: [id], timeframes: ['1d'] }
  const waiting = await program.submit('data_download', naming)
  const refused = await program.request<Problem>('DELETE', `/api/v1/models/${id}`)
  expect([refused.status, refused.body.code]).toEqual([409, 'model-in-use'])
  expect(refused.body.detail).toContain(waiting.operation_id)
  for (const { operation_id } of [waiting, ...busy]) await program.cancel(operation_id)
  for (const { operation_id } of [waiting, ...busy]) await program.end(operation_id)
  expect((await program.request('DELETE', `/api/v1/models/${id}`)).status).toBe(204)
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/files/model.onnx'],
  ] as const) {
    const answer = await program.request<Problem>(method, `/api/v1/models/${id}${path}`)
    expect([answer.status, answer.body.code]).toEqual([404, 'model-not-found'])
  }
})

test('a damaged model says so, and can be deleted', async () => {
  const { model_id: id } = publishModel(program.home, untrainedModel('fuzzy_and_raw', 12), {
    now: 0,
    operationId: null,
  })
  rmSync(join(modelFolder(program.home, id), 'weights.safetensors'))
  for (const [method, path] of [
    ['POST', '/predict'],
    ['GET', '/files/weights.safetensors'],
  ] as const) {
    const body = method === 'POST' ? { body: { symbol: 'AAPL' } } : {}
    const answer = await program.request<Problem>(method, `/api/v1/models/${id}${path}`, body)
    expect([answer.status, answer.body.code]).toEqual([500, 'model-damaged'])
    expect(answer.body.detail).toContain('weights.safetensors is gone')
  }
  expect((await program.request('DELETE', `/api/v1/models/${id}`)).status).toBe(204)
})
