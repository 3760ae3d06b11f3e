import { type Operation, operationsPath } from '../client.ts'
import { type Cluster, type Cpu, readCpu } from './cluster-nodes.ts'
import { pauseMs } from './cluster-queues.ts'

/** The shortest operation there is: one step of nothing. */
const noOp = { type: 'exercise', params: { steps: 1, step_ms: 0 } } as const

/** ms after POST was sent. */
export type Start = {
  /** The POST was answered. */
  readonly accepted: number
  /** started_at, whole milliseconds of the worker’s clock. */
  readonly started: number
  /** An event stream of the other API node said that it runs, and that it has ended. */
  readonly seenRunning: number
  readonly seenEnded: number
}

/** Sends no-op operations one after the other to the API nodes in turn, followed at the other one. */
export async function timeOperations(cluster: Cluster, count: number): Promise<Start[]> {
  const watchers = cluster.clients.map(client => new Watcher(client))
  try {
    const times: Start[] = []
    for (let round = 0; round < count + 5; round++) {
      const client = cluster.clients[round % 2] ?? cluster.clients[0]
      const watcher = watchers[(round + 1) % 2]
      const [atMs, wallMs] = [performance.now(), Date.now()]
      const answer = await client.json<Operation>(operationsPath, { method: 'POST', body: noOp })
      const accepted = performance.now() - atMs
      const seen = await watcher?.ended(answer.operation_id)
      if (seen === undefined) continue
      times.push({
        accepted,
        started: Date.parse(seen.startedAt) - wallMs,
        seenRunning: seen.runningAtMs - atMs,
        seenEnded: seen.endedAtMs - atMs,
      })
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
    return times.slice(5)
  } finally {
    for (const watcher of watchers) watcher.leave()
  }
}

type Seen = { readonly startedAt: string; readonly runningAtMs: number; readonly endedAtMs: number }

/** Follows every operation by an event stream of one API node. */
class Watcher {
  readonly leave: () => void
  readonly #running = new Map<string, number>()
  readonly #ended = new Map<string, Seen>()
  #wake: () => void = () => undefined
  #error: Error | null = null

  constructor(client: Cluster['clients'][number]) {
    this.leave = client.followPath(
      '/api/v1/events',
      ({ name, data, atMs }) => {
        if (name !== 'status') return
        const { operation_id: id, status, started_at } = data as Operation
        if (status === 'running') this.#running.set(id, atMs)
        if (status !== 'completed') return
        const runningAtMs = this.#running.get(id) ?? atMs
        this.#ended.set(id, { startedAt: started_at ?? '', runningAtMs, endedAtMs: atMs })
        this.#wake()
      },
      error => {
        this.#error = error
        this.#wake()
      },
    )
  }

  async ended(id: string): Promise<Seen> {
    for (;;) {
      if (this.#error !== null) throw this.#error
      const seen = this.#ended.get(id)
      if (seen !== undefined) return seen
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

export type Work = {
  readonly perSecond: number
  /** CPU per operation. */
  readonly cpu: Cpu
}

/** Sends no-op operations from so many connections to both API nodes, and waits for the last. */
export async function timeWork(cluster: Cluster, count: number, connections: number): Promise<Work> {
  const before = readCpu(cluster)
  const startedAt = Date.now()
  let left = count
  const sendSome = async (_: unknown, index: number) => {
    const client = cluster.clients[index % 2] ?? cluster.clients[0]
    while (left > 0) {
      left -= 1
      await client.json(operationsPath, { method: 'POST', body: noOp })
    }
  }
  await Promise.all(Array.from({ length: connections }, sendSome))
  const endedAt = await untilIdle(cluster)
  const after = readCpu(cluster)
  const perOperation = (of: keyof Cpu) => (after[of] - before[of]) / count
  return {
    perSecond: count / ((endedAt - startedAt) / 1000),
    cpu: { apis: perOperation('apis'), workers: perOperation('workers'), postgres: perOperation('postgres') },
  }
}

/** @returns completed_at of the last operation */
async function untilIdle({ database }: Cluster): Promise<number> {
  const deadline = performance.now() + 300_000
  while (performance.now() < deadline) {
    const { rows } = await database.query(
      `select coalesce(sum(n), 0)::integer as n from ktrdr.operation_counts where status in ('pending', 'running', 'cancelling')`,
    )
    if (rows[0]?.n === 0) {
      const last = await database.query(
        'select max(completed_at)::double precision as at from ktrdr.operations',
      )
      return Number(last.rows[0]?.at)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('operations are still waiting after 5 minutes')
}
