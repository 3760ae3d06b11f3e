import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
  const download = await program.submit('data_download', {
    vendor: 'sample',
    symbols: ['AAPL'],
    timeframes: ['1d'],
  })
  await program.end(download.operation_id)
})
afterAll(stopPrograms)

type Table = { rows: number; columns: Record<string, (number | string | null)[]> }
const run = async (params: object): Promise<Operation> => {
  const ended = await program.end((await program.submit('backtesting', params)).operation_id)
  expect(ended.problem).toBeNull()
  return ended
}
const table = async (id: string, name: string) =>
  (await program.get<Table>(`/api/v1/operations/${id}/artifacts/${name}`)).body
const numbers = (values: unknown[] | undefined) => (values ?? []).map(Number)

test('downloads of one dataset at the same moment lose none of its bars', async () => {
  const part = (start: string, end: string) =>
    program.submit('data_download', { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'], start, end })
  for (let round = 0; round < 6; round++) {
    const fresh = await startProgram()
    const ids = await Promise.all(
      [
        ['2013-01-01', '2015-01-01'],
        ['2015-01-01', '2017-01-01'],
        ['2017-01-01', '2019-01-01'],
      ].map(([start, end]) =>
        fresh.submit('data_download', {
          vendor: 'sample',
          symbols: ['AAPL'],
          timeframes: ['1d'],
          start,
          end,
        }),
      ),
    )
    for (const { operation_id: id } of ids) expect((await fresh.end(id)).status).toBe('completed')
    const { body } = await fresh.get<{ items: { bars: number }[] }>('/api/v1/datasets')
    expect(body.items.map(({ bars }) => bars)).toEqual([1260])
    await fresh.kill()
  }
  const again = await part('2014-01-01', '2014-02-01')
  expect((await program.end(again.operation_id)).result).toMatchObject({ datasets: [{ bars: 1260 }] })
})

test('the same request twice gives the same result bytes and the same artifact bytes', async () => {
  const params = { strategy: 'sma_cross', sizing: { mode: 'fraction', fraction: 0.5 }, units: 'fractional' }
  const [first, second] = [await run(params), await run(params)]
  expect(JSON.stringify(second.result)).toBe(JSON.stringify(first.result))
  const sums = async ({ operation_id: id }: Operation) =>
    (
      await program.get<{ items: { name: string; sha256: string }[] }>(`/api/v1/operations/${id}/artifacts`)
    ).body.items
      .map(({ name, sha256 }) => `${name} ${sha256}`)
      .sort()
  expect(await sums(first)).toHaveLength(8)
  expect(await sums(second)).toEqual(await sums(first))
})

test('the trades add up to the change of the equity, read back through the API', async () => {
  const { operation_id: id, result } = await run({
    strategy: 'sma_cross',
    commission_fixed: 3,
    slippage_bps: 20,
  })
  const [trades, equity] = [await table(id, 'trades'), await table(id, 'equity')]
  const net = numbers(trades.columns.net_pnl).reduce((sum, value) => sum + value, 0)
  const last = numbers(equity.columns.equity).at(-1) ?? Number.NaN
  expect(Math.abs(100_000 + net - last)).toBeLessThan(1e-9 * last)
  expect(result).toMatchObject({ metrics: { final_equity: last, trades: trades.rows }, bars: equity.rows })
})

test('a shipped strategy that goes both ways reports its stops and splits, read back through the API', async () => {
  const { operation_id: id, result, params } = await run({ strategy: 'channel_breakout' })
  expect(params).toMatchObject({ sizing: { mode: 'risk', risk_percent: 1 } })
  const { columns, rows } = await table(id, 'trades')
  expect(new Set(columns.side)).toEqual(new Set(['long', 'short']))
  expect(columns.exit_reason).toContain('trailing_stop')
  for (let i = 0; i < rows; i++) {
    const below = Number(columns.stop_price?.[i]) < Number(columns.entry_price?.[i])
    expect([i, below]).toEqual([i, columns.side?.[i] === 'long'])
  }
  expect(new Set(columns.ambiguous)).toEqual(new Set([false]))
  const { splits, metrics } = result as {
    splits: { side: Record<string, { trades: number; net_pnl: number }> }
    metrics: { trades: number; net_pnl: number }
  }
  const sides = Object.values(splits.side)
  expect(sides.reduce((sum, { trades }) => sum + trades, 0)).toBe(metrics.trades)
  expect(sides.reduce((sum, part) => sum + part.net_pnl, 0)).toBeCloseTo(metrics.net_pnl, 6)
})

test('what is decided in a range does not depend on bars after it', async () => {
  const early = await run({ strategy: 'rsi_reversion', end: '2016-01-01', close_open_trades: false })
  const whole = await run({ strategy: 'rsi_reversion', close_open_trades: false })
  const [short, long] = [await table(early.operation_id, 'equity'), await table(whole.operation_id, 'equity')]
  for (const [name, values] of Object.entries(short.columns))
    expect([name, (long.columns[name] ?? []).slice(0, short.rows)]).toEqual([name, values])
})

test('a shipped portfolio trades imported bars beside downloaded ones, by limit orders', async () => {
  const { text } = await program.get('/api/v1/datasets/AAPL/1d', { accept: 'text/csv' })
  const put = await program.request('PUT', '/api/v1/datasets/MSFT/1d', {
    raw: text,
    headers: { 'content-type': 'text/csv; charset=utf-8' },
  })
  expect(put.status).toBe(201)
  const { operation_id: id, result, params } = await run({ strategy: 'pullback_portfolio' })
  expect(params).toMatchObject({ symbols: ['AAPL', 'MSFT'] })
  const [trades, orders] = [await table(id, 'trades'), await table(id, 'orders')]
  expect(new Set(trades.columns.symbol)).toEqual(new Set(['AAPL', 'MSFT']))
  expect(result).toMatchObject({ symbols: ['AAPL', 'MSFT'], orders: { placed: orders.rows } })
  const { columns } = orders
  let filled = 0
  for (let i = 0; i < orders.rows; i++) {
    if (columns.purpose?.[i] !== 'entry' || columns.status?.[i] !== 'filled') continue
    filled++
    expect(columns.type?.[i]).toBe('limit')
    expect(Number(columns.fill_price?.[i])).toBeLessThanOrEqual(Number(columns.limit_price?.[i]))
  }
  expect(filled).toBe(trades.rows)
  expect(columns.status).toContain('expired')
})

test('a shipped breakout waits with stop orders for so many bars', async () => {
  const { operation_id: id } = await run({ strategy: 'volatility_breakout' })
  const { columns, rows } = await table(id, 'orders')
  const entries = Array.from({ length: rows }, (_, i) => i).filter(i => columns.purpose?.[i] === 'entry')
  expect(new Set(entries.map(i => columns.type?.[i]))).toEqual(new Set(['stop']))
  for (const status of ['filled', 'expired']) expect(entries.map(i => columns.status?.[i])).toContain(status)
  for (const i of entries.filter(i => columns.status?.[i] === 'filled'))
    expect(Number(columns.fill_price?.[i])).toBeGreaterThanOrEqual(Number(columns.stop_price?.[i]))
})

test('a dry run answers with everything that would run, and faults as a real one', async () => {
  const plan = async (params: object) =>
    program.request<{ params: object; errors: { pointer: string }[] }>(
      'POST',
      '/api/v1/operations?dry_run=true',
      {
        body: { type: 'backtesting', params },
      },
    )
  const sizing = { mode: 'kelly', cap: 0.5, min_trades: 20, fraction: 0.1 }
  const planned = await plan({ strategy: 'sma_cross', symbol: 'AAPL', sizing, engine: { intrabar: 'ohlc' } })
  expect(planned.status).toBe(200)
  expect(planned.body.params).toEqual({
    adjustment: 'none',
    strategy: 'sma_cross',
    symbols: ['AAPL'],
    timeframe: '1d',
    start: '2013-05-13T00:00:00.000Z',
    end: '2018-05-12T00:00:00.000Z',
    initial_capital: 100_000,
    commission_rate: 0.001,
    commission_fixed: 0,
    commission_per_unit: 0,
    commission_min: 0,
    commission_tiers: [],
    spread_bps: 0,
    slippage_bps: 5,
    volume_share: null,
    borrow_rate_annual: 0,
    funding_rate_annual: 0,
    sizing,
    units: 'whole',
    lot_size: null,
    tick_size: null,
    leverage: 1,
    maintenance_margin_fraction: 0,
    max_positions: null,
    close_open_trades: true,
    engine: { compat: 'none', fill_on: 'next_open', intrabar: 'ohlc' },
  })
  const refused = await plan({ strategy: 'sma_cross', engine: { compat: 'backtesting_py' } })
  expect([refused.status, refused.body.errors.map(({ pointer }) => pointer)]).toEqual([
    422,
    ['/body/params/slippage_bps'],
  ])
})

test('bars that are missing inside the range are told of', async () => {
  const days = Array.from({ length: 31 }, (_, i) => i + 1).filter(day => day !== 10 && day !== 11)
  const lines = days.map(day => `2024-01-${String(day).padStart(2, '0')};5;${day + 6};1;${day + 5}`)
  const put = await program.request('PUT', '/api/v1/datasets/HOLED/1d?calendar=24-7', {
    raw: `date;open;high;low;close\n${lines.join('\n')}\n`,
    headers: { 'content-type': 'text/csv; charset=utf-8' },
  })
  expect(put.status).toBe(201)
  const { warnings } = await run({ strategy: 'sma_cross', symbol: 'HOLED' })
  expect(warnings).toContainEqual(
    expect.stringMatching(/2 bars of HOLED missing in the range: 2024-01-10T00:00:00.000Z/),
  )
  const later = await run({ strategy: 'sma_cross', symbol: 'HOLED', start: '2024-01-12' })
  expect(later.warnings.filter(warning => warning.includes('missing'))).toEqual([])
})

test('bars imported as CSV are backtested, and read back in every format', async () => {
  const closes = [10, 11, 12, 11, 9, 8, 9, 11, 13, 14, 12, 10]
  const csv = `date;open;high;low;close\n${closes.map((close, day) => `2024-01-${String(day + 1).padStart(2, '0')};${close};${close + 1};${close - 1};${close}`).join('\n')}\n`
  const put = () =>
    program.request('PUT', '/api/v1/datasets/MINE/1d', {
      raw: csv,
      headers: { 'content-type': 'text/csv; charset=utf-8' },
    })
  expect((await put()).status).toBe(201)
  expect((await put()).status).toBe(200)
  const strategy_yaml = `name: dip
training_data:
  symbols: { mode: single, symbol: MINE }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  mean_3: { type: sma, period: 3 }
decisions:
  rules:
    enter_long: "close crosses above mean_3"
    exit_long: "close crosses below mean_3"
`
  const { operation_id: id, result } = await run({
    strategy_yaml,
    commission_rate: 0,
    slippage_bps: 0,
    initial_capital: 1_000,
  })
  // Means from bar 3 on: 11, 11.33, 10.67, 9.33, 8.67, 9.33, 11, 12.67, 13, 12. The close crosses above on the 7th
  // and is filled at the open of the 8th (11): 90 units; it crosses below on the 11th, filled on the 12th (10).
  const trades = await table(id, 'trades')
  expect(trades.columns).toMatchObject({
    entry_price: [11],
    units: [90],
    exit_price: [10],
    net_pnl: [-90],
    entry_time: ['2024-01-08T00:00:00.000Z'],
    exit_time: ['2024-01-12T00:00:00.000Z'],
  })
  expect(result).toMatchObject({ symbols: ['MINE'], bars: 12, metrics: { final_equity: 910 } })
  const csvAnswer = await program.get('/api/v1/datasets/MINE/1d', { accept: 'text/csv' })
  expect(csvAnswer.text.split('\n')[1]).toMatch(/^2024-01-01T00:00:00.000Z,/)
  for (const accept of ['application/vnd.apache.parquet', 'application/vnd.apache.arrow.file']) {
    const answer = await fetch(`${program.url}/api/v1/operations/${id}/artifacts/equity`, {
      headers: { accept },
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, accept])
    expect(Buffer.from(await answer.arrayBuffer()).toString('latin1', 0, 4)).toMatch(/PAR1|ARRO/)
  }
  expect(
    (await program.get(`/api/v1/operations/${id}/artifacts/equity`, { accept: 'image/png' })).status,
  ).toBe(406)
  const part = await program.get(`/api/v1/operations/${id}/artifacts/trades`, {
    accept: 'text/csv',
    range: 'bytes=0-7',
  })
  expect([part.status, part.text]).toEqual([206, 'trade_id'])
})
