import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { BarsArchive } from '../../src/archive/bars.ts'
import { median, ms, whole } from '../numbers.ts'
import type { Finding, Report, Row } from '../row.ts'
import { adopt, withHome } from '../server.ts'

/** What one run of a task says of itself. */
type Run = { readonly rows: number; readonly ms: number; readonly peak_mb: number; readonly version?: string }

const tasksFile = fileURLToPath(new URL('../peers/import-tasks.ts', import.meta.url))
const pandasFile = fileURLToPath(new URL('../peers/import.py', import.meta.url))

/** A long CSV file of minute bars, from the file to typed arrays, beside what pandas and DuckDB need to read it. */
export const importRow: Row = {
  name: 'import',
  run: ({ pick }) =>
    withHome(async home => {
      const rows = pick(5_000_000, 50_000)
      const csv = join(home, 'bars.csv')
      writeBars(csv, rows)
      const runs = { parse: [] as Run[], store: [] as Run[], duckdb: [] as Run[], pandas: [] as Run[] }
      for (let round = 0; round < pick(3, 1); round++) {
        for (const task of ['parse', 'store', 'duckdb'] as const)
          runs[task].push(...(await run(process.execPath, [tasksFile, task, csv, home], rows)))
        // Debian's own Python: the one that has Debian's pandas.
        runs.pandas.push(...(await run('/usr/bin/python3', [pandasFile, csv], rows)))
      }
      return report(runs, await openTimes(home, pick(5, 2)), rows)
    }),
}

/** Runs a task as a process of its own. @returns nothing when it is not installed here */
async function run(command: string, args: readonly string[], rows: number): Promise<Run[]> {
  const child = adopt(spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
  const failed = once(child, 'error').then(() => '{}')
  const said = await Promise.race([text(child.stdout), failed])
  const found = JSON.parse(said === '' ? '{}' : said) as Run | Record<string, never>
  if (found.ms === undefined) return []
  if (found.rows !== rows) throw new Error(`${args.join(' ')} read ${found.rows} rows, not ${rows}`)
  return [found as Run]
}

/** A seeded random walk, the same file every time. Source of the generator: mulberry32. */
function writeBars(path: string, rows: number): void {
  let state = 1
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const file = openSync(path, 'w')
  let pending = 'timestamp,open,high,low,close,volume\n'
  let close = 100
  for (let i = 0; i < rows; i++) {
    const open = close
    close = Math.round(Math.min(1000, Math.max(10, open * (1 + (random() - 0.5) * 0.002))) * 100) / 100
    const time = new Date(Date.UTC(2014, 0, 1) + i * 60_000).toISOString().slice(0, 19).replace('T', ' ')
    const prices = [open, Math.max(open, close) + 0.05, Math.min(open, close) - 0.05, close]
    const cells = [...prices.map(price => price.toFixed(2)), (1 + random() * 1000).toFixed(4)]
    pending += `${time},${cells.join(',')}\n`
    if (pending.length > 1_000_000 || i === rows - 1) {
      writeSync(file, pending)
      pending = ''
    }
  }
  closeSync(file)
}

/** From the published dataset to typed arrays, in this process; the first is not counted. */
async function openTimes(home: string, count: number): Promise<number[]> {
  const archive = new BarsArchive(home)
  const manifest = await archive.manifest('BENCH', '1m')
  if (manifest === null) throw new Error('the dataset was not published')
  return Array.from({ length: count + 1 }, () => {
    const startedAt = performance.now()
    const bars = archive.read('BENCH', '1m', manifest.sha256)
    if (bars.length !== manifest.bars) throw new Error(`${bars.length} bars were read`)
    return performance.now() - startedAt
  }).slice(1)
}

const rate = (runs: readonly Run[]): number =>
  median(runs.map(({ rows, ms: elapsedMs }) => (rows / elapsedMs) * 1000))
const peakMb = (runs: readonly Run[]): number => median(runs.map(({ peak_mb }) => peak_mb))

function describe(runs: readonly Run[]): string {
  return `${whole(rate(runs))} rows/s, peak ${whole(peakMb(runs))} MiB`
}

type Runs = Readonly<Record<'parse' | 'store' | 'duckdb' | 'pandas', readonly Run[]>>

function report(runs: Runs, openMs: readonly number[], rows: number): Report {
  const peers = [
    runs.pandas.length === 0 ? 'pandas is not installed' : `pandas ${describe(runs.pandas)}`,
    runs.duckdb.length === 0 ? 'DuckDB is not installed' : `DuckDB ${describe(runs.duckdb)}`,
  ].join('; ')
  const against = (ours: readonly Run[]): Pick<Finding, 'peer' | 'ratio'> => ({
    peer: peers,
    ratio: runs.pandas.length === 0 ? '–' : `× ${(rate(ours) / rate(runs.pandas)).toFixed(2)} of pandas`,
  })
  return {
    findings: [
      {
        what: `CSV of ${whole(rows)} rows → bars`,
        target: '≥ 1,000,000 rows/s',
        measured: describe(runs.parse),
        ...against(runs.parse),
        met: rate(runs.parse) >= 1_000_000,
      },
      {
        what: `CSV of ${whole(rows)} rows → published dataset`,
        target: '–',
        measured: describe(runs.store),
        ...against(runs.store),
        met: null,
      },
      {
        what: `dataset of ${whole(rows)} bars → typed arrays`,
        target: '≤ 250 ms',
        measured: ms(median(openMs)),
        met: median(openMs) <= 250,
      },
    ],
    notes: [
      `Minute bars of a seeded random walk, six columns with a header; ${runs.parse.length} rounds of all four, each a process of its own that does nothing else, page cache warm. Medians; peak is the largest resident size of the process, Node or Python itself included.`,
      '“→ bars” checks every row and keeps no more than a chunk of 50,000 bars; “→ published dataset” is a whole import in its thread, with the calendar inferred, every segment hashed, written and flushed.',
      `pandas ${runs.pandas[0]?.version ?? '(not installed)'} reads with \`read_csv(parse_dates=…)\` in one thread; DuckDB reads with \`read_csv\` into a table in memory, with as many threads as there are cores. Both keep the whole table and check no bar.`,
    ],
  }
}
