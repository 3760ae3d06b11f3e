import { databasePath } from './archive/layout.ts'
import type { Backend } from './backend.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { type OwnState, SingleNode } from './execution/nodes.ts'
import { Feed } from './feed/feed.ts'
import { errorFields, type Log } from './log.ts'
import { cancelOrphans } from './operations/orphans.ts'
import { SqliteStore } from './store/sqlite/sqlite-store.ts'

type Tools = { readonly clock: Clock; readonly log: Log }

/** One server with SQLite in its data folder. @throws when the database cannot be used */
export function openSingleServer(config: Config, own: OwnState, { clock, log }: Tools): Backend {
  const store = SqliteStore.open(databasePath(config.home))
  return {
    store,
    feed: new Feed(),
    lookEveryMs: null,
    foreignUploadsMs: null,
    fencedWrites: () => 0,
    alone: work => work(),
    recover: async ({ service, attempts }) => {
      const recovered = await attempts.recover()
      log.info('operations.recovered', { ...recovered, orphans: await cancelOrphans(store, service) })
    },
    nodes: voice => {
      const onError = (error: unknown) => log.error('server.drain_failed', errorFields(error))
      return new SingleNode(own, voice, { now: clock.now, onError })
    },
    announce: async () => undefined,
    close: () => store.close(),
  }
}
