import type { Backend } from '../backend.ts'
import type { OpenArchive } from '../bucket/open.ts'
import type { Clock } from '../clock.ts'
import type { BucketSettings, Config } from '../config.ts'
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
type Places = Pick<Config, 'archive' | 'bucket'> & { readonly databaseUrl: string }

/**
 * One node of a cluster: operations and their queue are in Postgres, files in a folder that all nodes share, or in a
 * bucket.
 * @throws when the database or the bucket cannot be reached, the database is of a later version, or the archive was filled
 * only in part
 */
export async function openClusterNode(
  { databaseUrl, archive: home, bucket }: Places,
  own: OwnState,
  { clock, log }: Tools,
): Promise<Backend> {
  const store = await PostgresStore.open(databaseUrl, { origin: own.node_id, log, clock })
  const archive = bucket === null ? null : await openBucket(store, { settings: bucket, home, log })
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
    announce: async () => {
      await nodes?.start()
      // A command that fills the archive says so, then looks for nodes: one of the two hears of the other.
      await archive?.refuseUnfinished()
    },
    close: async () => {
      if (repairs !== null) clearInterval(repairs)
      await nodes?.stop()
      await feed.stop()
      archive?.close()
      await store.close()
    },
  }
}

/** What a bucket needs is loaded where one is named, and nowhere else. */
async function openBucket(
  store: PostgresStore,
  parts: { readonly settings: BucketSettings; readonly home: string; readonly log: Log },
): Promise<OpenArchive> {
  const { openArchive } = await import('../bucket/open.ts')
  try {
    return await openArchive({ ...parts, files: store.archiveFiles() })
  } catch (error) {
    await store.close()
    throw error
  }
}
