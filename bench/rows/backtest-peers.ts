import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bars } from '../../src/market/bars.ts'
import { type Measured, measuredOrWhy, runC } from '../c-peer.ts'
import { withHome } from '../server.ts'

/** The SMA cross as one loop written by hand: best of the rounds, into new memory and into memory written to before. */
export type CTime = {
  readonly fresh_ms: number
  readonly reused_ms: number
  readonly trades: number
  readonly final_equity: number
  readonly sharpe: number
}

const loop = fileURLToPath(new URL('../c/backtest.c', import.meta.url))

/** C over the same bars, in a process of its own. */
export function timeC(bars: Bars, rounds: number): Promise<Measured<CTime>> {
  return measuredOrWhy(() =>
    withHome(folder => {
      const path = join(folder, 'bars.bin')
      const columns = [bars.open, bars.high, bars.low, bars.close, bars.close_time]
      const bytes = columns.map(({ buffer, byteOffset, byteLength }) =>
        Buffer.from(buffer, byteOffset, byteLength),
      )
      writeFileSync(path, Buffer.concat(bytes))
      return runC<CTime>({ sources: [loop] }, [path, String(bars.length), String(rounds), '10', '30'], folder)
    }),
  )
}

type GrademarkBar = {
  readonly time: Date
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly crossesAbove: boolean
  readonly crossesBelow: boolean
}

/** As much of the libraries as is called. */
type Grademark = {
  readonly backtest: (
    strategy: {
      readonly entryRule: (enter: () => void, args: { readonly bar: GrademarkBar }) => void
      readonly exitRule: (exit: () => void, args: { readonly bar: GrademarkBar }) => void
    },
    frame: object,
  ) => { readonly length: number }
}
type DataForge = { readonly DataFrame: new (rows: readonly GrademarkBar[]) => object }

/** grademark over the same bars with the crosses worked out beforehand, so that its own loop alone is measured. */
export async function timeGrademark(
  bars: Bars,
  crosses: { readonly enter_long: Uint8Array; readonly exit_long: Uint8Array },
): Promise<Measured<{ readonly bestMs: number; readonly trades: number }>> {
  const found = await findGrademark()
  if (typeof found === 'string') return { kind: 'not-measured', reason: found }
  const { grademark, dataForge } = found
  const rows = Array.from({ length: bars.length }, (_, i) => ({
    time: new Date(bars.time[i] as number),
    open: bars.open[i] as number,
    high: bars.high[i] as number,
    low: bars.low[i] as number,
    close: bars.close[i] as number,
    volume: bars.volume[i] as number,
    crossesAbove: crosses.enter_long[i] === 1,
    crossesBelow: crosses.exit_long[i] === 1,
  }))
  const frame = new dataForge.DataFrame(rows)
  let bestMs = Number.POSITIVE_INFINITY
  let trades = 0
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now()
    const list = grademark.backtest(
      {
        entryRule: (enter, { bar }) => {
          if (bar.crossesAbove) enter()
        },
        exitRule: (exit, { bar }) => {
          if (bar.crossesBelow) exit()
        },
      },
      frame,
    )
    bestMs = Math.min(bestMs, performance.now() - startedAt)
    trades = list.length
  }
  return { kind: 'measured', value: { bestMs, trades } }
}

/** The libraries, or why they cannot be used. They are no dependencies of the program. */
async function findGrademark(): Promise<
  { readonly grademark: Grademark; readonly dataForge: DataForge } | string
> {
  // Names in variables, so that the type checker does not look for what need not be there.
  const names: readonly [string, string] = ['grademark', 'data-forge']
  try {
    return { grademark: await import(names[0]), dataForge: await import(names[1]) }
  } catch (error) {
    const isMissing =
      error instanceof Error && 'code' in error && String(error.code).endsWith('MODULE_NOT_FOUND')
    if (!isMissing) throw error
    return `grademark cannot be imported: ${error.message.split('\n')[0]}`
  }
}
