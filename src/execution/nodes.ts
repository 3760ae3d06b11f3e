import type { Role } from '../config.ts'
import type { OperationType } from '../operations/operation.ts'
import type { ThreadState } from './pool.ts'

/** A server that answers clients or runs operations, as it last said of itself. */
export type NodeState = {
  /** New at each start. */
  readonly node_id: string
  /** Its name among others, the same from start to start. */
  readonly name: string
  readonly role: Role
  readonly version: string
  /** Operations accepted by servers of a later generation are left to them. */
  readonly generation: number
  /** `lost`: not heard of for 12 s. `draining`: it takes nothing more. */
  readonly status: 'ready' | 'draining' | 'lost'
  /** The operation types it can run. */
  readonly types: readonly OperationType[]
  readonly threads: readonly ThreadState[]
  /** Epoch ms. */
  readonly started_at: number
  /** When it was last heard of, epoch ms. */
  readonly heartbeat_at: number
}

/** What a node knows of itself. */
export type OwnState = Omit<NodeState, 'status' | 'threads' | 'heartbeat_at'>

/** The servers that work together. */
export interface NodeRegistry {
  /** Every node, oldest first. */
  list(): Promise<readonly NodeState[]>
  /**
   * Asks a node to save what it runs, give it back to the queue and take nothing more. Asking again changes nothing.
   * @returns null when there is no such node
   */
  drain(nodeId: string): Promise<NodeState | null>
}

/** What a node is asked and says. */
export type NodeVoice = {
  readonly threads: () => readonly ThreadState[]
  readonly isDraining: () => boolean
  /** Begins to drain; resolves when nothing runs any more. */
  readonly drain: () => Promise<void>
}

/** A server by itself. */
export class SingleNode implements NodeRegistry {
  readonly #own: OwnState
  readonly #voice: NodeVoice
  readonly #now: () => number
  readonly #onError: (error: unknown) => void

  constructor(
    own: OwnState,
    voice: NodeVoice,
    rest: { now: () => number; onError: (error: unknown) => void },
  ) {
    this.#own = own
    this.#voice = voice
    this.#now = rest.now
    this.#onError = rest.onError
  }

  async list(): Promise<readonly NodeState[]> {
    const status = this.#voice.isDraining() ? 'draining' : 'ready'
    return [{ ...this.#own, status, threads: this.#voice.threads(), heartbeat_at: this.#now() }]
  }

  async drain(nodeId: string): Promise<NodeState | null> {
    if (nodeId !== this.#own.node_id) return null
    this.#voice.drain().catch(this.#onError)
    return (await this.list())[0] ?? null
  }
}
