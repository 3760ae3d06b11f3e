import type { ReportInput, ReportTrade } from '../../src/report/report-input.ts'

const minuteMs = 60_000
const start = Date.UTC(2024, 0, 1)

/** A report with as many points and trades as asked for. */
export function sampleReport(points: number, trades: number): ReportInput {
  const column = (value: (i: number) => number) => Float64Array.from({ length: points }, (_, i) => value(i))
  const time = column(i => start + i * minuteMs)
  const close = column(i => 100 + 10 * Math.sin(i / 50))
  const step = Math.max(1, Math.floor(points / (trades + 1)))
  const trade = (i: number): ReportTrade => ({
    trade_id: i + 1,
    symbol: 'TEST',
    side: i % 2 === 0 ? 'long' : 'short',
    entry_time: start + i * step * minuteMs,
    entry_price: 100.125,
    exit_time: start + (i + 1) * step * minuteMs,
    exit_price: 101.5,
    units: 12,
    net_pnl: i % 3 === 0 ? -5.25 : 16.5,
    return_fraction: i % 3 === 0 ? -0.0044 : 0.0137,
    exit_reason: 'signal',
    ambiguous: i % 7 === 0,
  })
  return {
    title: 'sample <strategy>',
    facts: [
      ['Symbol', 'TEST'],
      ['Range', '2024-01-01 to 2024-02-01'],
    ],
    warnings: ['Trading was free: </script><script>alert(1)</script>'],
    headline: ['sharpe', 'total_return_fraction', 'psr'],
    metrics: [
      {
        name: 'sharpe',
        unit: 'ratio',
        value: 1.2345678901234567,
        definition: 'Mean / deviation.',
        reason: null,
      },
      {
        name: 'total_return_fraction',
        unit: 'fraction',
        value: -0.0123456789,
        definition: 'End / start − 1.',
        reason: null,
      },
      {
        name: 'psr',
        unit: 'fraction',
        value: null,
        definition: 'Probability.',
        reason: 'fewer than two returns',
      },
    ],
    curve: {
      time,
      equity: column(i => 100_000 + i + 500 * Math.sin(i / 30)),
      drawdown_fraction: column(i => Math.abs(Math.sin(i / 30)) / 50),
      exposure_fraction: column(i => (i % 40 < 20 ? 0.9 : 0)),
      benchmark: points => Float64Array.from(points, i => (i < 5 ? Number.NaN : 100_000 + 2 * i)),
    },
    prices: [{ symbol: 'TEST', time, close }],
    trades: Array.from({ length: trades }, (_, i) => trade(i)),
    tradesTotal: trades,
    splits: [
      {
        name: 'Side',
        groups: [
          {
            name: 'long',
            trades: 3,
            win_rate_fraction: 0.5,
            profit_factor: null,
            expectancy: 4.25,
            net_pnl: 12.75,
          },
        ],
      },
    ],
    months: [{ year: 2024, months: [0.05, -0.02, ...Array<null>(10).fill(null)], total: 0.029 }],
    drawdowns: [
      {
        start: '2024-01-03T00:00:00.000Z',
        trough: '2024-01-05T00:00:00.000Z',
        end: null,
        depth_fraction: 0.02,
        days: 12.5,
      },
    ],
    configuration: { strategy: 'sample', note: '</script>' },
  }
}
