import type { PostgresServer } from '../../test/support/postgres.ts'
import { type Measured, measuredOrWhy } from '../c-peer.ts'
import { median, ms, percent, percentile, spread, whole } from '../numbers.ts'
import { withRedis } from '../redis.ts'
import type { Finding, Report, Row, Size } from '../row.ts'
import { type Followed, timeFollowers } from './cluster-followers.ts'
import { threadsPerWorker, withClients, withNodes, withPostgres } from './cluster-nodes.ts'
import { type Start, timeOperations, timeWork, type Work } from './cluster-operations.ts'
import { timeJobs, timeStarts } from './cluster-queues.ts'

const connections = 32
const followers = 200

/** Two API nodes and two workers on one Postgres, beside the queue alone and a queue in Redis. */
export const cluster: Row = {
  name: 'cluster',
  run: async size => {
    const measured = await measuredOrWhy(() => withPostgres(postgres => measure(postgres, size)))
    if (measured.kind === 'measured') return report(measured.value)
    const nothing = { what: 'cluster', target: '–', measured: 'not measured', met: null }
    return { findings: [nothing], notes: [`${measured.reason}.`] }
  },
}

type Peers = {
  readonly pgBoss: readonly PeerRound[]
  readonly redis: Measured<readonly PeerRound[]>
  readonly durableRedis: Measured<readonly PeerRound[]>
}
type PeerRound = { readonly starts: readonly number[]; readonly perSecond: number }
type Found = {
  readonly starts: readonly Start[]
  readonly work: readonly Work[]
  readonly followed: Followed
  readonly peers: Peers
  readonly count: number
}

function measure(postgres: PostgresServer, { pick }: Size): Promise<Found> {
  const [rounds, starts, count] = [pick(3, 1), pick(100, 10), pick(1_500, 60)]
  return withNodes(postgres, async nodes => {
    await withClients(nodes, one => timeWork(one, pick(300, 20), connections)) // warm-up
    const found = { starts: [] as Start[], work: [] as Work[] }
    const pgBoss: PeerRound[] = []
    const redis: Measured<PeerRound>[] = []
    const durableRedis: Measured<PeerRound>[] = []
    for (let round = 0; round < rounds; round++) {
      found.starts.push(...(await withClients(nodes, one => timeOperations(one, starts))))
      found.work.push(await withClients(nodes, one => timeWork(one, count, connections)))
      pgBoss.push(await inPgBoss(postgres, starts, pick(3_000, 100)))
      redis.push(await measuredOrWhy(() => inRedis(false, starts, pick(10_000, 200))))
      durableRedis.push(await measuredOrWhy(() => inRedis(true, starts, pick(5_000, 200))))
    }
    const followed = await withClients(nodes, one => timeFollowers(one, pick(followers, 20), pick(10, 2)))
    const peers = { pgBoss, redis: allOf(redis), durableRedis: allOf(durableRedis) }
    return { ...found, followed, peers, count }
  })
}

/** All rounds, or why there are none. */
function allOf<T>(rounds: readonly Measured<T>[]): Measured<readonly T[]> {
  const missing = rounds.find(round => round.kind === 'not-measured')
  return (
    missing ?? {
      kind: 'measured',
      value: rounds.flatMap(round => (round.kind === 'measured' ? [round.value] : [])),
    }
  )
}

async function inPgBoss(postgres: PostgresServer, starts: number, count: number): Promise<PeerRound> {
  return {
    starts: await timeStarts('pg-boss', await postgres.freshDatabase(), starts),
    perSecond: await timeJobs('pg-boss', await postgres.freshDatabase(), { count, atOnce: connections }),
  }
}

async function inRedis(durable: boolean, starts: number, count: number): Promise<PeerRound> {
  const use = <T>(run: (address: string) => Promise<T>) => withRedis(durable, port => run(String(port)))
  return {
    starts: await use(address => timeStarts('bullmq', address, starts)),
    perSecond: await use(address => timeJobs('bullmq', address, { count, atOnce: connections })),
  }
}

function report({ starts, work, followed, peers, count }: Found): Report {
  return {
    findings: [
      ...startFindings(starts, peers),
      workFinding(work, peers),
      cpuFinding(work),
      ...followFindings(followed),
    ],
    notes: [
      `Two API nodes, two workers with ${threadsPerWorker} threads each and Postgres with fsync, on this machine, which they share with the clients. An operation is an exercise of one step of 0 ms: it is validated, stored, queued, claimed, run in a thread, ended and told of, each durably.`,
      `Submit → start: ${starts.length} operations, one after the other, ${whole(20)} ms apart, POSTed at one API node and followed by an event stream (/api/v1/events) at the other. started_at has whole milliseconds and is the moment of the claim, before its commit. Peers: from the call of send or add to the first line of the handler in another process.`,
      `Operations/s: ${work.length} × ${whole(count)} sent over ${connections} connections to both API nodes, from the first POST to completed_at of the last; medians. Lowest–highest: ${range(work.map(one => one.perSecond))}. Peers: one process that submits (${connections} at once), two that run two at a time each; in turn with ours, the idle nodes stay up.`,
      'pg-boss alone: 12.38, LISTEN/NOTIFY on; a job is fetched, run and completed one at a time, by `fetch` and `complete` in a loop where operations/s are measured, since its own workers pause between jobs. BullMQ 6.7: once on Redis as it comes, which may lose the last minute in a crash, once with appendfsync always. Handlers of both do nothing, in the process that fetched: no thread, no history, no events, no progress.',
      `Fan-out: ${followed.followers} raw sockets, half at each API node, ${followed.seconds} s, one exercise with 1,000 steps and ten metrics points a second. A point is stored as soon as its worker thread has sent it (every 50 ms); progress is stored every 500 ms and told at most every 100 ms. CPU is from /proc, without the thread that burns it for the exercise.`,
    ],
  }
}

function startFindings(starts: readonly Start[], peers: Peers): Finding[] {
  const started = starts.map(one => one.started)
  const peerMs = percentile(
    peers.pgBoss.flatMap(round => round.starts),
    0.5,
  )
  const line = (what: string, times: readonly number[]): Finding => ({
    what: `cluster: ${what}`,
    target: '–',
    measured: spread(times),
    met: null,
  })
  return [
    {
      ...line('POST at an API node → started_at', started),
      peer: peerTexts(peers, rounds => spread(rounds.flatMap(round => round.starts))),
      ratio: `p50 × ${(percentile(started, 0.5) / peerMs).toFixed(1)} of pg-boss`,
    },
    line(
      'POST → answered (durable)',
      starts.map(one => one.accepted),
    ),
    line(
      'POST → running, seen by an SSE client of the other API node',
      starts.map(one => one.seenRunning),
    ),
    line(
      'POST → completed, seen by the same client',
      starts.map(one => one.seenEnded),
    ),
  ]
}

function workFinding(work: readonly Work[], peers: Peers): Finding {
  const perSecond = median(work.map(one => one.perSecond))
  const rateOf = (rounds: readonly PeerRound[]) => median(rounds.map(round => round.perSecond))
  return {
    what: `cluster: no-op operations/s, 2 workers × ${threadsPerWorker} threads`,
    target: '–',
    measured: `${whole(perSecond)}/s`,
    peer: peerTexts(peers, rounds => `${whole(rateOf(rounds))}/s`),
    ratio: `${(perSecond / rateOf(peers.pgBoss)).toFixed(2)} × pg-boss`,
    met: null,
  }
}

function cpuFinding(work: readonly Work[]): Finding {
  const of = (part: keyof Work['cpu']) => ms(median(work.map(one => one.cpu[part])))
  return {
    what: 'cluster: CPU per no-op operation',
    target: '–',
    measured: `API nodes ${of('apis')}, workers ${of('workers')}, Postgres ${of('postgres')}`,
    met: null,
  }
}

function followFindings({ followers, cpu, idleCpu, metricDelays, progressDelays }: Followed): Finding[] {
  const text = ({ apis, workers, postgres }: Followed['cpu']) =>
    `API nodes ${percent(apis)}, workers ${percent(workers)}, Postgres ${percent(postgres)} of one core`
  const line = (what: string, measured: string): Finding => ({ what, target: '–', measured, met: null })
  return [
    {
      ...line(`cluster: ${followers} followers at two API nodes of one operation: CPU`, text(cpu)),
      peer: `without followers: ${text(idleCpu)}`,
    },
    line('cluster: metrics point in a worker → client of an API node', spread(metricDelays)),
    line('cluster: step in a worker → progress event at a client', spread(progressDelays)),
  ]
}

function peerTexts(peers: Peers, describe: (rounds: readonly PeerRound[]) => string): string {
  const orWhy = (found: Measured<readonly PeerRound[]>) =>
    found.kind === 'measured' ? describe(found.value) : found.reason
  return `pg-boss ${describe(peers.pgBoss)}; BullMQ ${orWhy(peers.redis)}; BullMQ, flushed ${orWhy(peers.durableRedis)}`
}

function range(rates: readonly number[]): string {
  return `${whole(Math.min(...rates))}–${whole(Math.max(...rates))}/s`
}
