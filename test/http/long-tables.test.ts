import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

/** Bars that take a thread of their own to store and to render. */
const bars = 300_000
const startMs = Date.UTC(2023, 0, 1)
const timeOf = (bar: number) => new Date(startMs + bar * 60_000).toISOString()

let program: Program
beforeAll(async () => {
  // One that checks its answers compiles a route at its first request, which the others would wait for.
  program = await startProgram({ KTRDR_VALIDATE_RESPONSES: 'false' })
})
afterAll(stopPrograms)

const csv = () => {
  const rows = Array.from(
    { length: bars },
    (_, bar) => `${timeOf(bar)},100,102,99,${100 + (bar % 7) / 4},${bar}`,
  )
  return new TextEncoder().encode(`time,open,high,low,close,volume\n${rows.join('\n')}\n`)
}

/** The longest a request for /health/live took while the work went on, as a share of the work: 1 if it had to wait for the end. */
async function longestPingDuring(work: Promise<unknown>): Promise<number> {
  let isDone = false
  const begun = performance.now()
  const done = work.finally(() => {
    isDone = true
  })
  let worst = 0
  while (!isDone) {
    const started = performance.now()
    expect((await program.get('/health/live')).status).toBe(200)
    worst = Math.max(worst, performance.now() - started)
  }
  await done
  return worst / (performance.now() - begun)
}

test('storing 300,000 bars and reading parts of them as CSV keeps nobody else waiting', async () => {
  const path = '/api/v1/datasets/MINE/1m'
  const raw = csv()
  const stored = program.request('PUT', path, { raw, headers: { 'content-type': 'text/csv' } })
  const whileStoring = await longestPingDuring(stored)
  expect(await stored).toMatchObject({ status: 201, body: { bars, last_time: timeOf(bars - 1) } })

  const slice = (from: number, to: number) =>
    program.get(`${path}?start=${timeOf(from)}&end=${timeOf(to)}`, {
      accept: 'text/csv',
      'accept-encoding': 'identity',
    })
  const read = Promise.all([slice(1, bars), slice(10, 12)])
  const whileReading = await longestPingDuring(read)
  const [long, short] = await read
  expect(long.text.split('\r\n').length).toBe(bars - 1 + 2)
  expect(short.text.split('\r\n').slice(1, 3)).toEqual(
    [10, 11].map(bar => `${timeOf(bar)},${timeOf(bar + 1)},100,102,99,${100 + (bar % 7) / 4},${bar}`),
  )
  expect(Math.max(whileStoring, whileReading)).toBeLessThan(0.6)

  const wrong = Buffer.from(raw)
  wrong.write('999', raw.length - 40)
  const refused = await program.request('PUT', path, { raw: wrong, headers: { 'content-type': 'text/csv' } })
  expect([refused.status, refused.body]).toMatchObject([422, { code: 'bars-invalid' }])
})
