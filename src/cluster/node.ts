import type { Backend } from '../backend.ts'
import type { Clock } from '../clock.ts'
import type { OwnState } from '../execution/nodes.ts'
import { errorFields, type Log } from '../log.ts'
import { PostgresStore } from '../store/postgres/postgres-store.ts'
import { ChangeFeed } from './change-feed.ts'
import { ClusterNodes } from './nodes.ts'

/** Operations given back by a dead node are announced to nobody. */
const lookEveryMs = 500
/** How often what dead nodes and transfers left half done is looked for. */
const repairEveryMs = 20_000
/** The longest import takes half of it. */
const foreignUploadsMs = 3_600_000

type Tools = { readonly clock: Clock; readonly log: Log }

/**
 * One node of a cluster: operations and their queue are in Postgres, files in a folder that all nodes share.
 * @throws when the database cannot be reached or is of a later version
 */
export async function openClusterNode(url: string, own: OwnState, { clock, log }: Tools): Promise<Backend> {
  const store = await PostgresStore.open(url, { origin: own.node_id, log, clock })
  const feed = new ChangeFeed(store, { origin: own.node_id, log })
  let nodes: ClusterNodes | null = null
  let repairs: NodeJS.Timeout | null = null
  return {
    store,
    feed,
    lookEveryMs,
    foreignUploadsMs,
    fencedWrites: () => store.fencedWrites,
    alone: work => store.exclusively(work),
    recover: async () => {
      await feed.start()
      await store.repairJobs()
      repairs = setInterval(() => {
        store.repairJobs().catch(error => log.warn('cluster.repair_delayed', errorFields(error)))
      }, repairEveryMs).unref()
    },
    nodes: voice => {
      nodes = new ClusterNodes(store, own, voice, log)
      return nodes
    },
    announce: async () => nodes?.start(),
    close: async () => {
      if (repairs !== null) clearInterval(repairs)
      await nodes?.stop()
      await feed.stop()
      await store.close()
    },
  }
}
