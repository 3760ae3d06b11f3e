import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { ServerEvent } from '../support/event-stream.ts'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
})
afterAll(stopPrograms)

const collect = async (
  path: string,
  headers: Record<string, string> = {},
  until: (event: ServerEvent) => boolean = () => false,
) => {
  const events: ServerEvent[] = []
  for await (const event of program.events(path, headers)) {
    events.push(event)
    if (until(event)) break
  }
  return events
}

test('a follower gets a snapshot first, then progress that never falls, then the end, then the stream ends', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1_500, step_ms: 1, metrics: 100 })
  const started = performance.now()
  const events = await collect(`/api/v1/operations/${id}/events`)
  const seconds = (performance.now() - started) / 1000
  expect(events[0]?.event).toBe('snapshot')
  expect(events.at(-1)).toMatchObject({
    event: 'status',
    data: { status: 'completed', progress: 100, result: { steps: 1_500 } },
  })
  const progress = events.filter(({ event }) => event === 'progress').map(({ data }) => Number(data.progress))
  expect(progress.length).toBeGreaterThan(3)
  expect(progress.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 2)
  expect(progress).toEqual([...progress].sort((a, b) => a - b))
  expect(events.map(event => event.id)).toEqual(events.map(() => expect.stringMatching(/^[1-9]\d*$/)))
  const ids = events.map(event => Number(event.id))
  expect(ids).toEqual([...ids].sort((a, b) => a - b))
  const points = events
    .filter(({ event }) => event === 'metrics')
    .flatMap(({ data }) => data.points as { seq: number }[])
  expect(points.map(({ seq }) => seq)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
})

test('following what has ended gives the snapshot and ends; having seen the end already is 204', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1 })
  const { revision } = await program.end(id)
  const events = await collect(`/api/v1/operations/${id}/events`)
  expect(events.map(({ event, data }) => [event, data.status])).toEqual([['snapshot', 'completed']])
  expect(
    (await program.get(`/api/v1/operations/${id}/events`, { 'last-event-id': String(revision) })).status,
  ).toBe(204)
})

test('one stream follows many operations, and a reconnect catches up with what changed meanwhile', async () => {
  const first = await program.submit('exercise', { steps: 300, step_ms: 1 })
  const events = await collect(
    '/api/v1/events',
    {},
    ({ event, data }) =>
      event === 'status' && data.operation_id === first.operation_id && data.status === 'completed',
  )
  expect(
    events.some(({ event, data }) => event === 'snapshot' && data.operation_id === first.operation_id),
  ).toBe(true)
  const last = events.at(-1)?.id ?? '0'
  const missed = await program.submit('exercise', { steps: 1 })
  await program.end(missed.operation_id)
  const caughtUp = await collect(
    '/api/v1/events',
    { 'last-event-id': last },
    ({ data }) => data.operation_id === missed.operation_id,
  )
  expect(caughtUp.at(-1)).toMatchObject({ data: { operation_id: missed.operation_id, status: 'completed' } })
})

test('streams are not compressed, not cached, and limited in number', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1 })
  const leaving = new AbortController()
  const open = () =>
    fetch(`${program.url}/api/v1/operations/${id}/events`, {
      headers: { 'accept-encoding': 'gzip' },
      signal: leaving.signal,
    })
  const streams = await Promise.all(Array.from({ length: 100 }, open))
  expect(new Set(streams.map(stream => stream.status))).toEqual(new Set([200]))
  expect(streams[0]?.headers.get('content-encoding')).toBeNull()
  expect(streams[0]?.headers.get('cache-control')).toBe('no-cache, no-transform')
  const refused = await open()
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
    429,
    'too-many-streams',
  ])
  leaving.abort()
  await program.cancel(id)
})
