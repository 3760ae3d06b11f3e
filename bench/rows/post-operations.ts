import { Client, operationPath, operationsPath } from '../client.ts'
import { type Load, load } from '../load.ts'
import { median, ms, whole } from '../numbers.ts'
import { withPeer } from '../peer.ts'
import { perSecond, range, ratio } from '../rounds.ts'
import type { Report, Row } from '../row.ts'
import { withServer } from '../server.ts'

const connections = 32
const targetPerSecond = 5_000
const submission = { type: 'exercise', params: { steps: 1 } }

/** Durable acceptance: every 202 has been flushed to disk. Nothing else runs: the one thread is held by a long operation. */
export const postOperations: Row = {
  name: 'post-operations',
  run: async ({ pick }) => {
    const rounds = pick(5, 1)
    const duration = pick(5, 1)
    const ours: Round[] = []
    const peers: Load[] = []
    for (let round = 0; round < rounds; round++) {
      const one = await loadFreshServer(duration)
      ours.push(one)
      peers.push(
        await withPeer(
          { body: one.body, headers: { 'content-type': 'application/json; charset=utf-8' } },
          url => post(url, duration),
        ),
      )
    }
    return report(ours, peers, duration)
  },
}

type Round = Load & { readonly pending: number; readonly body: string }

const post = (url: string, duration: number) =>
  load(
    {
      url: `${url}${operationsPath}`,
      method: 'POST',
      connections,
      duration,
      body: JSON.stringify(submission),
      headers: { 'content-type': 'application/json' },
    },
    202,
  )

/** Every round begins with an empty queue, warmed up by operations that are cancelled again. */
function loadFreshServer(duration: number): Promise<Round> {
  return withServer({ KTRDR_THREADS: '1', KTRDR_QUEUE_MAX: '10000000' }, async server => {
    const client = new Client(server.url)
    const blocker = await client.submit('exercise', { steps: 1e9, step_ms: 100 })
    await client.until(blocker.operation_id, operation => operation.status === 'running')
    for (let index = 0; index < 500; index++) {
      const { operation_id } = await client.submit(submission.type, submission.params)
      await client.send(`${operationPath(operation_id)}/cancel`, { method: 'DELETE' })
    }
    const { text: body } = await client.send(operationsPath, { method: 'POST', body: submission })
    const result = await post(server.url, duration)
    const { by_status } = await client.json<{ by_status: { pending: number } }>(`${operationsPath}/counts`)
    client.close()
    const accepted = result.statuses['202'] ?? 0
    if (by_status.pending < accepted)
      throw new Error(`${accepted} operations were accepted, but ${by_status.pending} are pending`)
    return { ...result, pending: by_status.pending, body }
  })
}

function report(ours: readonly Round[], peers: readonly Load[], duration: number): Report {
  const rate = perSecond(ours)
  return {
    findings: [
      {
        what: `POST durable operations, ${connections} connections`,
        target: `≥ ${whole(targetPerSecond)} req/s`,
        measured: `${whole(rate)} req/s`,
        peer: `${whole(perSecond(peers))} req/s`,
        ratio: ratio({ ours, peers }).toFixed(2),
        met: rate >= targetPerSecond,
      },
    ],
    notes: [
      `${connections} keep-alive connections, ${ours.length} rounds of ${duration} s in turn with the peer; medians. Every round is a fresh server with KTRDR_QUEUE_MAX 10,000,000 and one thread, which a long exercise holds, so that nothing else starts and the queue only grows.`,
      `Lowest–highest round: ours ${range(ours)}, peer ${range(peers)} req/s; latency of ours p50 ${ms(median(ours.map(one => one.p50Ms)))}, p99 ${ms(median(ours.map(one => one.p99Ms)))}.`,
      `Operations pending at the end of each round: ${ours.map(one => whole(one.pending)).join(', ')} (never fewer than were answered with 202).`,
      'The peer is a bare node:http server that parses the same JSON and answers 202 with a body of the same length; it stores nothing. The held thread burns one core at nice 10 during our rounds and not during those of the peer.',
    ],
  }
}
