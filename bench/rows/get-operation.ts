import { Client, operationPath } from '../client.ts'
import { median, ms, whole } from '../numbers.ts'
import { withPeer } from '../peer.ts'
import { type Duel, duel, perSecond, range, ratio } from '../rounds.ts'
import type { Finding, Report, Row, Size } from '../row.ts'
import { withServer } from '../server.ts'

const connections = 32
const targetRatio = 0.3

/** The address clients poll, of an operation that has completed, against bare `node:http` with the same bytes. */
export const getOperation: Row = {
  name: 'get-operation',
  run: size =>
    withServer({}, async server => {
      const client = new Client(server.url)
      const { operation_id: id } = await client.complete('exercise', { steps: 1, step_ms: 0 })
      const path = operationPath(id)
      const { text: body, headers } = await client.send(path)
      client.close()
      const { etag = '', 'content-type': contentType = '' } = headers
      return withPeer({ body, headers: { 'content-type': contentType, etag } }, peerUrl =>
        measure(size, { server: server.url, peer: peerUrl, path, etag, body }),
      )
    }),
}

type Parts = {
  readonly server: string
  readonly peer: string
  readonly path: string
  readonly etag: string
  readonly body: string
}

async function measure({ pick }: Size, { server, peer, path, etag, body }: Parts): Promise<Report> {
  const rounds = pick(7, 1)
  const duration = pick(5, 1)
  const plan = { rounds, path, warmUpSeconds: pick(3, 1) }
  const full = await duel(server, peer, { ...plan, status: 200, options: { connections, duration } })
  const unchanged = await duel(server, peer, {
    ...plan,
    status: 304,
    options: { connections, duration, headers: { 'if-none-match': etag } },
  })
  return {
    findings: [
      finding('GET one completed operation, 200', full),
      finding('the same, unchanged: 304', unchanged),
    ],
    notes: [
      `${connections} keep-alive connections, ${rounds} rounds of ${duration} s each in turn with the peer, after a warm-up; medians. The answer has ${Buffer.byteLength(body)} bytes.`,
      'The peer is a bare node:http server in a process of its own that answers the same body, content-type and etag; the load comes from autocannon in a third process.',
      'The goal beyond the target is 0.50 × bare.',
      `Lowest–highest round, 200: ours ${range(full.ours)}, peer ${range(full.peers)}; 304: ours ${range(unchanged.ours)}, peer ${range(unchanged.peers)} req/s. Latency p99 of ours, 200, median of the rounds: ${ms(median(full.ours.map(one => one.p99Ms)))}.`,
    ],
  }
}

function finding(what: string, result: Duel): Finding {
  const share = ratio(result)
  return {
    what: `${what}, ${connections} connections`,
    target: `≥ ${targetRatio.toFixed(2)} × bare node:http`,
    measured: `${whole(perSecond(result.ours))} req/s`,
    peer: `${whole(perSecond(result.peers))} req/s`,
    ratio: share.toFixed(2),
    met: share >= targetRatio,
  }
}
