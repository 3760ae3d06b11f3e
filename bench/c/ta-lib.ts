import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IndicatorInput } from '../../src/indicators/indicator.ts'
import { fetchPackage, type NpmPackage, runC } from '../c-peer.ts'
import { withHome } from '../server.ts'

/** The package that carries TA-Lib’s C sources. It is not a dependency: installing it compiles for minutes. */
export const taLib: NpmPackage = {
  name: 'talib',
  version: '1.1.6',
  sha512: '9hzOn6ZnzoA3vWQaCySg3GP+neR42hOFnSVPr5X4fH5CUaV0XaBNJDEyuqv+dPY42WGC9k0BLCKcY4TK1tcuMg==',
}

/** Best of the rounds: into new memory each time, and into memory that was written to before. */
export type TaLibTime = {
  readonly type: string
  readonly fresh_ms: number
  readonly reused_ms: number
  /** Last value of the first output. */
  readonly last: number
}

const driver = fileURLToPath(new URL('./indicators.c', import.meta.url))

/** Those that the driver calls, and those that these call. TA_MA knows all averages. */
const functions = [
  ...['SMA', 'EMA', 'RSI', 'ATR', 'MACD', 'BBANDS', 'TRANGE', 'STDDEV', 'VAR'],
  ...['MA', 'WMA', 'DEMA', 'TEMA', 'TRIMA', 'KAMA', 'MAMA', 'T3', 'utility'],
]

/** TA-Lib over the same bars, in a process of its own. @throws as `fetchPackage` and `runC` */
export function timeTaLib(bars: IndicatorInput, rounds: number): Promise<readonly TaLibTime[]> {
  return withHome(async folder => {
    const library = join(await fetchPackage(taLib, folder), 'src/lib')
    const columns = join(folder, 'bars.bin')
    writeColumns(columns, [bars.high, bars.low, bars.close])
    const common = ['ta_global', 'ta_retcode', 'ta_version'].map(name => `src/ta_common/${name}.c`)
    const called = functions.map(name => `src/ta_func/ta_${name}.c`)
    const program = {
      sources: [driver, ...[...common, ...called].map(path => join(library, path))],
      includes: ['include', 'src/ta_common', 'src/ta_func'].map(path => join(library, path)),
    }
    return runC<readonly TaLibTime[]>(program, [columns, String(bars.length), String(rounds)], folder)
  })
}

function writeColumns(path: string, columns: readonly Float64Array[]): void {
  const file = openSync(path, 'w')
  for (const { buffer, byteOffset, byteLength } of columns) {
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  }
  closeSync(file)
}
