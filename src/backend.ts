import type { NodeRegistry, NodeVoice } from './execution/nodes.ts'
import type { Feed } from './feed/feed.ts'
import type { Attempts } from './operations/attempts.ts'
import type { OperationsService } from './operations/service.ts'
import type { Store } from './store/store.ts'

/** What puts operations in order that a crash left behind. */
export type Repairers = { readonly service: OperationsService; readonly attempts: Attempts }

/** What a server by itself and a node of a cluster do differently. Everything above is the same. */
export type Backend = {
  readonly store: Store
  readonly feed: Feed
  /** How often the executor looks for work by itself; null: it is told of everything. */
  readonly lookEveryMs: number | null
  /** Uploads in the shared folder that are younger than this may be another node's; null: nobody else's. */
  readonly foreignUploadsMs: number | null
  /** Writes that were refused because their attempt did not own the operation any more. */
  readonly fencedWrites: () => number
  /** Runs `work` while no other node does. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>
  /** Puts in order what crashed servers left, and begins to hear of other nodes. */
  readonly recover: (repairers: Repairers) => Promise<void>
  /** The servers that work together. @param voice speaks for this one */
  readonly nodes: (voice: NodeVoice) => NodeRegistry
  /** Makes this node known to the others. */
  readonly announce: () => Promise<void>
  /** The last thing of all: this node is known no more. */
  readonly close: () => Promise<void>
}
