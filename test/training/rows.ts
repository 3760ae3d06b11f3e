import fc from 'fast-check'
import type { FeatureMatrix } from '../../src/features/feature-matrix.ts'
import type { Labels } from '../../src/labels/label-columns.ts'
import type { Bars } from '../../src/market/bars.ts'
import type { SymbolRows } from '../../src/training/samples.ts'
import type { Timed } from '../../src/training/splits.ts'

/** Features of the bars that are chosen: their number, and the close. */
export function featuresOf(bars: Bars, chosen: (bar: number) => boolean = () => true): FeatureMatrix {
  const bar = Int32Array.from({ length: bars.length }, (_, i) => i).filter(i => chosen(i))
  return {
    rows: bar.length,
    ids: ['number', 'close'],
    values: Float32Array.from([...bar].flatMap(i => [i, bars.close[i] ?? 0])),
    time: Float64Array.from(bar, i => bars.time[i] ?? 0),
    close_time: Float64Array.from(bar, i => bars.close_time[i] ?? 0),
    bar,
    dropped: { pre_roll: 0, warm_up: 0, incomplete: bars.length - bar.length },
    features: [],
    warnings: [],
  }
}

export function partOf(
  symbol: string,
  bars: Bars,
  labels: Labels,
  chosen?: (bar: number) => boolean,
): SymbolRows {
  return { symbol, bars, labels, features: featuresOf(bars, chosen) }
}

/** Rows of some symbols: time = bar + offset of the symbol, labels that end `span` later. */
export function timedRows(
  rows: readonly {
    readonly symbol: number
    readonly bar: number
    readonly time: number
    readonly span: number
  }[],
): Timed {
  return {
    rows: rows.length,
    symbol: Uint16Array.from(rows, row => row.symbol),
    bar: Int32Array.from(rows, row => row.bar),
    time: Float64Array.from(rows, row => row.time),
    labelEnd: Float64Array.from(rows, row => row.time + row.span),
  }
}

/** One symbol whose bar i closes at time i, every label ending `span` later. */
export function oneSymbol(rows: number, span: number): Timed {
  return timedRows(Array.from({ length: rows }, (_, i) => ({ symbol: 0, bar: i, time: i, span })))
}

/** One to three symbols with gaps, different starts and labels of any length, in hours. */
export const someRows = fc
  .array(
    fc.record({
      start: fc.nat(60),
      bars: fc.array(
        fc.record({ step: fc.integer({ min: 1, max: 4 }), span: fc.integer({ min: 1, max: 12 }) }),
        {
          minLength: 40,
          maxLength: 120,
        },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map(symbols =>
    timedRows(
      symbols.flatMap(({ start, bars }, symbol) => {
        let bar = -1
        return bars.map(({ step, span }) => {
          bar += step
          return { symbol, bar, time: (start + bar) * 3_600_000, span: span * 3_600_000 }
        })
      }),
    ),
  )
