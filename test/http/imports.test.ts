import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { barsTable } from '../../src/archive/bars.ts'
import { renderTable } from '../../src/archive/render.ts'
import { makeBars } from '../archive/folder.ts'
import { type Problem, type Program, stopPrograms } from '../support/program.ts'
import { startDeclaredProgram } from './declared.ts'

let program: Program
beforeAll(async () => {
  program = await startDeclaredProgram()
})
afterAll(stopPrograms)

type Answered = { readonly bars: number; readonly sha256: string; readonly warnings: readonly string[] }

const mediaTypes = { csv: 'text/csv', parquet: 'application/vnd.apache.parquet' } as const

const put = <T = Answered>(path: string, format: keyof typeof mediaTypes, raw: string | Uint8Array) =>
  program.request<T>('PUT', `/api/v1/datasets/${path}`, {
    raw,
    headers: { 'content-type': mediaTypes[format] },
  })

const rendered = (length: number, format: 'csv' | 'parquet') =>
  renderTable(barsTable(makeBars(length)), format)

test('CSV and Parquet of the same bars make the same dataset: created, then replaced', async () => {
  const csv = await put('SAME/1d?calendar=24-7', 'csv', rendered(400, 'csv'))
  const parquet = await put('SAME/1d?calendar=24-7', 'parquet', rendered(400, 'parquet'))
  expect([csv.status, parquet.status]).toEqual([201, 200])
  expect(csv.body).toMatchObject({ bars: 400, warnings: [] })
  expect(parquet.body.sha256).toBe(csv.body.sha256)
})

test('what was assumed about a file is in the answer', async () => {
  const { body } = await put('WARN/1d', 'csv', 'date,open,high,low,close\n2024-01-02,1,1,1,1\n')
  expect(body.warnings).toEqual(['The file has no volume column: volume is 0 in every bar.'])
})

test('a refusal names line and column and leaves the stored bars as they were', async () => {
  await put('KEPT/1d', 'csv', rendered(10, 'csv'))
  const before = await program.get<Answered>('/api/v1/datasets/KEPT/1d', { accept: 'text/csv' })
  const refused = await put<Problem>('KEPT/1d', 'csv', 'date,open,high,low,close\n2024-01-02,1,x,1,1\n')
  expect(refused.status).toBe(422)
  expect(refused.body).toMatchObject({
    code: 'bars-invalid',
    errors: [{ pointer: '/lines/2/high', line: 2, column: 14 }],
  })
  const parquet = await put<Problem>('KEPT/1d', 'parquet', 'PAR1 is not all of it')
  expect([parquet.status, parquet.body.code]).toEqual([422, 'bars-invalid'])
  expect((await program.get('/api/v1/datasets/KEPT/1d', { accept: 'text/csv' })).text).toBe(before.text)
})

type Upload = { readonly request: ClientRequest; readonly answer: Promise<IncomingMessage> }

/** Begins to send a file and does not end it. */
function beginUpload(path: string, text: string): Upload {
  const headers = { 'content-type': 'text/csv', 'transfer-encoding': 'chunked' }
  const request = openRequest(`${program.url}/api/v1/datasets/${path}`, { method: 'PUT', headers })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  request.write(text)
  return { request, answer }
}

test('of nine uploads that do not end, one is refused at once and the others are imported when they end', async () => {
  const text = 'date,open,high,low,close,volume\n2024-01-02,1,1,1,1,1\n'
  const uploads = Array.from({ length: 9 }, (_, i) => beginUpload(`HELD${i}/1d`, text))
  const refused = await Promise.race(
    uploads.map(({ answer }, i) => answer.then(response => ({ i, response }))),
  )
  expect(refused.response.statusCode).toBe(429)
  expect(Number(refused.response.headers['retry-after'])).toBeGreaterThan(0)
  expect(await json(refused.response)).toMatchObject({ code: 'queue-full' })
  for (const { request } of uploads) request.end()
  const others = await Promise.all(uploads.filter((_, i) => i !== refused.i).map(({ answer }) => answer))
  expect(others.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 8 }, () => 201))
  for (const response of others) response.resume()
  expect((await put(`HELD${refused.i}/1d`, 'csv', text)).status).toBe(201)
})

test('a bar that is not complete is left out, and the answer says so', async () => {
  const text = 'date,open,high,low,close,volume\n2024-01-02,1,1,1,1,1\n2999-01-02,1,1,1,1,1\n'
  const { status, body } = await put('FUTURE/1d', 'csv', text)
  expect([status, body.bars]).toEqual([201, 1])
  expect(body.warnings).toEqual([
    '1 bar is not complete yet and was left out; the first opens at 2999-01-02T00:00:00.000Z.',
  ])
})

test('while a long file is imported, other requests are answered', async () => {
  const row = (i: number) => `${1_600_000_000 + i * 60},1.5,2.5,0.5,1.25,${i}\n`
  const text = `time,open,high,low,close,volume\n${Array.from({ length: 400_000 }, (_, i) => row(i)).join('')}`
  let isDone = false
  const sent = put('LONG/1m', 'csv', text).finally(() => {
    isDone = true
  })
  let answered = 0
  while (!isDone) {
    expect((await program.get('/api/v1/system')).status).toBe(200)
    answered++
  }
  expect((await sent).body.bars).toBe(400_000)
  expect(answered).toBeGreaterThan(20)
})
