import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from '../client.ts'
import { max, median, ms, whole } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { BenchServer, withHome } from '../server.ts'

const targetMs = 2_000

/** From spawn to the ready line over a data folder that has seen something. */
export const restart: Row = {
  name: 'restart',
  run: ({ pick }) =>
    withHome(home =>
      withHome(async emptyHome => {
        const counts = { pending: pick(10_000, 1_000), completed: pick(100_000, 5_000) }
        const full = new BenchServer(home, environment)
        const empty = new BenchServer(emptyHome, environment)
        try {
          await makeTemplates(full)
          multiply(join(home, 'ktrdr.sqlite'), counts)
          const times: Times = { full: [], empty: [] }
          for (let round = 0; round < pick(7, 2); round++) {
            times.full.push(await startOnce(full))
            times.empty.push(await startOnce(empty))
          }
          return report(times, counts)
        } finally {
          await full.kill()
          await empty.kill()
        }
      }),
    ),
}

const environment = { KTRDR_THREADS: '1', KTRDR_QUEUE_MAX: '10000000', KTRDR_MAX_ATTEMPTS: '1000' }

type Times = { readonly full: number[]; readonly empty: number[] }
type Counts = Readonly<Record<'pending' | 'completed', number>>

async function startOnce(server: BenchServer): Promise<number> {
  const startMs = await server.start()
  await server.kill()
  return startMs
}

function report({ full, empty }: Times, counts: Counts): Report {
  const many = `${whole(counts.pending)} pending and ${whole(counts.completed)} completed operations`
  return {
    findings: [
      {
        what: `restart with ${many}: spawn → ready`,
        target: `≤ ${ms(targetMs)}`,
        measured: `median ${ms(median(full))}, max ${ms(max(full))}`,
        peer: `nothing stored: median ${ms(median(empty))}`,
        ratio: (median(full) / median(empty)).toFixed(2),
        met: max(full) <= targetMs,
      },
    ],
    notes: [
      `${full.length} starts on the same data folder, in turn with as many on one without operations. Each is ended by kill -9 as soon as it is ready, so that from the second on interrupted work is recovered as well; the file cache is warm. All: ${full.map(ms).join(', ')}.`,
      'One pending and one completed operation are made by the server; their rows are then copied in the database.',
    ],
  }
}

/** One completed operation and an endless one, left running, so that another one stays pending. */
async function makeTemplates(server: BenchServer): Promise<void> {
  await server.start()
  const client = new Client(server.url)
  await client.complete('exercise', { steps: 1, step_ms: 0 })
  const first = await client.submit('exercise', { steps: 1e9, step_ms: 1 })
  await client.until(first.operation_id, operation => operation.status === 'running')
  await client.submit('exercise', { steps: 1e9, step_ms: 1 })
  client.close()
  await server.kill()
}

/** Copies the pending and the completed row, whatever columns they have. */
function multiply(file: string, counts: Counts): void {
  const database = new DatabaseSync(file)
  const columns = database
    .prepare("select name from pragma_table_info('operations')")
    .all()
    .map(row => String(row.name))
  database.exec('begin')
  for (const [status, count] of Object.entries(counts)) {
    const changed: Record<string, string> = {
      operation_id: `'op_01${status === 'pending' ? 'P' : 'C'}' || printf('%023d', n)`,
      change_seq: '(select max(change_seq) from operations) + n',
    }
    database
      .prepare(
        `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?),
          template as materialized (select * from operations where status = ? limit 1)
        insert into operations (${columns.join(', ')})
        select ${columns.map(column => changed[column] ?? column).join(', ')} from numbers, template`,
      )
      .run(count, status)
  }
  database.exec('commit; pragma wal_checkpoint(truncate)')
  database.close()
}
