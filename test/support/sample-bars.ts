import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Bars } from '../../src/market/bars.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'

/** The bars that ship with the server: 1,260 days of Apple. */
export function sampleBars(): Bars {
  const path = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv')
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync(path))
  return reader.end()
}
