import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import type { DataDownloadResult } from '../../src/operations/data-download.ts'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'
import { type Kline, klines, pick, playBinance } from '../vendors/ccxt-server.ts'
import { answer, fault, type Reply, startVendorServer, type VendorServer } from '../vendors/vendor-server.ts'

afterAll(stopPrograms)
let vendor: VendorServer
beforeEach(async () => {
  vendor = await startVendorServer()
})
afterEach(() => vendor.close())

const hourMs = 3_600_000
const listed = Date.UTC(2025, 8, 1)
const december = Date.UTC(2025, 11, 1)
const now = Date.UTC(2026, 0, 5, 12, 34)
const symbols = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT']
const timeframes = ['15m', '1h'] as const
type Timeframe = (typeof timeframes)[number]

/** Every pair has prices of its own; the last candle is not over. */
function truthOf(symbol: string, timeframe: Timeframe, untilMs = now): Kline[] {
  const factor = symbols.indexOf(symbol) + 1
  return klines(listed, untilMs, timeframe).map(([time, ...values]) => [
    time as number,
    ...values.slice(0, 4).map(value => String(Number(value) * factor)),
    ...values.slice(4),
  ])
}

const honest =
  (untilMs = now): Reply =>
  (request, response) => {
    const symbol = symbols.find(name => name.replace('-', '') === request.query.get('symbol')) ?? ''
    const timeframe = timeframes.find(name => name === request.query.get('interval')) ?? '1h'
    answer(pick(truthOf(symbol, timeframe, untilMs), request))(request, response)
  }

const start = (clock: number) =>
  startProgram(
    {
      CLOCK_START: new Date(clock).toISOString(),
      KTRDR_CCXT_URL: vendor.url,
      KTRDR_CCXT_INTERVAL_MS: '0',
      KTRDR_VENDOR_RETRY_TOTAL_MS: '30000',
      KTRDR_MAX_ATTEMPTS: '100',
    },
    'test/support/clocked-main.ts',
  )

/** Open time and close of what is stored. */
async function stored(program: Program, symbol: string, timeframe: string): Promise<[number, number][]> {
  const { text } = await program.get(`/api/v1/datasets/${symbol}/${timeframe}`, { accept: 'text/csv' })
  const rows = text.trim().split('\r\n').slice(1)
  return rows.map(row => row.split(',')).map(cells => [Date.parse(cells[0] ?? ''), Number(cells[5])])
}

const finished = (truth: readonly Kline[], timeframe: Timeframe, clock: number) =>
  truth
    .filter(([time]) => Number(time) + (timeframe === '1h' ? hourMs : hourMs / 4) <= clock)
    .map(([time, , , , close]) => [Number(time), Number(close)])

/** Waits until so many requests have come. */
async function reaches(count: () => number, wanted: number): Promise<void> {
  const deadline = Date.now() + 60_000
  while (count() < wanted) {
    if (Date.now() > deadline) throw new Error(`only ${count()} requests came`)
    await sleep(5)
  }
}

const download = (program: Program, more: object) =>
  program.submit('data_download', { vendor: 'ccxt', symbols, timeframes, ...more })

test('three pairs at two timeframes come whole through 429s, a 500 and kill -9, each bar once; a second tail run asks for new bars only', async () => {
  let seen = 0
  playBinance(vendor, (request, response) => {
    seen += 1
    if (seen % 7 === 3) return fault.tooMany(seen === 3 ? 1 : undefined)(request, response)
    if (seen === 11) return fault.status(500)(request, response)
    if (seen === 13) return fault.truncated([])(request, response)
    honest()(request, response)
  })
  const program = await start(now)
  const { operation_id } = await download(program, { mode: 'full', start: '2025-09-01' })
  for (const moment of [9, 19, 33]) {
    await reaches(() => seen, moment)
    await program.kill()
    await program.start()
  }
  const ended = await program.end(operation_id)
  expect(ended).toMatchObject({ status: 'completed', warnings: [], result: { partial: false, failures: [] } })
  expect(ended.attempt).toBeGreaterThan(1)
  const result = ended.result as DataDownloadResult
  expect(result.datasets.map(({ symbol, timeframe }) => `${symbol} ${timeframe}`)).toEqual(
    symbols.flatMap(symbol => timeframes.map(timeframe => `${symbol} ${timeframe}`)),
  )
  for (const { symbol, timeframe } of result.datasets) {
    const truth = truthOf(symbol, timeframe as Timeframe)
    expect(await stored(program, symbol, timeframe)).toEqual(finished(truth, timeframe as Timeframe, now))
    const gaps = await program.get<{ gaps: unknown[] }>(`/api/v1/datasets/${symbol}/${timeframe}/gaps`)
    expect(gaps.body.gaps).toEqual([])
  }

  // An hour later the bar that was running is over, and three or four more of a quarter.
  const later = now + hourMs
  playBinance(vendor, honest(later))
  await program.kill()
  await program.start({ CLOCK_START: new Date(later).toISOString() })
  const asked = vendor.requests.length
  const tail = await program.end((await download(program, { mode: 'tail' })).operation_id, 60)
  const added = (tail.result as DataDownloadResult).datasets.map(dataset => dataset.added_bars)
  expect(added).toEqual([4, 1, 4, 1, 4, 1])
  const since = vendor.requests.slice(asked).flatMap(({ query }) => query.get('startTime') ?? [])
  expect(Math.min(...since.map(Number))).toBeGreaterThan(now - 2 * hourMs)
  for (const symbol of symbols) {
    for (const timeframe of timeframes) {
      const truth = truthOf(symbol, timeframe, later)
      expect(await stored(program, symbol, timeframe)).toEqual(finished(truth, timeframe, later))
    }
  }
}, 180_000)

test('a pair that fails does not lose the others, and the gap report and repair know what failed', async () => {
  const broken: Reply = (request, response) =>
    request.query.get('symbol') === 'ETHUSDT' &&
    Number(request.query.get('startTime')) > december + 10 * hourMs
      ? fault.status(503)(request, response)
      : honest()(request, response)
  playBinance(vendor, broken)
  const program = await startProgram({
    KTRDR_CCXT_URL: vendor.url,
    KTRDR_CCXT_INTERVAL_MS: '0',
    KTRDR_VENDOR_RETRIES: '1',
  })
  const range = { mode: 'range', start: '2025-12-01', end: '2026-01-05', timeframes: ['15m'] }
  const ended = await program.end((await download(program, range)).operation_id, 60)
  expect(ended).toMatchObject({
    status: 'completed',
    result: {
      partial: true,
      datasets: [{ symbol: 'BTC-USDT' }, { symbol: 'SOL-USDT' }],
      failures: [{ symbol: 'ETH-USDT', timeframe: '15m', code: 'vendor-unavailable' }],
    },
  })
  expect(ended.warnings).toEqual([expect.stringMatching(/^ETH-USDT 15m is not complete: .*503/)])

  const stillStored = (await stored(program, 'ETH-USDT', '15m')).length
  expect(stillStored).toBeGreaterThan(0)
  const path = '/api/v1/datasets/ETH-USDT/15m/gaps?end=2026-01-05'
  const report = await program.get<{ gaps: { class: string; missing_bars: number; note: string }[] }>(path)
  expect(report.body.gaps).toEqual([
    expect.objectContaining({
      class: 'fetch_failed',
      missing_bars: 35 * 96 - stillStored,
      note: expect.stringContaining('503'),
    }),
  ])

  playBinance(vendor, honest())
  const repair = await program.submit('data_repair', { symbol: 'ETH-USDT', timeframe: '15m' })
  const repaired = await program.end(repair.operation_id)
  expect(repaired).toMatchObject({
    status: 'completed',
    params: { vendor: 'ccxt', exchange: 'binance' },
    result: { gaps_before: 1, missing_before: 35 * 96 - stillStored, gaps_after: 0, missing_after: 0 },
  })
  expect((await stored(program, 'ETH-USDT', '15m')).length).toBe(35 * 96)
  expect((await program.get<{ gaps: unknown[] }>(path)).body.gaps).toEqual([])
})

test('a download whose pages were deleted before it is resumed fetches them again', async () => {
  let held: () => void = () => undefined
  let pages = 0
  playBinance(vendor, (request, response) => {
    pages += 1
    if (pages === 3) held = () => honest()(request, response)
    else honest()(request, response)
  })
  const program = await startProgram({ KTRDR_CCXT_URL: vendor.url, KTRDR_CCXT_INTERVAL_MS: '0' })
  const one = { symbols: ['BTC-USDT'], timeframes: ['15m'], start: '2025-12-01', end: '2026-01-05' }
  const { operation_id } = await download(program, one)
  await reaches(() => pages, 3)
  await program.cancel(operation_id)
  await program.end(operation_id)
  held()
  expect((await program.request('DELETE', '/api/v1/datasets/BTC-USDT/15m')).status).toBe(204)
  await program.request('POST', `/api/v1/operations/${operation_id}/resume`)
  expect(await program.end(operation_id)).toMatchObject({
    status: 'completed',
    result: { datasets: [{ bars: 35 * 96, added_bars: 35 * 96 }] },
  })
})

test('a download that is cancelled leaves the pages it has stored, and goes on from there when it is resumed', async () => {
  let open: () => void = () => undefined
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  let pages = 0
  playBinance(vendor, (request, response) => {
    pages += 1
    if (pages === 3) void gate.then(() => honest()(request, response))
    else honest()(request, response)
  })
  const program = await startProgram({ KTRDR_CCXT_URL: vendor.url, KTRDR_CCXT_INTERVAL_MS: '0' })
  const one = { symbols: ['BTC-USDT'], timeframes: ['15m'], start: '2025-12-01', end: '2026-01-05' }
  const { operation_id } = await download(program, one)
  await reaches(() => pages, 3)
  await program.cancel(operation_id)
  expect(await program.end(operation_id)).toMatchObject({ status: 'cancelled', can: { resume: true } })
  const kept = await stored(program, 'BTC-USDT', '15m')
  expect(kept.length).toBe(2_000)
  open()
  await program.request('POST', `/api/v1/operations/${operation_id}/resume`)
  const ended = await program.end(operation_id)
  expect(ended).toMatchObject({ status: 'completed', attempt: 2 })
  expect((ended.result as DataDownloadResult).datasets[0]).toMatchObject({
    bars: 35 * 96,
    fetched_bars: 35 * 96,
    added_bars: 35 * 96,
    changed_bars: 0,
  })
})
