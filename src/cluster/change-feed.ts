import { Feed, type FeedEvent } from '../feed/feed.ts'
import { errorFields, type Log } from '../log.ts'
import { isTerminal } from '../operations/lifecycle.ts'
import type { OperationRecord } from '../operations/operation.ts'
import type { Changes } from '../store/postgres/changes.ts'
import type { Note } from '../store/postgres/notes.ts'
import type { PostgresStore } from '../store/postgres/postgres-store.ts'
import { FollowedSeries } from './followed-series.ts'
import { Told } from './told.ts'

/** How long a change stays unknown when no notification comes. */
const lookEveryMs = 1_000
/** Rows read at once. */
const pageRows = 500

type Settings = { readonly origin: string; readonly log: Log }

/**
 * The feed of a node: what it does itself and what other nodes do, told once, in the order of `change_seq`, so that the
 * last number a client has seen says what it has not. A notification of the database only says that there is something
 * to read; a look every second finds what no notification told.
 */
export class ChangeFeed extends Feed {
  readonly #store: PostgresStore
  readonly #settings: Settings
  readonly #told = new Told()
  readonly #series: FollowedSeries
  /** Operations of other nodes whose metrics or logs have grown. */
  #grown = new Set<string>()
  #cursor = 0
  #reading: Promise<void> | null = null
  #again = false
  #stopped = true
  #stopListening: () => void = () => undefined
  #timer: NodeJS.Timeout | null = null

  constructor(store: PostgresStore, settings: Settings) {
    super()
    this.#store = store
    this.#settings = settings
    this.#series = new FollowedSeries(store)
  }

  /** From here on every change of the cluster is told. */
  async start(): Promise<void> {
    this.#cursor = await this.#store.latestChange()
    this.#stopped = false
    this.#stopListening = this.#store.onNotify(note => this.#hear(note))
    this.#timer = setInterval(() => this.#look(), lookEveryMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#stopListening()
    await this.#reading
  }

  override publish(event: FeedEvent): void {
    this.tellOwn(event)
    if (event.kind === 'changed') this.#publishChange(event.record)
    else if (event.kind !== 'deleted') this.#tellSeries(event)
    else if (this.#told.noteDeleted(event.operation_id)) this.tell(event)
  }

  override watch(operationIds: readonly string[] | null): Promise<() => void> {
    return this.#series.follow(operationIds)
  }

  /** The next change of all is told as it is. Any other waits for those before it, and is read with them. */
  #publishChange(record: OperationRecord): void {
    if (record.change_seq <= this.#cursor) return
    if (record.change_seq === this.#cursor + 1 && this.#reading === null) {
      this.#cursor = record.change_seq
      this.#announce(record)
    } else this.#look()
  }

  #hear(note: Note): void {
    if (note.kind === 'drain' || (note.kind === 'changes' && note.origin === this.#settings.origin)) return
    const grown = note.kind === 'changes' ? note.series : null
    for (const id of grown ?? this.#series.ids) if (this.#series.isFollowed(id)) this.#grown.add(id)
    this.#look()
  }

  /** One look at a time; a call meanwhile makes it look again. */
  #look(): void {
    this.#again = true
    if (this.#reading !== null || this.#stopped) return
    this.#reading = this.#read()
      .catch(error => this.#settings.log.error('cluster.changes_delayed', errorFields(error)))
      .finally(() => {
        this.#reading = null
        if (this.#again) this.#look()
      })
  }

  async #read(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      const grown = this.#grown
      this.#grown = new Set()
      try {
        const changes = await this.#store.changesAfter(this.#cursor, pageRows)
        await this.#readSeries(changes.records, grown)
        this.#announceAll(changes)
        this.#cursor = Math.max(this.#cursor, changes.seq)
        if (changes.records.length + changes.deleted.length >= pageRows) this.#again = true
      } catch (error) {
        for (const id of grown) this.#grown.add(id)
        throw error
      }
    }
  }

  /** Before the changes are told: a stream ends with the end of its operation. */
  async #readSeries(records: readonly OperationRecord[], grown: ReadonlySet<string>): Promise<void> {
    const due = new Map<string, { revision: number }>()
    for (const id of grown) due.set(id, { revision: this.#told.revisionOf(id) })
    for (const record of records) {
      if (record.status === 'pending' && record.attempt > 1) await this.#series.keepPlace(record.operation_id)
      const ends = isTerminal(record.status) && this.#series.isFollowed(record.operation_id)
      if (ends || due.has(record.operation_id)) due.set(record.operation_id, record)
    }
    if (due.size > 0) await this.#series.read(due, event => this.#tellSeries(event))
  }

  #announceAll({ records, deleted }: Changes): void {
    const rest = [...deleted]
    const tellDeleted = (until: number) => {
      while ((rest[0]?.change_seq ?? Number.POSITIVE_INFINITY) < until) {
        const id = rest.shift()?.operation_id ?? ''
        if (this.#told.noteDeleted(id)) this.tell({ kind: 'deleted', operation_id: id })
      }
    }
    for (const record of records) {
      tellDeleted(record.change_seq)
      this.#announce(record)
    }
    tellDeleted(Number.POSITIVE_INFINITY)
  }

  #announce(record: OperationRecord): void {
    const statusChanged = this.#told.note(record)
    if (statusChanged !== null) this.tell({ kind: 'changed', record, statusChanged })
  }

  #tellSeries(event: Exclude<FeedEvent, { kind: 'changed' | 'deleted' }>): void {
    const fresh = event.kind === 'progress' ? event : this.#series.fresh(event)
    if (fresh !== null) this.tell(fresh)
  }
}
