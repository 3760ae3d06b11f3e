import { Client, type Event, type Operation, operationPath } from '../client.ts'
import { max, percentile, spread } from '../numbers.ts'
import type { Finding, Report, Row } from '../row.ts'
import { withServer } from '../server.ts'

const graceMs = 500
const target = { p50Ms: 5, p99Ms: 50, overGraceMs: 100 }

/** From the request to stop to the terminal status: of a worker in a hot loop, and of one that does not listen. */
export const cancel: Row = {
  name: 'cancel',
  run: ({ pick }) =>
    withServer({ KTRDR_CANCEL_GRACE_MS: String(graceMs) }, async server => {
      const client = new Client(server.url)
      const hot: Stop[] = []
      const deaf: Stop[] = []
      try {
        for (let round = 0; round < pick(5, 1); round++)
          await stopOne(client, 'exercise', { steps: 1e9, step_ms: 0 }) // warm-up
        for (let round = 0; round < pick(100, 5); round++)
          hot.push(await stopOne(client, 'exercise', { steps: 1e9, step_ms: 0 }))
        for (let round = 0; round < pick(5, 1); round++)
          deaf.push(await stopOne(client, 'exercise', { steps: 1e9, step_ms: 1, deaf: true }))
      } finally {
        client.close()
      }
      return report(hot, deaf)
    }),
}

export type Stop = { readonly recordedMs: number; readonly observedMs: number; readonly mode: string | null }

/** Starts one, waits until its worker has reported from inside the loop, and stops it. */
export async function stopOne(client: Client, type: string, params: object): Promise<Stop> {
  const { operation_id: id } = await client.submit(type, params)
  let sentAt: number | null = null
  return new Promise((resolve, reject) => {
    const hear = ({ name, data, atMs }: Event) => {
      const operation = data as Operation
      if (sentAt === null && operation.steps !== null && operation.steps?.done > 0) {
        sentAt = performance.now()
        client.json(`${operationPath(id)}/cancel`, { method: 'DELETE' }).catch(reject)
      }
      if (name !== 'status' || operation.completed_at === null) return
      leave()
      const { status, cancellation } = operation
      if (status !== 'cancelled' || sentAt === null) return reject(new Error(`${id} ended ${status}`))
      const { latency_ms: recordedMs, mode } = cancellation ?? { latency_ms: null, mode: null }
      resolve({ recordedMs: recordedMs ?? Number.NaN, observedMs: atMs - sentAt, mode })
    }
    const leave = client.follow(id, hear, reject)
  })
}

function report(hot: readonly Stop[], deaf: readonly Stop[]): Report {
  const longest = graceMs + target.overGraceMs
  const isQuick = (times: readonly number[]) =>
    percentile(times, 0.5) <= target.p50Ms && percentile(times, 0.99) <= target.p99Ms
  const isInTime = (times: readonly number[]) => max(times) <= longest
  const hotTarget = `p50 ≤ ${target.p50Ms} ms, p99 ≤ ${target.p99Ms} ms`
  const deafTarget = `≤ grace (${graceMs} ms) + ${target.overGraceMs} ms`
  const modes = (stops: readonly Stop[]) => [...new Set(stops.map(stop => stop.mode))].join(', ')
  return {
    findings: [
      ...findings('cancel a hot loop', hot, { target: hotTarget, isMet: isQuick }),
      ...findings('cancel a deaf worker', deaf, { target: deafTarget, isMet: isInTime }),
    ],
    notes: [
      `${hot.length} × an exercise of 1e9 steps of 0 ms, ${deaf.length} × a deaf one, one after the other on an otherwise idle server. DELETE is sent after the first progress from inside the worker’s loop; the stop includes a checkpoint flushed to disk.`,
      '“Seen by the client” is from sending DELETE to the terminal status event in an event stream that was open before. latency_ms has whole milliseconds.',
      `Modes of stopping: hot ${modes(hot)}; deaf ${modes(deaf)}.`,
    ],
  }
}

type Judgement = { readonly target: string; readonly isMet: (times: readonly number[]) => boolean }

function findings(what: string, stops: readonly Stop[], { target, isMet }: Judgement): Finding[] {
  const line = (how: string, times: readonly number[]) => ({
    what: `${what}: ${how}`,
    target,
    measured: spread(times),
    met: isMet(times),
  })
  const recorded = stops.map(stop => stop.recordedMs)
  const observed = stops.map(stop => stop.observedMs)
  return [line('cancellation.latency_ms', recorded), line('seen by the client', observed)]
}
