import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Problem } from '../../src/problems.ts'
import { askVendor, retryAfterMsOf, UnreadableAnswer, type VendorRefusal } from '../../src/vendors/http.ts'
import { createPacing } from '../../src/vendors/pacing.ts'
import {
  answer,
  fault,
  makeContext,
  makeSettings,
  type Reply,
  startVendorServer,
  type VendorServer,
} from './vendor-server.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

const truth = { answer: 42 }
const request = {
  vendor: 'yahoo',
  home: 'http://127.0.0.1:9',
  path: '/chart',
  query: { key: 'secret-key' },
} as const
const readJson = (text: string) => JSON.parse(text) as unknown
const soon = () => 0

function ask(replies: readonly Reply[], change: Parameters<typeof makeContext>[1] = {}, random = soon) {
  server.on('/chart', ...replies)
  const context = makeContext(server.url, change)
  return askVendor(request, context, readJson, random)
}

describe('what passes is tried again', () => {
  const faults: Record<string, Reply> = {
    'a 500': fault.status(500),
    'a 503': fault.status(503),
    'a 408': fault.status(408),
    'a 418': fault.status(418),
    'a 425': fault.status(425),
    'a 429 without Retry-After': fault.tooMany(),
    'a 429 that asks for no wait': fault.tooMany(0),
    'truncated JSON': fault.truncated(truth),
    'a reset connection': fault.reset(),
    'a connection reset in the middle of the body': fault.cutOff(truth),
  }
  for (const [name, reply] of Object.entries(faults)) {
    test(name, async () => {
      await expect(ask([reply, answer(truth)])).resolves.toEqual(truth)
      expect(server.requests.length).toBe(2)
    })
  }

  test('an answer that stops in the middle, after the time of a try', async () => {
    const settings = makeSettings(server.url, { timeoutMs: 80 })
    await expect(ask([fault.silent(truth), answer(truth)], { settings })).resolves.toEqual(truth)
  })

  test('a reader says that an answer is not what the vendor sends', async () => {
    server.on('/chart', answer('<html>'), answer('1,2'))
    const read = (text: string) => {
      if (text.startsWith('<')) throw new UnreadableAnswer('HTML instead of CSV')
      return text
    }
    expect(await askVendor(request, makeContext(server.url), read, soon)).toBe('1,2')
  })
})

test('a refusal is told once, with its status and body', async () => {
  for (const status of [302, 400, 401, 403, 404, 422]) {
    const before = server.requests.length
    const refusal = await ask([answer({ why: 'not you' }, status, { location: '/elsewhere' })]).catch(
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({
      code: 'vendor-unavailable',
      status,
      body: '{"why":"not you"}',
    } satisfies Partial<VendorRefusal>)
    expect(server.requests.length).toBe(before + 1)
  }
})

test('after the last try the vendor is unavailable: who, what, how often and why, and no secret', async () => {
  const context = { settings: makeSettings(server.url, { retries: 2 }) }
  const error = await ask([fault.status(500), fault.reset(), fault.status(503)], context).catch(
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(Problem)
  expect(error).toMatchObject({
    code: 'vendor-unavailable',
    message: 'yahoo was asked 3 times for /chart; last: HTTP 503',
    hint: expect.stringContaining('Try again later'),
  })
  expect(JSON.stringify((error as Problem).toData())).not.toContain('secret-key')
  expect(server.requests.length).toBe(3)
})

test('a Problem of the reader passes, and a bug of the reader is not hidden by tries', async () => {
  server.on('/chart', answer(truth))
  const context = makeContext(server.url)
  const unknown = new Problem('bars-missing', 'no such symbol')
  const bug = new RangeError('oops')
  for (const thrown of [unknown, bug]) {
    const read = () => {
      throw thrown
    }
    await expect(askVendor(request, context, read, soon)).rejects.toBe(thrown)
  }
  expect(server.requests.length).toBe(2)
})

describe('Retry-After', () => {
  test('in seconds is obeyed, and the wait is told', async () => {
    server.on('/chart', fault.tooMany(1), answer(truth))
    const context = makeContext(server.url)
    await askVendor(request, context, readJson, soon)
    const [first, second] = server.requests
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990)
    expect(context.waits).toContain('yahoo: HTTP 429; trying again in 1 s')
  })

  test('as a date counts from the date of the vendor, else from our clock', () => {
    const date = (seconds: number) => new Date(Date.UTC(2026, 0, 5, 12, 0, seconds)).toUTCString()
    const nowMs = Date.UTC(2026, 0, 5, 12, 0, 10)
    const of = (headers: Record<string, string>) => retryAfterMsOf(new Headers(headers), nowMs)
    expect(of({ 'retry-after': date(30), date: date(25) })).toBe(5_000)
    expect(of({ 'retry-after': date(30) })).toBe(20_000)
    expect(of({ 'retry-after': date(3) })).toBe(0)
    expect(of({ 'retry-after': '7' })).toBe(7_000)
    for (const text of ['', '-1', '1.5', 'soon', '5 s']) expect(of({ 'retry-after': text })).toBeNull()
  })

  test('as a date is obeyed', async () => {
    const replies = [fault.tooMany(new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000)), answer(truth)]
    await ask(replies)
    const [first, second] = server.requests
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(900)
  })

  test('beyond the total time ends the tries at once', async () => {
    const began = performance.now()
    await expect(ask([fault.tooMany(3600), answer(truth)])).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message:
        'yahoo was asked once for /chart; last: HTTP 429, and a further try after 3600 s would exceed the 20 s allowed',
    })
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(server.requests.length).toBe(1)
  })

  test('beyond the total time keeps all others from asking until then', async () => {
    const pacing = createPacing()
    for (const reply of [fault.tooMany(3600), answer('banned', 418, { 'retry-after': '3600' })]) {
      server.on('/chart', reply)
      await expect(
        askVendor(request, makeContext(server.url, { pacing }), readJson, soon),
      ).rejects.toMatchObject({ code: 'vendor-unavailable' })
    }
    expect(server.requests.length).toBe(1)
    await expect(
      askVendor(request, makeContext(server.url, { pacing }), readJson, soon),
    ).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringMatching(/^yahoo is left alone until 2026-01-05T0[01]:/),
    })
    const stooq = { ...request, vendor: 'stooq' } as const
    server.on('/chart', answer(truth))
    await expect(askVendor(stooq, makeContext(server.url, { pacing }), readJson, soon)).resolves.toEqual(
      truth,
    )
  })

  test('holds back whoever else wants to ask', async () => {
    server.on('/chart', fault.tooMany(1), answer(truth))
    const pacing = createPacing()
    let others: Promise<unknown> | undefined
    const onWait = (reason: string) => {
      if (reason.includes('trying again'))
        others ??= askVendor(request, makeContext(server.url, { pacing }), readJson, soon)
    }
    await askVendor(request, makeContext(server.url, { pacing, onWait }), readJson, soon)
    await others
    const [refused, ...later] = server.requests.map(({ atMs }) => atMs)
    expect(later.length).toBe(2)
    for (const atMs of later) expect(atMs - (refused ?? 0)).toBeGreaterThanOrEqual(990)
  })
})

test('waits grow at random up to a time that doubles', async () => {
  const settings = makeSettings(server.url, { retries: 3 })
  const context = makeContext(server.url, { settings })
  server.on('/chart', fault.status(500), fault.status(500), fault.status(500), answer(truth))
  await askVendor(request, context, readJson, () => 0.2)
  expect(context.waits.filter(reason => reason.includes('HTTP 500'))).toEqual(
    ['0.1', '0.2', '0.4'].map(wait => `yahoo: HTTP 500; trying again in ${wait} s`),
  )
})

test('the total time bounds a try that does not answer', async () => {
  const settings = makeSettings(server.url, { timeoutMs: 60_000, retryTotalMs: 150 })
  await expect(ask([fault.silent(truth)], { settings })).rejects.toMatchObject({
    code: 'vendor-unavailable',
    message: expect.stringContaining('no full answer within'),
  })
})

describe('a stop', () => {
  test('ends a wait at once', async () => {
    const stop = new AbortController()
    const onWait = (reason: string) => {
      if (reason.includes('trying again')) stop.abort(new Error('any reason'))
    }
    const began = performance.now()
    await expect(ask([fault.tooMany(10)], { signal: stop.signal, onWait })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  test('ends a request that is under way', async () => {
    const stop = new AbortController()
    const settings = makeSettings(server.url, { retries: 0 })
    const asked = ask([fault.silent(truth)], { signal: stop.signal, settings })
    await server.sees(1)
    stop.abort('a reason that is no error')
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('asks nothing when it came before', async () => {
    await expect(ask([answer(truth)], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(server.requests).toEqual([])
  })
})

test('an answer without end is refused', async () => {
  const megabyte = 'x'.repeat(1_048_576)
  server.on('/chart', (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(megabyte));
    }
    response.on('drain', more)
    more()
  })
  await expect(askVendor(request, makeContext(server.url), readJson, soon)).rejects.toMatchObject({
    code: 'vendor-unavailable',
    message: 'yahoo answered /chart with more than 67108864 bytes',
  })
  expect(server.requests.length).toBe(1)
})

test('we say who we are', async () => {
  await ask([answer(truth)])
  expect(server.requests[0]?.headers['user-agent']).toContain('ktrdr')
  expect(server.requests[0]?.query.get('key')).toBe('secret-key')
})
