import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ccxtVendor, firstTradeMs } from '../../src/vendors/ccxt.ts'
import type { BarsPage } from '../../src/vendors/vendor.ts'
import {
  askedForCandles,
  fetchPages,
  klines,
  klinesPath,
  pick,
  playBinance,
  requestOf,
  tell,
  timesOf,
  watchConnections,
} from './ccxt-server.ts'
import {
  answer,
  fault,
  makeContext,
  makeSettings,
  startVendorServer,
  type VendorServer,
} from './vendor-server.ts'

let server: VendorServer
beforeEach(async () => {
  server = await startVendorServer()
})
afterEach(() => server.close())

const hourMs = 3_600_000
const now = Date.UTC(2026, 0, 5, 12, 34)
/** Binance listed the market at 04:00 of 2025-09-20; the last candle opened at 12:00 and is not over. */
const listed = Date.UTC(2025, 8, 20, 4)
const truth = klines(listed, now)
const finished = truth.slice(0, -1).map(([time]) => time)
const context = (change: Parameters<typeof makeContext>[1] = {}) =>
  makeContext(server.url, { now: () => now, ...change })

describe('the pages of Binance', () => {
  test('are all candles from its first on, each once, in pages that begin where the last one ended', async () => {
    playBinance(server, tell(truth))
    const pages = await fetchPages(context())
    expect(timesOf(pages)).toEqual(finished)
    expect(pages.map(page => page.bars.length)).toEqual([1000, 1000, finished.length - 2000])
    const since = askedForCandles(server).map(({ query }) => Number(query.get('startTime')))
    // The years before the first candle are asked for again before they count as empty.
    expect(since).toEqual([firstTradeMs, firstTradeMs, listed + 1000 * hourMs, listed + 2000 * hourMs])
    expect(pages.at(-1)?.until).toBe(Date.UTC(2026, 0, 5, 12))
  })

  test('have the numbers as sent and close with their period', async () => {
    playBinance(server, tell(truth))
    const [page] = await fetchPages(context(), { start: listed, end: listed + hourMs })
    const [time, open, high, low, close, volume] = truth[0] ?? []
    expect([page?.bars.time[0], page?.bars.close_time[0]]).toEqual([time, listed + hourMs])
    expect(['open', 'high', 'low', 'close', 'volume'].map(name => page?.bars[name as 'open'][0])).toEqual(
      [open, high, low, close, volume].map(Number),
    )
  })

  test('may overlap, repeat and be unsorted', async () => {
    playBinance(
      server,
      tell(truth, page => [...page.slice(-3), ...page.toReversed(), ...page.slice(0, 5)].slice(0, 1008)),
    )
    expect(timesOf(await fetchPages(context()))).toEqual(finished)
  })

  test('may have gaps of any length, which stay gaps', async () => {
    const sparse = truth.filter((_, i) => i % 7 === 0 || (i > 1500 && i < 1502))
    playBinance(server, tell(sparse))
    const pages = await fetchPages(context())
    expect(timesOf(pages)).toEqual(sparse.map(([time]) => time).filter(time => Number(time) < now - hourMs))
  })

  test('hold the last candle once it is over', async () => {
    playBinance(server, tell(truth))
    let clock = now
    const change = { start: Date.UTC(2026, 0, 5, 11), end: Date.UTC(2026, 0, 6) }
    const clocked = makeContext(server.url, { now: () => clock })
    const before = await fetchPages(clocked, change)
    expect([timesOf(before), before[0]?.until]).toEqual([[change.start], Date.UTC(2026, 0, 5, 12)])
    clock += hourMs
    expect(timesOf(await fetchPages(clocked, change))).toEqual([change.start, Date.UTC(2026, 0, 5, 12)])
  })

  test('hold a candle some seconds after its end, lest a clock that is behind ours still calls it running', async () => {
    playBinance(server, tell(truth))
    const end = Date.UTC(2026, 0, 5, 12)
    const at = (clock: number) =>
      fetchPages(makeContext(server.url, { now: () => clock }), { start: end - 2 * hourMs, end: clock })
    for (const lateMs of [0, 9_999]) {
      const pages = await at(end + lateMs)
      expect([timesOf(pages), pages.at(-1)?.until]).toEqual([[end - 2 * hourMs], end - hourMs])
    }
    expect(timesOf(await at(end + 10_000))).toEqual([end - 2 * hourMs, end - hourMs])
  })

  test('end when the market was closed, after a look for later days', async () => {
    const closed = klines(listed, listed + 10 * hourMs)
    playBinance(server, tell(closed))
    const pages = await fetchPages(context())
    expect(timesOf(pages)).toEqual(closed.map(([time]) => time))
    // Each is asked for twice: the years before it was listed, those after it was closed, and their days.
    const asked = askedForCandles(server).map(({ query }) => query.get('interval'))
    expect(asked).toEqual(['1h', '1h', '1h', '1h', '1d', '1d'])
    expect(pages.flatMap(page => page.remarks ?? [])).toEqual([
      'binance has no 1h candles of BTC-USDT from 2025-09-20T14:00:00.000Z to 2026-01-05T12:00:00.000Z',
    ])
    expect(pages.at(-1)?.until).toBe(Date.UTC(2026, 0, 5, 12))
  })

  test('are none, in no request for candles, when the range holds no finished candle', async () => {
    playBinance(server, tell(truth))
    expect(await fetchPages(context(), { start: Date.UTC(2026, 0, 5, 12) })).toEqual([])
    expect(askedForCandles(server)).toEqual([])
  })
})

describe('faults', () => {
  const broken = {
    'HTTP 429 with Retry-After': fault.tooMany(0),
    'HTTP 500': fault.status(500),
    'HTTP 503': fault.status(503),
    'half a JSON text': fault.truncated(truth),
    'a connection that breaks': fault.cutOff(truth),
  }
  test.each(Object.entries(broken))('%s on any page changes nothing in the result', async (_name, reply) => {
    playBinance(server, reply, tell(truth), reply, tell(truth))
    expect(timesOf(await fetchPages(context()))).toEqual(finished)
    expect(askedForCandles(server).length).toBe(6)
  })

  test('Retry-After is waited for', async () => {
    playBinance(server, fault.tooMany(1), tell(truth))
    const waiting = context()
    await fetchPages(waiting, { start: now - 3 * hourMs })
    const [first, second] = askedForCandles(server)
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990)
    expect(waiting.waits.join()).toContain('HTTP 429')
  })

  test('after the last try the problem says who did not answer', async () => {
    playBinance(server, fault.status(500))
    const settings = makeSettings(server.url, { retries: 1 })
    await expect(fetchPages(context({ settings }))).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining(klinesPath),
    })
    expect(askedForCandles(server).length).toBe(2)
  })

  test('a market list that fails once is loaded again, in the same operation', async () => {
    playBinance(server, tell(truth))
    const shared = context({ settings: makeSettings(server.url, { retries: 0 }) })
    server.on('/api/v3/exchangeInfo', fault.status(500))
    await expect(fetchPages(shared)).rejects.toMatchObject({ code: 'vendor-unavailable' })
    playBinance(server, tell(truth))
    expect((await fetchPages(shared, { start: now - 3 * hourMs })).length).toBe(1)
  })

  test.each([
    [451, { code: 0, msg: 'Service unavailable from a restricted location.' }],
    [400, { code: -1100, msg: 'Illegal characters found.' }],
  ])('HTTP %d is told at once with what the exchange says', async (status, body) => {
    playBinance(server, answer(body, status))
    await expect(fetchPages(context())).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining('binance'),
    })
    expect(askedForCandles(server).length).toBe(1)
  })

  test('a symbol that the exchange lists and then denies is missing', async () => {
    playBinance(server, answer({ code: -1121, msg: 'Invalid symbol.' }, 400))
    await expect(fetchPages(context())).rejects.toMatchObject({ code: 'bars-missing' })
  })

  const junk = [
    '{}',
    'null',
    '"maintenance"',
    '[]',
    '{"error":"internal"}',
    '{"error":[]}',
    '[[null]]',
    '[1,2,3]',
  ]
  const words = ['{"code":0,"msg":"maintenance"}', '{"code":-1003,"msg":"Too many requests."}', '[[1e9]]x']
  test.each([...junk, ...words])('%s instead of candles changes nothing in the result', async body => {
    playBinance(server, tell(truth), answer(body), tell(truth))
    expect(timesOf(await fetchPages(context()))).toEqual(finished)
  })

  test.each([...junk.filter(body => body !== '[]'), '[[]]', '[{"a":1}]', '{"a":[[1,2]]}'])(
    '%s for ever is a problem and no time without candles',
    async body => {
      playBinance(server, tell(truth), answer(body))
      const settings = makeSettings(server.url, { retries: 1 })
      const pages: BarsPage[] = []
      const read = async () => {
        const request = { ...requestOf(now), start: listed }
        for await (const page of ccxtVendor.fetchBars(request, context({ settings }))) pages.push(page)
      }
      await expect(read()).rejects.toMatchObject({
        name: 'Problem',
        code: expect.stringMatching(/^(bars-invalid|vendor-unavailable)$/),
        message: expect.stringMatching(/^binance sent/),
      })
      expect(pages.map(page => page.until)).toEqual([listed + 1000 * hourMs])
    },
  )

  test('no candles for days that show trades is a problem, and nothing of that time is told', async () => {
    const days = klines(Date.UTC(2025, 8, 20), now, '1d')
    const denied = answer(({ query }) => (query.get('interval') === '1d' ? pick(days, { query }) : []))
    playBinance(server, tell(truth), denied)
    const pages: BarsPage[] = []
    const read = async () => {
      const request = { ...requestOf(now), start: listed }
      for await (const page of ccxtVendor.fetchBars(request, context())) pages.push(page)
    }
    await expect(read()).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining('no 1h candle from 2025-11-01'),
    })
    expect(pages.map(page => page.until)).toEqual([listed + 1000 * hourMs])
  })

  test('an answer with one candle of much later skips none', async () => {
    const [last = []] = truth.slice(-2)
    const stray = tell(truth, page => [...page.slice(0, 10), last])
    playBinance(server, stray, tell(truth), stray, tell(truth))
    expect(timesOf(await fetchPages(context(), { start: listed }))).toEqual(finished)
  })

  test('a ban with HTTP 418 is one request for all symbols', async () => {
    playBinance(server, answer('banned', 418, { 'retry-after': '3600' }))
    const shared = context()
    await expect(fetchPages(shared)).rejects.toMatchObject({ message: expect.stringContaining('HTTP 418') })
    for (const symbol of ['ETH-USDT', 'SOL-USDT']) {
      await expect(fetchPages(shared, { symbol })).rejects.toMatchObject({
        code: 'vendor-unavailable',
        message: expect.stringMatching(/left alone until 2026-01-05T13:3[34]/),
      })
    }
    expect(askedForCandles(server).length).toBe(1)
  })
})

describe('stopping', () => {
  test('ends a request that is not answered', async () => {
    playBinance(server, fault.silent(truth))
    const stop = new AbortController()
    const stopped = fetchPages(context({ signal: stop.signal }))
    await Promise.all([
      expect(stopped).rejects.toMatchObject({ name: 'AbortError' }),
      server.sees(2).then(() => stop.abort()),
    ])
  })

  test('ends a wait that the exchange asked for', async () => {
    playBinance(server, fault.tooMany(15))
    const stop = new AbortController()
    const onWait = (reason: string) => {
      if (reason.includes('trying again')) stop.abort()
    }
    await expect(fetchPages(context({ signal: stop.signal, onWait }))).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})

describe('what is asked for', () => {
  test('an exchange that ccxt does not know is named with the nearest', async () => {
    await expect(fetchPages(context(), { exchange: 'binanse' })).rejects.toMatchObject({
      code: 'params-invalid',
      hint: "Did you mean 'binance'?",
      errors: [{ pointer: '/body/params/exchange' }],
    })
    await expect(fetchPages(context(), { exchange: 'bitflyer' })).rejects.toMatchObject({
      message: expect.stringContaining('no candles'),
    })
    expect(server.requests).toEqual([])
  })

  test('a symbol that the exchange has not is named with the nearest', async () => {
    playBinance(server, tell(truth))
    await expect(fetchPages(context(), { symbol: 'BTCUSDT' })).rejects.toMatchObject({
      code: 'bars-missing',
      hint: expect.stringContaining('BTC-USDT'),
    })
    expect(askedForCandles(server)).toEqual([])
  })

  test('several symbols of one operation load the list of markets once, and no host but the configured one is asked', async () => {
    const connections = watchConnections()
    try {
      playBinance(server, tell(truth))
      const shared = context()
      for (const symbol of ['BTC-USDT', 'ETH-USDT'])
        await fetchPages(shared, { symbol, start: now - 5 * hourMs })
      expect(server.requests.map(request => request.path)).toEqual([
        '/api/v3/exchangeInfo',
        klinesPath,
        klinesPath,
      ])
      expect([...connections.hosts]).toEqual(['127.0.0.1'])
    } finally {
      connections.stop()
    }
  })

  test('symbols are listed from all markets, active first', async () => {
    playBinance(server)
    for (const kind of ['fapi', 'dapi']) server.on(`/${kind}/v1/exchangeInfo`, answer({ symbols: [] }))
    expect(await ccxtVendor.listSymbols?.(null, context())).toEqual([
      { symbol: 'BTC-USDT', description: 'BTC/USDT, spot' },
      { symbol: 'ETH-USDT', description: 'ETH/USDT, spot' },
      { symbol: 'SOL-USDT', description: 'SOL/USDT, spot' },
      { symbol: 'OLD-USDT', description: 'OLD/USDT, spot, not active' },
    ])
  })
})
