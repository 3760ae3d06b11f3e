import { Client, type Operation, operationsPath } from '../client.ts'
import { percentile, spread } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { withServer } from '../server.ts'

const targetMs = 5

/** How long an idle server takes from accepting an operation to working on it. */
export const submitToStart: Row = {
  name: 'submit-to-start',
  run: ({ pick }) =>
    withServer({}, async server => {
      const client = new Client(server.url)
      const count = pick(300, 10)
      try {
        for (let round = 0; round < pick(50, 3); round++) await submitOne(client) // warm-up
        const seen: Seen[] = []
        for (let round = 0; round < count; round++) seen.push(await submitOne(client))
        return report(seen)
      } finally {
        client.close()
      }
    }),
}

type Seen = { readonly wholeMs: number; readonly claimMs: number; readonly endMs: number }

async function submitOne(client: Client): Promise<Seen> {
  const body = { type: 'exercise', params: { steps: 1, step_ms: 0 } }
  const { status, text, elapsedMs } = await client.send(operationsPath, {
    method: 'POST',
    body,
    headers: { prefer: 'wait=30' },
  })
  if (status !== 200) throw new Error(`POST with Prefer: wait answered ${status}: ${text}`)
  const operation: Operation = JSON.parse(text)
  const since = (time: string | null) => Date.parse(time ?? '') - Date.parse(operation.created_at)
  return { wholeMs: elapsedMs, claimMs: since(operation.started_at), endMs: since(operation.completed_at) }
}

function report(seen: readonly Seen[]): Report {
  const line = (what: string, times: readonly number[]) => ({
    what,
    target: `p50 ≤ ${targetMs} ms`,
    measured: spread(times),
    met: percentile(times, 0.5) <= targetMs,
  })
  return {
    findings: [
      line(
        'submit → completed, seen by the client (upper bound of submit → start)',
        seen.map(one => one.wholeMs),
      ),
      line(
        'created_at → started_at',
        seen.map(one => one.claimMs),
      ),
      line(
        'created_at → completed_at',
        seen.map(one => one.endMs),
      ),
    ],
    notes: [
      `${seen.length} exercises of one step of 0 ms, one after the other on an idle server, each sent with “Prefer: wait”.`,
      'What is measured from outside includes everything: HTTP both ways, the durable commits of submission, claim and end, the way to the thread and back. The first line of worker code therefore runs earlier than that. started_at is the claim, just before the task goes to its thread; server times have whole milliseconds.',
    ],
  }
}
