import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { withPostgres } from '../support/postgres.ts'
import { type Cluster, newCluster, type Program, startNode, stopPrograms } from '../support/program.ts'
import { ask } from './chaos-audit.ts'
import { Follower } from './chaos-follower.ts'

/** `small` takes half a minute, `full` some eight; left out of a plain run, see README. */
const size = process.env.KTRDR_TEST_SOAK
const isLong = size === 'full'
const suite = size === undefined ? describe.skip : withPostgres(describe)
/** Operations of one round; of all rounds the first one only warms up. */
const perRound = isLong ? 1_000 : 40
const rounds = isLong ? 10 : 4
/** What the nodes remember of operations (20,000 at most) and of nothing else. */
const growthMb = 64
/** Connections to Postgres: four that read, two of the queue, one that writes, one that listens; made when needed. */
const perNode = 8
/** Requests under way at once. */
const lanes = 24

let cluster: Cluster
let apis: readonly [Program, Program]
let nodes: readonly Program[]
afterAll(stopPrograms)

/** What must not grow. */
type Held = {
  readonly connections: number
  readonly handles: number
  readonly streams: number
  readonly rssMb: number
}

const gauge = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])

async function held(node: Program): Promise<Held> {
  const { text } = await node.get('/metrics')
  return {
    connections: await connections(),
    handles: gauge(text, 'nodejs_active_handles_total'),
    streams: gauge(text, 'ktrdr_sse_streams'),
    rssMb: gauge(text, 'process_resident_memory_bytes') / 1_048_576,
  }
}

/** Of all nodes to this database; the one that asks is not counted. */
async function connections(): Promise<number> {
  const [row] = await ask<{ n: string }>(
    cluster.database,
    "select count(*) as n from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid != pg_backend_pid()",
  )
  return Number(row?.n)
}

/** Submits the operations of a round through both nodes, with a client at each that sees all of them end. */
async function round(): Promise<void> {
  const followers = [0, 1].map(nth => new Follower(apis, '/api/v1/events', nth))
  for (const follower of followers) follower.follow().catch(() => undefined)
  const ids: string[] = []
  let next = 0
  const lane = async (nth: number) => {
    for (; next < perRound; ) {
      const seed = next++
      const { operation_id } = await apis[nth % 2 === 0 ? 0 : 1].submit('exercise', {
        steps: 2,
        step_ms: 0,
        seed,
        metrics: 1,
      })
      ids.push(operation_id)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, nth) => lane(nth)))
  for (const follower of followers) {
    await follower.untilEnded(ids, 300)
    expect(follower.complaints).toEqual([])
    follower.stop()
  }
  // A client notices that it has been stopped at the next event.
  for (const api of apis) await api.end((await api.submit('exercise', { steps: 1 })).operation_id)
}

suite('many short operations through two API nodes and two workers', () => {
  beforeAll(async () => {
    cluster = await newCluster()
    const plain = { KTRDR_VALIDATE_RESPONSES: 'false', KTRDR_QUEUE_MAX: '20000', KTRDR_LOG_LEVEL: 'warn' }
    const [first, second, ...workers] = await Promise.all([
      startNode(cluster, 'api', plain),
      startNode(cluster, 'api', plain),
      startNode(cluster, 'worker', { ...plain, KTRDR_NODE: 'north' }),
      startNode(cluster, 'worker', { ...plain, KTRDR_NODE: 'south' }),
    ])
    apis = [first, second]
    nodes = [first, second, ...workers]
  })

  test('all complete, and nothing grows with them: connections, handles, streams, memory, rows', async () => {
    const history: Held[][] = []
    const startedAt = performance.now()
    for (let n = 0; n < rounds; n++) {
      await round()
      history.push(await Promise.all(nodes.map(held)))
      if (isLong) report(n, startedAt, history.at(-1) ?? [])
    }
    const [warm = [], last = []] = [history[Math.floor(rounds / 3)], history.at(-1)]
    for (const [nth, now] of last.entries()) {
      const then = warm[nth] as Held
      expect(now.connections).toBeLessThanOrEqual(perNode * nodes.length)
      expect(now.handles).toBeLessThanOrEqual(then.handles + 20)
      expect(now.streams).toBe(0)
      expect(now.rssMb).toBeLessThanOrEqual(then.rssMb + growthMb)
    }
    const rows = await ask<{ status: string; attempt: number; n: string }>(
      cluster.database,
      'select status, attempt, count(*) as n from ktrdr.operations group by 1, 2',
    )
    expect(rows).toEqual([{ status: 'completed', attempt: 1, n: String(rounds * (perRound + 2)) }])
    expect(await ask(cluster.database, `select * from ktrdr_jobs.job where name = 'operations'`)).toEqual([])
    expect(await ask(cluster.database, `select * from pg_locks where locktype = 'advisory'`)).toEqual([])
  }, 1_800_000)
})

function report(n: number, startedAt: number, held: readonly Held[]): void {
  const seconds = (performance.now() - startedAt) / 1_000
  const all = held.map(one => `${one.handles} handles ${Math.round(one.rssMb)} MiB`).join(', ')
  process.stdout.write(
    `${(n + 1) * perRound} operations after ${Math.round(seconds)} s; ${held[0]?.connections} connections; ${all}\n`,
  )
}
