import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { operationPath } from '../client.ts'
import { type Cluster, type Cpu, readCpu } from './cluster-nodes.ts'

const stepsPerPoint = 100
/** Steps of 1 ms, ten metrics points a second. */
const exercise = { steps: 1e9, step_ms: 1, metrics: stepsPerPoint } as const

export type Followed = {
  readonly followers: number
  readonly seconds: number
  /** As fractions of one core; of the workers without the thread that burns CPU for the exercise. */
  readonly cpu: Cpu
  /** Without followers. */
  readonly idleCpu: Cpu
  /** ms from the moment a worker recorded a point to the moment a client had it; of every client. */
  readonly metricDelays: readonly number[]
  /** ms from a step of the worker to the progress event that tells it. */
  readonly progressDelays: readonly number[]
}

/** One operation on a worker, followed by raw sockets at both API nodes in equal parts. */
export async function timeFollowers(cluster: Cluster, followers: number, seconds: number): Promise<Followed> {
  const [client] = cluster.clients
  const { operation_id: id } = await client.submit('exercise', exercise)
  await client.until(id, operation => operation.progress > 0)
  const idleCpu = await observe(cluster, seconds)
  const crowd = new Crowd()
  try {
    for (let index = 0; index < followers; index++)
      await crowd.join(cluster.apis[index % 2]?.url ?? cluster.apis[0].url, id)
    await sleep(1_000)
    crowd.forget()
    const cpu = await observe(cluster, seconds)
    const { metricDelays, progressDelays } = crowd
    return { followers, seconds, cpu, idleCpu, metricDelays, progressDelays }
  } finally {
    crowd.leave()
    await client.send(`${operationPath(id)}/cancel`, { method: 'DELETE' })
  }
}

async function observe(cluster: Cluster, seconds: number): Promise<Cpu> {
  const before = readCpu(cluster)
  const startedAt = performance.now()
  await sleep(seconds * 1000)
  const after = readCpu(cluster)
  const elapsedMs = performance.now() - startedAt
  const used = (of: keyof typeof before) => (after[of] - before[of]) / elapsedMs
  return { apis: used('apis'), workers: used('workers') - used('burning'), postgres: used('postgres') }
}

/** Raw sockets: they must cost this machine less than the nodes. */
class Crowd {
  readonly #sockets: Socket[] = []
  /** When the worker recorded the point of a step. */
  readonly #stepAt = new Map<number, number>()
  /** Progress that was told before the point of the same tenth of a second. */
  #early: { readonly step: number; readonly heardAtMs: number }[] = []
  metricDelays: number[] = []
  progressDelays: number[] = []

  /** @throws when it is refused */
  async join(url: string, id: string): Promise<void> {
    const { hostname, port, host } = new URL(url)
    const socket = connect(Number(port), hostname).setEncoding('latin1')
    this.#sockets.push(socket)
    socket.write(`GET ${operationPath(id)}/events HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const status = await new Promise<string>((resolve, reject) => {
      socket.once('data', chunk => resolve(String(chunk).split('\r\n')[0] ?? ''))
      socket.once('error', reject)
    })
    if (!status.includes(' 200 ')) throw new Error(`a follower was answered "${status}"`)
    socket.on('error', () => undefined).on('data', chunk => this.#hear(String(chunk)))
  }

  forget(): void {
    this.metricDelays = []
    this.progressDelays = []
    this.#early = []
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #hear(chunk: string): void {
    const now = Date.now()
    for (const [, at, step] of chunk.matchAll(/"at":"([^"]+)","values":\{"step":(\d+)/g)) {
      const atMs = Date.parse(at ?? '')
      this.#stepAt.set(Number(step), atMs)
      this.metricDelays.push(now - atMs)
    }
    const steps = [...chunk.matchAll(/event: progress[^\n]*\n[^\n]*"steps":\{"done":(\d+)/g)]
    const told = [...this.#early, ...steps.map(([, step]) => ({ step: Number(step), heardAtMs: now }))]
    this.#early = told.filter(one => !this.#timed(one))
  }

  /** A step takes 1 ms: what came after a point is so much younger. @returns false while the point is not known */
  #timed({ step, heardAtMs }: { readonly step: number; readonly heardAtMs: number }): boolean {
    const stepsAfter = step % stepsPerPoint
    const pointAtMs = this.#stepAt.get(step - stepsAfter)
    if (pointAtMs !== undefined) this.progressDelays.push(heardAtMs - pointAtMs - stepsAfter)
    return pointAtMs !== undefined
  }
}
