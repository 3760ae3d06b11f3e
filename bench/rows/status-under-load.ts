import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type Event, operationPath, operationsPath } from '../client.ts'
import { max, percentile, spread } from '../numbers.ts'
import { withPeer } from '../peer.ts'
import type { Finding, Report, Row } from '../row.ts'
import { withServer } from '../server.ts'

const operations = 50
const threads = 2
const requestsPerSecond = 200
const targetMs = 10

/** How quickly the state can be read while every thread computes and reports as often as it may. */
export const statusUnderLoad: Row = {
  name: 'status-under-load',
  run: ({ pick }) =>
    withServer({ KTRDR_THREADS: String(threads) }, server =>
      withPeer({ body: '{}', headers: {} }, async peerUrl => {
        const clients = { ours: new Client(server.url), peer: new Client(peerUrl) }
        const seconds = pick(30, 3)
        try {
          const ids = await startAll(clients.ours)
          await observe(clients, ids, pick(5, 1)) // warm-up
          return report(await observe(clients, ids, seconds), seconds)
        } finally {
          clients.ours.close()
          clients.peer.close()
        }
      }),
    ),
}

type Clients = { readonly ours: Client; readonly peer: Client }

async function startAll(client: Client): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < operations; index++) {
    ids.push((await client.submit('exercise', { steps: 1e9, step_ms: 1 })).operation_id)
  }
  for (const id of ids.slice(0, threads)) await client.until(id, operation => operation.progress > 0)
  return ids
}

type Seen = {
  readonly one: number[]
  readonly list: number[]
  /** Opening an event stream to its first snapshot. */
  readonly snapshot: number[]
  /** Between two progress events of one stream. */
  readonly gaps: number[]
  readonly running: number[]
  /** A bare server asked meanwhile: what the busy machine alone costs. */
  readonly bare: number[]
}

/** Sends at a fixed rate whether earlier answers have come or not, so that a pause of the server is not hidden. */
async function observe(clients: Clients, ids: readonly string[], seconds: number): Promise<Seen> {
  const seen: Seen = { one: [], list: [], snapshot: [], gaps: [], running: [], bare: [] }
  const failures: unknown[] = []
  const fail = (error: unknown) => failures.push(error)
  const leave = recordGaps(clients.ours, ids[0] ?? '', seen.gaps, fail)
  const answers: Promise<unknown>[] = []
  const startedAt = performance.now()
  for (let turn = 0; turn < seconds * requestsPerSecond; turn++) {
    answers.push(ask(clients, ids, turn, seen).catch(fail))
    const waitMs = startedAt + ((turn + 1) * 1000) / requestsPerSecond - performance.now()
    if (waitMs > 0) await sleep(waitMs)
  }
  await Promise.all(answers)
  leave()
  if (failures.length > 0) throw failures[0]
  return seen
}

async function ask(clients: Clients, ids: readonly string[], turn: number, seen: Seen): Promise<void> {
  const client = clients.ours
  const id = ids[turn % threads] ?? ''
  if (turn % 40 === 0) seen.snapshot.push(await timeToSnapshot(client, id))
  else if (turn % 20 === 10) {
    const { by_status } = await client.json<{ by_status: { running: number } }>(`${operationsPath}/counts`)
    seen.running.push(by_status.running)
  } else if (turn % 10 === 5) seen.bare.push((await expectOk(clients.peer, '/')).elapsedMs)
  else if (turn % 2 === 0) seen.one.push((await expectOk(client, operationPath(id))).elapsedMs)
  else seen.list.push((await expectOk(client, `${operationsPath}?limit=50`)).elapsedMs)
}

async function expectOk(client: Client, path: string) {
  const answer = await client.send(path)
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
  return answer
}

function timeToSnapshot(client: Client, id: string): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const hear = ({ name, atMs }: Event) => {
      if (name !== 'snapshot') return
      leave()
      resolve(atMs - startedAt)
    }
    const leave = client.follow(id, hear, reject)
  })
}

function recordGaps(client: Client, id: string, gaps: number[], fail: (error: unknown) => void): () => void {
  let last: number | null = null
  const hear = ({ name, atMs }: Event) => {
    if (name !== 'progress') return
    if (last !== null) gaps.push(atMs - last)
    last = atMs
  }
  return client.follow(id, hear, fail)
}

function report(seen: Seen, seconds: number): Report {
  const line = (what: string, times: readonly number[]): Finding => ({
    what,
    target: `p99 ≤ ${targetMs} ms`,
    measured: spread(times),
    peer: `bare node:http beside it: ${spread(seen.bare)}`,
    ratio: `p99 × ${(percentile(times, 0.99) / percentile(seen.bare, 0.99)).toFixed(1)}`,
    met: percentile(times, 0.99) <= targetMs,
  })
  const eventsPerSecond = seen.gaps.length / (seen.gaps.reduce((sum, gap) => sum + gap, 0) / 1000)
  const mostRunning = max(seen.running)
  return {
    findings: [
      line('GET one while every thread works', seen.one),
      line('GET list (50) while every thread works', seen.list),
      line('event stream: connect → snapshot, under the same load', seen.snapshot),
      {
        what: 'progress events in one stream, under the same load',
        target: '≤ 10 per second',
        measured: `${eventsPerSecond.toFixed(1)} per second; gaps ${spread(seen.gaps)}`,
        met: eventsPerSecond <= 10,
      },
      {
        what: `most operations running at once, of ${operations}`,
        target: `≤ ${threads}`,
        measured: String(mostRunning),
        met: mostRunning <= threads,
      },
    ],
    notes: [
      `${operations} exercises (step_ms 1, endless) on ${threads} threads: ${threads} run and report as often as they may, the others wait. One client in a process of its own sends ${requestsPerSecond} requests per second for ${seconds} s, in time with the clock, after a warm-up: ${seen.one.length} × one, ${seen.list.length} × list, ${seen.snapshot.length} × event stream, ${seen.running.length} × counts, ${seen.bare.length} × the peer; one further stream stays open.`,
      'Client, server, peer and both busy threads share the cores of this machine. The peer, a bare node:http server in a process of its own, is asked by the same client in between: its times are what the busy machine costs by itself.',
      'For comparison, quoted from the project’s design notes and not run here: the original’s pattern (FastAPI BackgroundTasks) p50 279 ms, p99 291 ms; its threaded form p99 77 ms.',
    ],
  }
}
