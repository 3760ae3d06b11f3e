import { closeSync, openSync, readSync } from 'node:fs'
import { importFile } from '../../src/archive/import.ts'
import { createLayout } from '../../src/archive/layout.ts'
import { Threads } from '../../src/archive/threads.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'

/*
 * One task of the row `import`, as the only one of its process, so that its peak of memory is its own:
 * node import-tasks.ts <task> <csv> <home>
 */

/** What a task prints. */
export type Measured = { readonly rows: number; readonly ms: number; readonly version?: string }

const [, , task = '', csv = '', home = ''] = process.argv

function parse(): number {
  const reader = new CsvBarsReader({ timeframe: '1m' })
  const file = openSync(csv, 'r')
  const buffer = new Uint8Array(512 * 1024)
  let rows = 0
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
    reader.write(buffer.subarray(0, read))
    for (let bars = reader.take(); bars !== null; bars = reader.take()) rows += bars.length
  }
  closeSync(file)
  return rows + reader.end().length
}

async function store(): Promise<number> {
  createLayout(home)
  const names = { home, symbol: 'BENCH', timeframe: '1m', format: 'csv', path: csv } as const
  const facts = { calendar: null, definitions: [], source: 'import', now: Date.UTC(2024, 0, 1), pointer: '' }
  return (await importFile({ ...names, ...facts }, new Threads())).manifest.bars
}

async function duckdb(): Promise<number> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`create table bars as select * from read_csv('${csv}')`)
  const rows = (await connection.runAndReadAll('select count(*) from bars')).getRows()
  return Number(rows[0]?.[0])
}

const startedAt = performance.now()
const tasks: Readonly<Record<string, () => number | Promise<number>>> = { parse, store, duckdb }
const rows = await tasks[task]?.()
const ms = performance.now() - startedAt
process.stdout.write(JSON.stringify({ rows, ms, peak_mb: process.resourceUsage().maxRSS / 1024 }))
