import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, operationPath } from '../client.ts'
import { readThreads } from '../cpu-time.ts'
import { max, median, percent, spread } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { type BenchServer, withServer } from '../server.ts'

const targetFraction = 0.5

/** One operation, many followers, ten events a second: what the fan-out costs the server. */
export const sseFollowers: Row = {
  name: 'sse-followers',
  run: ({ pick }) => {
    const followers = pick(1_000, 50)
    return withServer({ KTRDR_EVENT_STREAMS_MAX: String(followers + 10), KTRDR_THREADS: '1' }, server =>
      measure(server, followers, pick(10, 2)),
    )
  },
}

async function measure(server: BenchServer, followers: number, seconds: number): Promise<Report> {
  const client = new Client(server.url)
  const { operation_id: id } = await client.submit('exercise', { steps: 1e9, step_ms: 1 })
  await client.until(id, operation => operation.progress > 0)
  const baseline = await observe(server, client, id, seconds)
  const crowd = await joinAll(server.url, id, followers)
  await sleep(1_000)
  crowd.events = 0
  const seen = await observe(server, client, id, seconds)
  const perFollower = crowd.events / followers / seconds
  for (const socket of crowd.sockets) socket.destroy()
  client.close()
  return report(seen, { followers, seconds, perFollower, baseline })
}

type Crowd = { readonly sockets: readonly Socket[]; events: number }

/** Raw sockets: the followers must cost this machine less than the server. @throws when one is refused */
async function joinAll(url: string, id: string, followers: number): Promise<Crowd> {
  const { hostname, port, host } = new URL(url)
  const crowd: Crowd & { sockets: Socket[] } = { sockets: [], events: 0 }
  for (let index = 0; index < followers; index++) {
    const socket = connect(Number(port), hostname).setEncoding('latin1')
    crowd.sockets.push(socket)
    socket.write(`GET ${operationPath(id)}/events HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const status = await new Promise<string>((resolve, reject) => {
      socket.once('data', chunk => resolve(String(chunk).split('\r\n')[0] ?? ''))
      socket.once('error', reject)
    })
    if (!status.includes(' 200 ')) {
      throw new Error(
        `follower ${index + 1} of ${followers} was answered "${status}": KTRDR_EVENT_STREAMS_MAX has no effect`,
      )
    }
    socket
      .on('error', () => undefined)
      .on('data', chunk => {
        crowd.events += String(chunk).split('event: progress').length - 1
      })
  }
  return crowd
}

type Seen = {
  readonly cpu: number
  readonly main: number
  readonly processCpu: number
  readonly getMs: number[]
}

/** CPU as fractions of one core, and how long other clients wait meanwhile (20 requests per second). */
async function observe(server: BenchServer, client: Client, id: string, seconds: number): Promise<Seen> {
  const getMs: number[] = []
  const before = {
    threads: readThreads(server.pid),
    process: await processCpuSeconds(client),
    at: performance.now(),
  }
  while (performance.now() - before.at < seconds * 1000) {
    getMs.push((await client.send(operationPath(id))).elapsedMs)
    await sleep(50)
  }
  const after = readThreads(server.pid)
  const elapsedMs = performance.now() - before.at
  const processCpu = ((await processCpuSeconds(client)) - before.process) / (elapsedMs / 1000)
  const used = [...after].map(([thread, ms]) => ({ thread, ms: ms - (before.threads.get(thread) ?? 0) }))
  const main = (used.find(({ thread }) => thread === server.pid)?.ms ?? 0) / elapsedMs
  const exercise = max(used.filter(({ thread }) => thread !== server.pid).map(({ ms }) => ms))
  const cpu = used.reduce((sum, { ms }) => sum + ms, -exercise) / elapsedMs
  return { cpu, main, processCpu, getMs }
}

async function processCpuSeconds(client: Client): Promise<number> {
  const { text } = await client.send('/metrics')
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1])
}

type Setting = {
  readonly followers: number
  readonly seconds: number
  readonly perFollower: number
  readonly baseline: Seen
}

function report(seen: Seen, { followers, seconds, perFollower, baseline }: Setting): Report {
  return {
    findings: [
      {
        what: `${followers.toLocaleString('en-US')} followers of one operation, ${perFollower.toFixed(1)} events/s each: CPU of the server`,
        target: `< ${percent(targetFraction)} of one core`,
        measured: percent(seen.cpu),
        peer: `without followers: ${percent(baseline.cpu)}`,
        met: seen.cpu < targetFraction,
      },
    ],
    notes: [
      `${followers} raw sockets in the client’s process, ${seconds} s, one exercise that reports as often as it may; the server sends at most ten progress events per second. CPU is that of all threads of the server but the one that burns CPU for the exercise, from /proc; main thread alone ${percent(seen.main)}. process_cpu_seconds_total, with the exercise: ${percent(seen.processCpu)} (${percent(baseline.processCpu)} without followers).`,
      `GET of that operation by another client meanwhile: ${spread(seen.getMs)} (p50 without followers ${median(baseline.getMs).toFixed(2)} ms).`,
    ],
  }
}
