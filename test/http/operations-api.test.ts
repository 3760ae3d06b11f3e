import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Problem, type Program, stopPrograms } from '../support/program.ts'
import { startDeclaredProgram } from './declared.ts'

let program: Program
beforeAll(async () => {
  program = await startDeclaredProgram()
})
afterAll(stopPrograms)

type Page = { items: Operation[]; next_cursor: string | null }
const create = (body: object, headers: Record<string, string> = {}) =>
  program.request<Operation>('POST', '/api/v1/operations', { body, headers })
const exercise = (params: object = {}) => ({ type: 'exercise', params: { steps: 1, ...params } })

const keys =
  `operation_id status progress phase error created_at updated_at type params priority attempt max_attempts
  started_at completed_at queued_position steps rate eta_seconds worker heartbeat_at parent_operation_id children result problem
  warnings cancellation checkpoint can provenance revision links`.split(/\s+/)

test('a start answers 202 with the operation, where to follow it and when to ask again; every key is there at every moment', async () => {
  const answer = await create(exercise({ steps: 20, step_ms: 1 }))
  expect(answer.status).toBe(202)
  const { operation_id: id } = answer.body
  expect(answer.headers.get('location')).toBe(`/api/v1/operations/${id}`)
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(answer.headers.get('etag')).toBe(`W/"${id}:1"`)
  expect(Object.keys(answer.body)).toEqual(keys)
  expect(Object.keys(await program.end(id))).toEqual(keys)
})

test('the defaults that will run are in the params', async () => {
  const { body } = await create({ type: 'exercise', params: {} })
  expect(body.params).toMatchObject({
    steps: 100,
    step_ms: 1,
    metrics: 0,
    checkpoint_every: 0,
    deaf: false,
    stall_ms: 20_000,
    fail_at: null,
    seed: 1,
  })
})

test('Prefer: wait answers 200 with the ended operation, or 202 when the time is up', async () => {
  const ended = await create(exercise(), { prefer: 'wait=20' })
  expect([ended.status, ended.body.status, ended.headers.get('preference-applied')]).toEqual([
    200,
    'completed',
    'wait=20',
  ])
  const going = await create(exercise({ steps: 1_000_000, step_ms: 1 }), { prefer: 'respond-async, wait=1' })
  expect([going.status, going.body.status]).toEqual([202, 'running'])
  await program.cancel(going.body.operation_id)
  const longest = await create(exercise(), { prefer: 'wait=99999999999' })
  expect([longest.status, longest.headers.get('preference-applied')]).toEqual([200, 'wait=30'])
})

test('the same Idempotency-Key gives the same operation, with or without quotes; another body under it is 422', async () => {
  const first = await create(exercise({ seed: 7 }), { 'idempotency-key': 'abc-1' })
  const again = await create(
    { params: { seed: 7, steps: 1 }, type: 'exercise' },
    { 'idempotency-key': '"abc-1"' },
  )
  expect([again.status, again.body.operation_id]).toEqual([202, first.body.operation_id])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  const other = await program.request<Problem>('POST', '/api/v1/operations', {
    body: exercise({ seed: 8 }),
    headers: { 'idempotency-key': 'abc-1' },
  })
  expect([other.status, other.body.code]).toEqual([422, 'idempotency-key-reused'])
})

test('a dry run answers a plan and starts nothing', async () => {
  const before = (await program.get<{ total: number }>('/api/v1/operations/counts')).body.total
  const answer = await program.request('POST', '/api/v1/operations?dry_run=true', {
    body: exercise({ steps: 12 }),
  })
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({
    dry_run: true,
    type: 'exercise',
    steps: { total: 12, unit: 'step' },
    params: { steps: 12, seed: 1 },
  })
  expect((await program.get<{ total: number }>('/api/v1/operations/counts')).body.total).toBe(before)
})

test('an unchanged operation is 304, HEAD has the headers without the body', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 1 })
  await program.end(id)
  const first = await program.get(`/api/v1/operations/${id}`)
  const etag = first.headers.get('etag') ?? ''
  const unchanged = await program.get(`/api/v1/operations/${id}`, { 'if-none-match': etag })
  expect([unchanged.status, unchanged.text, unchanged.headers.get('etag')]).toEqual([304, '', etag])
  expect((await program.get(`/api/v1/operations/${id}`, { 'if-none-match': `W/"${id}:1"` })).status).toBe(200)
  const head = await program.request('HEAD', `/api/v1/operations/${id}`)
  expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', etag])
  expect(first.headers.get('retry-after')).toBeNull()
})

test('a long-poll answers when the operation changes or has ended, or when its time is up', async () => {
  const { operation_id: id, revision } = await program.submit('exercise', { steps: 300, step_ms: 1 })
  const changed = await program.get<Operation>(`/api/v1/operations/${id}?wait=10&revision=${revision}`)
  expect(changed.body.revision).toBeGreaterThan(revision)
  const done = await program.end(id)
  const poll = async (of: string, from: number) => {
    const started = performance.now()
    const { body } = await program.get<Operation>(`/api/v1/operations/${of}?wait=1&revision=${from}`)
    return { revision: body.revision, ms: performance.now() - started }
  }
  const ended = await poll(id, done.revision)
  expect(ended.revision).toBe(done.revision)
  expect(ended.ms).toBeLessThan(900)
  const busy = await Promise.all(
    [0, 1].map(() => program.submit('exercise', { steps: 1_000_000, step_ms: 1 })),
  )
  const pending = await program.submit('exercise', { steps: 1 })
  const waited = await poll(pending.operation_id, pending.revision)
  expect(waited.revision).toBe(pending.revision)
  expect(waited.ms).toBeGreaterThan(900)
  for (const { operation_id: of } of [...busy, pending]) await program.cancel(of)
})

test('pages follow each other by cursor without gap or repeat, and a foreign cursor is 400', async () => {
  const made: string[] = []
  for (let seed = 900; seed < 907; seed++)
    made.push((await program.submit('exercise', { steps: 1, seed })).operation_id)
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page: { body: Page } = await program.get<Page>(
      `/api/v1/operations?q=%22seed%22:90&limit=3${cursor === null ? '' : `&cursor=${cursor}`}`,
    )
    seen.push(...page.body.items.map(operation => operation.operation_id))
    cursor = page.body.next_cursor
  } while (cursor !== null)
  expect(seen).toEqual(made.reverse())
  const first = await program.get<Page>('/api/v1/operations?limit=1')
  for (const bad of [
    'nonsense',
    `${first.body.next_cursor}&status=failed`,
    Buffer.from('[1]').toString('base64url'),
  ]) {
    const refused = await program.get<Problem>(`/api/v1/operations?limit=1&cursor=${bad}`)
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid-cursor'])
  }
})

test('lists filter by status and type, each repeatable', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 9, fail_at: 2 })
  await program.end(id)
  const failed = await program.get<Page>('/api/v1/operations?status=failed&status=cancelled&type=exercise')
  expect(failed.body.items.map(operation => operation.operation_id)).toContain(id)
  expect(failed.body.items.every(operation => ['failed', 'cancelled'].includes(operation.status))).toBe(true)
  expect((await program.get<Page>('/api/v1/operations?status=failed&type=backtesting')).body.items).toEqual(
    [],
  )
})

test('metrics come in pages of points with units, logs in lines', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 20, metrics: 2, allocate_mb: 1 })
  await program.end(id)
  type Metrics = {
    series: { name: string; units: object; points: { seq: number; values: { step: number } }[] }[]
    next_after: number
    more: boolean
  }
  const first = await program.get<Metrics>(`/api/v1/operations/${id}/metrics?limit=6`)
  expect(first.body).toMatchObject({
    next_after: 6,
    more: true,
    series: [{ name: 'steps', units: { step: 'step' } }],
  })
  const rest = await program.get<Metrics>(`/api/v1/operations/${id}/metrics?after=6`)
  expect(rest.body.more).toBe(false)
  expect(
    [...(first.body.series[0]?.points ?? []), ...(rest.body.series[0]?.points ?? [])].map(
      ({ values }) => values.step,
    ),
  ).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
  const logs = await program.get<{ items: { message: string }[] }>(`/api/v1/operations/${id}/logs`)
  expect(logs.body.items.map(({ message }) => message)).toEqual(['held 1 MiB'])
})

test('a deleted operation is gone with its checkpoints', async () => {
  const { operation_id: id } = await program.submit('exercise', { steps: 9, checkpoint_every: 2, fail_at: 7 })
  await program.end(id)
  const checkpoints = await program.get<{ items: object[] }>(`/api/v1/operations/${id}/checkpoints`)
  expect(checkpoints.body.items).toMatchObject([{ label: 'step 6', last: true }])
  expect((await program.request('DELETE', `/api/v1/operations/${id}`)).status).toBe(204)
  expect((await program.get(`/api/v1/operations/${id}`)).status).toBe(404)
})
