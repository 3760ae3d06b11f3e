import { setTimeout as sleep } from 'node:timers/promises'
import { Client, operationsPath } from '../client.ts'
import { max, median, ms } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { type BenchServer, withServer } from '../server.ts'

const pending = 100
const threads = 2

/** kill -9 in the middle of work: how soon the next process works again. */
export const crashRecovery: Row = {
  name: 'crash-recovery',
  run: ({ pick }) =>
    withServer({ KTRDR_THREADS: String(threads), KTRDR_MAX_ATTEMPTS: '1000' }, async server => {
      await fill(server)
      const seen: Recovery[] = []
      for (let round = 0; round < pick(10, 2); round++) {
        await server.kill()
        seen.push(await recover(server))
      }
      return report(seen)
    }),
}

/** Milliseconds from the spawn. */
type Recovery = { readonly ready: number; readonly running: number; readonly reporting: number }

async function fill(server: BenchServer): Promise<void> {
  const client = new Client(server.url)
  for (let index = 0; index < threads + pending; index++)
    await client.submit('exercise', { steps: 1e9, step_ms: 1 })
  await untilSome(client, item => item.progress > 0)
  client.close()
}

async function recover(server: BenchServer): Promise<Recovery> {
  const startedAt = performance.now()
  const ready = await server.start()
  const client = new Client(server.url)
  await untilSome(client, () => true)
  const running = performance.now() - startedAt
  await untilSome(client, item => item.progress > 0)
  client.close()
  return { ready, running, reporting: performance.now() - startedAt }
}

type Item = { readonly progress: number }

/** Waits for a running operation of which `done` is true. @throws after 60 s */
async function untilSome(client: Client, done: (item: Item) => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const { items } = await client.json<{ items: Item[] }>(
      `${operationsPath}?status=running&limit=${threads}`,
    )
    if (items.some(done)) return
    if (performance.now() > deadline) throw new Error('nothing works 60 s after the restart')
    await sleep(2)
  }
}

function report(seen: readonly Recovery[]): Report {
  const line = (what: string, times: readonly number[]) => ({
    what: `crash recovery: spawn → ${what}`,
    target: '–',
    measured: `median ${ms(median(times))}, max ${ms(max(times))}`,
    met: null,
  })
  return {
    findings: [
      line(
        'ready',
        seen.map(one => one.ready),
      ),
      line(
        'an operation is running',
        seen.map(one => one.running),
      ),
      line(
        'an operation reports progress',
        seen.map(one => one.reporting),
      ),
    ],
    notes: [
      `${seen.length} × kill -9 with ${threads} running and ${pending} pending exercises, then a start on the same data folder. “Is running” is the claim; “reports progress” means that a worker thread has been started, has loaded its code, and its first progress can be read over HTTP (it is stored twice a second).`,
    ],
  }
}
