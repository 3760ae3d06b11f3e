import { artifactPath } from '../archive/artifacts.ts'
import { fetchFiles } from '../archive/exchange.ts'
import type { Feed } from '../feed/feed.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import type { Store } from '../store/store.ts'
import { catalogue } from './catalogue.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { activeStatuses, isTerminal } from './lifecycle.ts'
import type {
  Artifact,
  Operation,
  OperationCounts,
  OperationRecord,
  OperationStatus,
  OperationType,
  Params,
} from './operation.ts'
import { presentOperation } from './present.ts'
import { presentArtifacts, presentCheckpoints, presentLogs, presentMetrics } from './series.ts'

type Api = components['schemas']

export type ListRequest = {
  readonly statuses?: readonly OperationStatus[]
  readonly types?: readonly OperationType[]
  readonly parent: string | null
  readonly createdAfter?: number
  readonly createdBefore?: number
  readonly text?: string
  readonly limit: number
  readonly cursor?: string
}

export type Page = { readonly items: Operation[]; readonly next_cursor: string | null }

/** What can be read of operations. Changes nothing. */
export class OperationQueries {
  readonly #store: Store
  readonly #feed: Feed
  readonly #home: string

  /** @param home the data folder, where artifacts are */
  constructor(store: Store, feed: Feed, home: string) {
    this.#store = store
    this.#feed = feed
    this.#home = home
  }

  /** @throws {Problem} 'operation-not-found' */
  async get(id: string): Promise<OperationRecord> {
    const record = await this.#store.get(id)
    if (record === null)
      throw new Problem('operation-not-found', `There is no operation ${id}; it may have been deleted.`)
    return record
  }

  /** Active operations that read or write a dataset, by what their parameters name. */
  async usersOfDataset(symbol: string, timeframe: string): Promise<string[]> {
    const names = (params: Params, ...keys: string[]) => keys.flatMap(key => params[key] ?? [])
    return (await this.#store.inStatus(activeStatuses))
      .filter(
        ({ params }) =>
          names(params, 'symbol', 'symbols').includes(symbol) &&
          names(params, 'timeframe', 'timeframes', 'from').includes(timeframe),
      )
      .map(record => record.operation_id)
  }

  /** Active operations that name a model, wherever in their parameters. */
  async usersOfModel(modelId: string): Promise<string[]> {
    return (await this.#store.inStatus(activeStatuses))
      .filter(({ params }) => JSON.stringify(params).includes(`"${modelId}"`))
      .map(record => record.operation_id)
  }

  revisionOf(id: string): Promise<number | null> {
    return this.#store.revisionOf(id)
  }

  async present(record: OperationRecord): Promise<Operation> {
    return this.#presentAt(
      record,
      record.status === 'pending' ? await this.#store.queuedPosition(record) : null,
    )
  }

  /** Newest first. @throws {Problem} 'invalid-cursor' */
  async list(request: ListRequest): Promise<Page> {
    const { limit, cursor, ...filter } = request
    const before = cursor === undefined ? {} : { before: decodeCursor(cursor, filter) }
    const records = await this.#store.list({ ...filter, ...before, limit: limit + 1 })
    const page = records.slice(0, limit)
    const last = page.at(-1)
    return {
      items: await this.#presentAll(page),
      next_cursor: records.length > limit && last !== undefined ? encodeCursor(last, filter) : null,
    }
  }

  counts(): Promise<OperationCounts> {
    return this.#store.counts()
  }

  async metrics(id: string, after: number, limit: number): Promise<Api['OperationMetrics']> {
    const record = await this.get(id)
    return presentMetrics(record, await this.#store.metrics(id, after, limit + 1), after, limit)
  }

  async logs(id: string, after: number, limit: number): Promise<Api['OperationLogs']> {
    const record = await this.get(id)
    return presentLogs(record, await this.#store.logs(id, after, limit + 1), after, limit)
  }

  /** In the order they were planned. */
  async children(id: string, limit: number, cursor?: string): Promise<Page> {
    const parent = await this.get(id)
    const all = await this.#store.children(id)
    const after = cursor === undefined ? null : decodeCursor(cursor, { parent: id }).operation_id
    const start = after === null ? 0 : all.findIndex(child => child.operation_id === after) + 1
    const page = all.slice(start, start + limit)
    const last = page.at(-1)
    const more = start + limit < all.length && last !== undefined
    return {
      items: await this.#presentAll(page),
      next_cursor: more ? encodeCursor(last, { parent: parent.operation_id }) : null,
    }
  }

  async checkpoints(id: string): Promise<Api['CheckpointList']> {
    return presentCheckpoints(await this.get(id))
  }

  async artifacts(id: string): Promise<Api['ArtifactList']> {
    return presentArtifacts(await this.get(id))
  }

  /** @throws {Problem} 'artifact-not-found', 'archive-unavailable', 'archive-damaged' */
  async artifact(id: string, name: string): Promise<{ artifact: Artifact; path: string }> {
    const record = await this.get(id)
    const artifact = record.artifacts.find(candidate => candidate.name === name)
    if (artifact !== undefined) {
      const path = artifactPath(this.#home, id, record.attempt, artifact)
      await fetchFiles(this.#home, [path])
      return { artifact, path }
    }
    const names = record.artifacts.map(candidate => candidate.name)
    const detail = `${id} (${record.status}) has no artifact '${name}'; it has ${names.length === 0 ? 'none' : names.join(', ')}.`
    throw new Problem('artifact-not-found', detail)
  }

  /** Resolves when its revision exceeds `revision`, when `seconds` are over, or when `signal` aborts. */
  waitForChange(
    id: string,
    revision: number,
    seconds: number,
    signal: AbortSignal,
  ): Promise<OperationRecord> {
    return this.#waitUntil(id, record => record.revision > revision, seconds, signal)
  }

  /** As `waitForChange`, for a terminal status. */
  waitForEnd(id: string, seconds: number, signal: AbortSignal): Promise<OperationRecord> {
    return this.#waitUntil(id, record => isTerminal(record.status), seconds, signal)
  }

  /** What changed after `seq`, oldest change first; at most 1,000. */
  changedAfter(seq: number): Promise<OperationRecord[]> {
    return this.#store.changedAfter(seq, 1_000)
  }

  active(): Promise<OperationRecord[]> {
    return this.#store.inStatus(activeStatuses)
  }

  async #presentAll(records: readonly OperationRecord[]): Promise<Operation[]> {
    const positions = await this.#store.queuedPositions(records.filter(({ status }) => status === 'pending'))
    return Promise.all(
      records.map(record => this.#presentAt(record, positions.get(record.operation_id) ?? null)),
    )
  }

  async #presentAt(record: OperationRecord, queuedPosition: number | null): Promise<Operation> {
    const isParent = catalogue[record.type].kind === 'fan-out'
    return presentOperation(record, {
      queuedPosition,
      children: isParent ? await this.#store.childCounts(record.operation_id) : null,
    })
  }

  #waitUntil(
    id: string,
    done: (record: OperationRecord) => boolean,
    seconds: number,
    signal: AbortSignal,
  ): Promise<OperationRecord> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer)
        unsubscribe()
        signal.removeEventListener('abort', finish)
        this.get(id).then(resolve, reject)
      }
      const timer = setTimeout(finish, seconds * 1000)
      const unsubscribe = this.#feed.subscribeTo(id, event => {
        if (event.kind === 'deleted' || (event.kind === 'changed' && done(event.record))) finish()
      })
      signal.addEventListener('abort', finish)
      this.get(id).then(record => {
        if (signal.aborted || done(record)) finish()
      }, finish)
    })
  }
}
