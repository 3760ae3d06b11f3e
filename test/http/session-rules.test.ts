import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { formatTime } from '../../src/market/bars.ts'
import { walkOf } from '../fixtures/walks.ts'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

type Table = { readonly columns: Readonly<Record<string, readonly (number | string | null)[]>> }

/** Five days of foreign exchange in winter: each session lasts from 22:00 to 22:00 UTC, so UTC midnight is inside it. */
const hours = 5 * 24
const { open, high, low, close, volume } = walkOf(4, hours)
const time = Array.from({ length: hours }, (_, i) => formatTime(Date.UTC(2024, 0, 7, 22) + i * 3_600_000))
const bars = {
  time,
  open: [...open],
  high: [...high],
  low: [...low],
  close: [...close],
  volume: [...volume],
}

const strategyOf = (indicator: string, name: string) => `name: by_session
training_data:
  symbols: { mode: single, symbol: EURUSD }
  timeframes: { mode: single, timeframe: 1h }
indicators:
  level: { type: ${indicator} }
decisions:
  rules:
    enter_long: close > ${name}
    exit_long: close < ${name}
`

let program: Program
beforeAll(async () => {
  program = await startProgram()
  const rows = time.map((at, i) => [at, open[i], high[i], low[i], close[i], volume[i]].join(','))
  const stored = await program.request('PUT', '/api/v1/datasets/EURUSD/1h?calendar=24-5', {
    raw: ['time,open,high,low,close,volume', ...rows].join('\n'),
    headers: { 'content-type': 'text/csv' },
  })
  if (stored.status !== 201) throw new Error(stored.text)
})
afterAll(stopPrograms)

async function levels(where: object, indicator: string, name: string): Promise<readonly unknown[]> {
  const body = { ...where, indicators: { level: { type: indicator } } }
  const answer = await program.request<Table>('POST', '/api/v1/indicators/calculate', { body })
  return answer.body.columns[name] ?? []
}

/** When the rules above buy: at the open after the close that is above the level, unless the units are held already. */
function entriesOf(level: readonly unknown[]): readonly string[] {
  const entries: string[] = []
  let isHeld = false
  for (let i = 0; i + 1 < hours; i++) {
    const [value, last] = [level[i], close[i] ?? Number.NaN]
    if (typeof value !== 'number') continue
    if (!isHeld && last > value) entries.push(time[i + 1] ?? '')
    isHeld = isHeld ? !(last < value) : last > value
  }
  return entries
}

test.each([
  ['session_vwap', 'level'],
  ['pivot_points', 'level.pivot'],
])(
  'rules on %s trade by the sessions that a calculation shows, which are those of the dataset’s calendar',
  async (indicator, name) => {
    const params = {
      strategy_yaml: strategyOf(indicator, name),
      commission_rate: 0,
      commission_fixed: 0,
      slippage_bps: 0,
    }
    const { operation_id: id } = await program.submit('backtesting', params)
    expect((await program.end(id)).problem).toBeNull()
    const trades = await program.get<Table>(`/api/v1/operations/${id}/artifacts/trades`)
    const shown = await levels({ symbol: 'EURUSD', timeframe: '1h' }, indicator, name)
    const expected = entriesOf(shown)
    expect(trades.body.columns.entry_time).toEqual(expected)
    expect(expected.length).toBeGreaterThan(3)
    // Posted bars have no calendar: by UTC days the same rules trade otherwise.
    expect(entriesOf(await levels({ bars, timeframe: '1h' }, indicator, name))).not.toEqual(expected)
  },
)
