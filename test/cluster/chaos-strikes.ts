import { setTimeout as pause } from 'node:timers/promises'
import { startPostgres } from '../support/postgres.ts'
import { type Cluster, type Program, startNode } from '../support/program.ts'
import { type Attempt, ask, type Lapse } from './chaos-audit.ts'

/** Half open, epoch ms. */
export type Interval = { readonly from: number; to: number }

/** What was done to a worker. */
export type Strike = { readonly kind: 'kill' | 'freeze'; readonly node: string; readonly at: number }

const fanOuts = ['exercise_fan_out', 'sweep']
const fencedPattern = /ktrdr_fenced_writes_total (\d+)/

/** A worker node that dies and comes back, and when it could work. */
export class Mortal {
  readonly name: string
  readonly threads: number
  readonly able: Interval[] = []
  /** Being started, frozen, or looked at: not to be struck now. */
  isSpared = false
  program: Program

  constructor(name: string, threads: number, program: Program) {
    this.name = name
    this.threads = threads
    this.program = program
    this.#begin()
  }

  async killAndStart(): Promise<void> {
    this.isSpared = true
    this.#end()
    await this.program.kill()
    await this.program.start()
    this.#begin()
    this.isSpared = false
  }

  freeze(): void {
    this.isSpared = true
    this.program.sendSignal('SIGSTOP')
    this.#end()
  }

  wake(): void {
    this.program.sendSignal('SIGCONT')
    this.#begin()
  }

  /** Its writes that were refused because another had taken their operation over. */
  async fencedWrites(): Promise<number> {
    return Number(fencedPattern.exec((await this.program.get('/metrics')).text)?.[1])
  }

  #begin(): void {
    this.able.push({ from: Date.now(), to: Number.POSITIVE_INFINITY })
  }

  #end(): void {
    const last = this.able.at(-1)
    if (last !== undefined) last.to = Date.now()
  }
}

/** @param threads operations that it runs at the same time */
export async function startMortal(cluster: Cluster, name: string, threads: number): Promise<Mortal> {
  const environment = { KTRDR_NODE: name, KTRDR_THREADS: String(threads) }
  return new Mortal(name, threads, await startNode(cluster, 'worker', environment))
}

/** Kills, freezes and restarts, and remembers what and when. */
export class Strikes {
  readonly all: Strike[] = []
  /** While Postgres was away. */
  readonly outages: Interval[] = []
  /** What frozen workers wrote in vain after they woke. */
  fenced = 0
  readonly #database: string
  readonly #workers: readonly Mortal[]
  readonly #starting: Promise<void>[] = []
  #turn = 0

  constructor(database: string, workers: readonly Mortal[]) {
    this.#database = database
    this.#workers = workers
  }

  /** SIGKILL, every so often, to one worker after the other; each is started again at once. */
  async killWorkers(everyMs: number, untilMs: number): Promise<void> {
    for (const until = Date.now() + untilMs; Date.now() < until; ) {
      await pause(everyMs)
      const [first, second] = this.#workers.map(
        (_, i) => this.#workers[(this.#turn + i) % this.#workers.length],
      )
      const victim = [first, second].find(worker => worker?.isSpared === false)
      if (victim === undefined) continue
      this.#turn = this.#workers.indexOf(victim) + 1
      this.all.push({ kind: 'kill', node: victim.name, at: Date.now() })
      this.#starting.push(victim.killAndStart())
    }
    await Promise.all(this.#starting)
  }

  /** SIGSTOP to a worker that runs something; after it was woken, waits until a write of it has been refused. */
  async freezeOne(forMs: number): Promise<void> {
    const worker = await this.#stopBusyOne()
    await pause(forMs)
    worker.wake()
    const before = this.fenced
    for (const until = Date.now() + 15_000; this.fenced === before; await pause(100)) {
      if (Date.now() > until) throw new Error(`${worker.name} woke, and no write of it was refused`)
      this.fenced = before + (await worker.fencedWrites())
    }
    worker.isSpared = false
  }

  /** Breaks all connections in the middle of whatever they do. */
  async restartPostgres(): Promise<void> {
    const server = await startPostgres()
    const outage = { from: Date.now(), to: Number.POSITIVE_INFINITY }
    this.outages.push(outage)
    await server.stop('fast')
    await server.start()
    outage.to = Date.now()
  }

  async #stopBusyOne(): Promise<Mortal> {
    for (;;) {
      for (const worker of this.#workers) {
        if (worker.isSpared || !(await this.#isBusy(worker))) continue
        if (worker.isSpared) continue
        const at = Date.now()
        worker.freeze()
        // What it has sent is done by now, or never; a node that holds nothing would wake to no refusal.
        await pause(100)
        if (await this.#isBusy(worker)) {
          this.all.push({ kind: 'freeze', node: worker.name, at })
          return worker
        }
        worker.wake()
        worker.isSpared = false
      }
      await pause(50)
    }
  }

  async #isBusy({ name }: Mortal): Promise<boolean> {
    const rows = await ask(
      this.#database,
      `select 1 from ktrdr.operations where status = 'running' and worker_node = '${name}' and type = 'exercise'
       and checkpoints != '[]'`,
    )
    return rows.length > 0
  }
}

/** An attempt that was lost with its worker, and the next one. */
export type Takeover = {
  readonly operation_id: string
  readonly attempt: number
  /** From the strike to the moment the queue took the operation back, ms. */
  readonly noticedMs: number
  /** From there to the start of the next attempt, without the time in which no worker had a thread for it, ms. */
  readonly startedMs: number
  /** That time, ms. */
  readonly busyMs: number
}

/**
 * Every attempt that followed another, with the strike that made it necessary.
 * @throws when an attempt was lost though nobody had struck its worker
 */
export function takeoversOf(
  attempts: readonly Attempt[],
  lapses: readonly Lapse[],
  strikes: Strikes,
  workers: readonly Mortal[],
): Takeover[] {
  const before = new Map(attempts.map(one => [`${one.operation_id} ${one.attempt + 1}`, one]))
  return attempts.flatMap(next => {
    const lost = before.get(`${next.operation_id} ${next.attempt}`)
    if (lost === undefined) return []
    const isIn = ({ at }: { at: number }) => at >= lost.startedAt - 50 && at <= next.startedAt
    const strike = strikes.all.find(one => one.node === lost.node && isIn(one))
    const lapse = lapses.find(one => one.operation_id === next.operation_id && isIn(one))
    if (strike === undefined || lapse === undefined)
      throw new Error(`nobody had struck ${lost.node}, which lost ${JSON.stringify(lost)} to ${next.node}`)
    const waited = { from: lapse.at, to: next.startedAt }
    const startedMs = ableMs(waited, fanOuts.includes(next.type), attempts, workers, strikes.outages)
    return {
      ...{ operation_id: next.operation_id, attempt: next.attempt, noticedMs: lapse.at - strike.at },
      ...{ startedMs, busyMs: waited.to - waited.from - startedMs },
    }
  })
}

/** For how long some worker could have started another operation. */
function ableMs(
  { from, to }: Interval,
  needsNoThread: boolean,
  attempts: readonly Attempt[],
  workers: readonly Mortal[],
  outages: readonly Interval[],
): number {
  const runs = attempts.filter(({ type }) => !fanOuts.includes(type))
  const marks = [
    ...workers.flatMap(({ able }) => able.flatMap(one => [one.from, one.to])),
    ...runs.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]),
    ...outages.flatMap(one => [one.from, one.to]),
  ]
  const cuts = [from, ...marks.filter(mark => mark > from && mark < to).sort((a, b) => a - b), to]
  const has = ({ from: start, to: end }: Interval, at: number) => start <= at && at < end
  const isAble = (at: number) =>
    !outages.some(outage => has(outage, at)) &&
    workers.some(({ name, threads, able }) => {
      const life = able.find(one => has(one, at))
      if (life === undefined) return false
      const running = runs.filter(
        run => run.node === name && run.startedAt >= life.from && run.startedAt <= at && at < run.endedAt,
      )
      return needsNoThread || running.length < threads
    })
  let sum = 0
  for (const [i, cut] of cuts.entries()) {
    const end = cuts[i + 1]
    if (end !== undefined && isAble(cut)) sum += end - cut
  }
  return sum
}
