import type { NodeRegistry, NodeState, NodeVoice, OwnState } from '../execution/nodes.ts'
import type { ThreadState } from '../execution/pool.ts'
import { errorFields, type Log } from '../log.ts'
import type { NodeRecord } from '../store/postgres/nodes.ts'
import type { PostgresStore } from '../store/postgres/postgres-store.ts'

const reportMs = 2_000
const lostMs = 12_000
const forgottenMs = 3_600_000

/** All nodes of the cluster: each says every two seconds that it lives, and is told so whether it shall drain. */
export class ClusterNodes implements NodeRegistry {
  readonly #store: PostgresStore
  readonly #own: OwnState
  readonly #voice: NodeVoice
  readonly #log: Log
  #timer: NodeJS.Timeout | null = null
  #reporting: Promise<void> | null = null
  #stopListening: () => void = () => undefined

  constructor(store: PostgresStore, own: OwnState, voice: NodeVoice, log: Log) {
    this.#store = store
    this.#own = own
    this.#voice = voice
    this.#log = log
  }

  /** Makes this node known. */
  async start(): Promise<void> {
    await this.#store.removeOldNodes(forgottenMs)
    await this.#report()
    this.#timer = setInterval(() => this.#reportSoon(), reportMs)
    this.#timer.unref()
    this.#stopListening = this.#store.onNotify(note => {
      if (note.kind === 'drain' && note.node_id === this.#own.node_id) this.#drainSelf()
    })
  }

  /** Takes this node off the list. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#stopListening()
    await this.#reporting
    await this.#store.removeNode(this.#own.node_id)
  }

  async list(): Promise<readonly NodeState[]> {
    const { nodes, now } = await this.#store.listNodes()
    return nodes.map(node => toState(node, now)).sort((a, b) => (a.node_id < b.node_id ? -1 : 1))
  }

  async drain(nodeId: string): Promise<NodeState | null> {
    const asked = await this.#store.markDraining(nodeId)
    if (asked === null) return null
    return (await this.list()).find(node => node.node_id === nodeId) ?? null
  }

  #reportSoon(): void {
    this.#reporting ??= this.#report()
      .catch(error => this.#log.warn('cluster.node_unheard', errorFields(error)))
      .finally(() => {
        this.#reporting = null
      })
  }

  async #report(): Promise<void> {
    const threads = this.#voice.threads()
    const known = await this.#store.upsertNode({ ...this.#own, threads, draining: this.#voice.isDraining() })
    if (known.draining) this.#drainSelf()
  }

  #drainSelf(): void {
    if (this.#voice.isDraining()) return
    this.#voice.drain().catch(error => this.#log.error('cluster.drain_failed', errorFields(error)))
    this.#reportSoon()
  }
}

function toState(node: NodeRecord, now: number): NodeState {
  const status = now - node.heartbeat_at > lostMs ? 'lost' : node.draining ? 'draining' : 'ready'
  // Nodes write them in this form; one of another version may leave some out, and is shown all the same.
  const threads = node.threads as readonly ThreadState[]
  return { ...node, threads: status === 'lost' ? [] : threads, status }
}
