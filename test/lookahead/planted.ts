import { asOfIndexes, takeAt } from '../../src/features/as-of-join.ts'
import type { SessionBars } from '../../src/features/pipeline-columns.ts'
import { type ColumnSource, columnId, type NamedColumn } from '../../src/lookahead/named-column.ts'
import type { Bars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { resampleBars } from '../../src/market/resample.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { createRandom } from '../fixtures/walks.ts'

const hourMs = 3_600_000
const calendar = new Calendars().get('24-7')

/** Hourly bars of a random walk from Monday 1 January 2024 on. */
export function hoursOf(seed: number, length: number): Bars {
  const random = createRandom(seed)
  const builder = new BarsBuilder()
  let close = 100
  for (let i = 0; i < length; i++) {
    const open = close
    close = open * (1 + 0.02 * (random() - 0.5))
    const time = Date.UTC(2024, 0, 1) + i * hourMs
    const [high, low] = [Math.max(open, close) * 1.001, Math.min(open, close) * 0.999]
    builder.append({ time, close_time: time + hourMs, open, high, low, close, volume: 1000 })
  }
  return builder.build()
}

/** The days that hourly bars make, without one that is not over. */
export const daysOf = (hours: Bars) => resampleBars(hours, { from: '1h', to: '1d', calendar }).bars

type Calculation = {
  readonly name: string
  readonly kind: NamedColumn['kind']
  readonly reads?: readonly { readonly kind: NamedColumn['kind']; readonly name: string }[]
  /** Gets the bars and what was calculated before, by name. */
  readonly values: (bars: SessionBars, of: Readonly<Record<string, Float64Array>>) => ArrayLike<number>
}

/** A source of columns over the bars of one timeframe of the first symbol, calculated one after the other. */
export function sourceOf(timeframe: Timeframe, calculations: readonly Calculation[]): ColumnSource {
  return view => {
    const [first] = view
    const bars = first?.bars[timeframe]
    if (first === undefined || bars === undefined) throw new Error(`there are no ${timeframe} bars`)
    const { symbol } = first
    const known: Record<string, Float64Array> = {}
    return calculations.map(({ name, kind, reads = [], values }): NamedColumn => {
      const column = Float64Array.from(values(bars, known))
      known[name] = column
      return {
        ...{ name, kind, symbol, timeframe, bars, values: column },
        depends_on: reads.map(read => columnId({ ...read, symbol, timeframe })),
        history: { lookback: 0, isLeast: false, stableAfter: 0 },
      }
    })
  }
}

/** The clean mean of the last `period` closes. */
export const meanOf =
  (period: number) =>
  ({ close }: Bars) =>
    close.map((_, i) => {
      if (i < period - 1) return Number.NaN
      let sum = 0
      for (let at = i - period + 1; at <= i; at++) sum += close[at] as number
      return sum / period
    })

/** The close `ahead` bars later: not known on its bar. */
export const closeAhead =
  (ahead: number) =>
  ({ close }: Bars) =>
    close.map((_, i) => close[i + ahead] ?? Number.NaN)

/** (close − mean of all closes) / standard deviation of all closes: every bar knows the whole sample. */
export function wholeSampleScore({ close }: Bars): Float64Array {
  const mean = close.reduce((sum, value) => sum + value, 0) / close.length
  const variance = close.reduce((sum, value) => sum + (value - mean) ** 2, 0) / close.length
  return close.map(value => (value - mean) / Math.sqrt(variance))
}

/** Daily closes on hourly bars, joined by the close time as is right, or by the open time. */
export function joinedDays(by: 'close_time' | 'time'): ColumnSource {
  return view => {
    const [first] = view
    const [hours, days] = [first?.bars['1h'], first?.bars['1d']]
    if (first === undefined || hours === undefined || days === undefined) throw new Error('hours and days')
    const { symbol } = first
    const native = { name: 'daily_close', kind: 'indicator', symbol, timeframe: '1d' } as const
    const indexes =
      by === 'close_time'
        ? asOfIndexes(hours.close_time, days.close_time)
        : asOfIndexes(hours.time, days.time)
    const history = { lookback: 0, isLeast: false, stableAfter: 0 }
    return [
      { ...native, bars: days, values: days.close, depends_on: [], history },
      {
        ...{ name: '1d_daily_close_raw', kind: 'feature', symbol, timeframe: '1d', bars: hours, history },
        values: takeAt(days.close, indexes),
        depends_on: [columnId(native)],
      },
    ]
  }
}
