import { errorFields, type Log } from '../../log.ts'
import { connect } from './connection.ts'

/** The channel on which every writing transaction says what it changed. */
export const channel = 'ktrdr_changes'

/** A payload of NOTIFY must stay below 8,000 bytes. */
const maxBytes = 7_900

/** What a listener hears: a wake-up, never the change itself. */
export type Note =
  /** Notes were lost, perhaps. */
  | { readonly kind: 'reconnected' }
  /** A node was asked to drain. */
  | { readonly kind: 'drain'; readonly node_id: string }
  | {
      readonly kind: 'changes'
      /** The node that wrote. */
      readonly origin: string
      /** What was changed, with the revision it has now (0: deleted); null when there is too much to say. */
      readonly operations: readonly { readonly operation_id: string; readonly revision: number }[] | null
      /** Operations that got metrics or logs; null when there are too many to say. */
      readonly series: readonly string[] | null
    }

/** @param revisions by operation id  @param series ids  @returns the payload; '' when there is nothing to say */
export function toPayload(
  origin: string,
  revisions: ReadonlyMap<string, number>,
  series: ReadonlySet<string>,
): string {
  if (revisions.size === 0 && series.size === 0) return ''
  const whole = JSON.stringify([origin, [...revisions], [...series]])
  return Buffer.byteLength(whole) <= maxBytes ? whole : JSON.stringify([origin, '*', '*'])
}

/** What is said to a node that is to drain. */
export const toDrainPayload = (nodeId: string): string => JSON.stringify({ drain: nodeId })

/** @returns null for what no ktrdr sent */
export function fromPayload(payload: string): Note | null {
  let said: unknown
  try {
    said = JSON.parse(payload)
  } catch {
    return null
  }
  if (typeof said === 'object' && said !== null && 'drain' in said)
    return { kind: 'drain', node_id: String(said.drain) }
  if (!Array.isArray(said) || typeof said[0] !== 'string') return null
  const [origin, operations, series] = said
  return {
    kind: 'changes',
    origin,
    operations: Array.isArray(operations)
      ? operations.map(([id, revision]) => ({ operation_id: String(id), revision: Number(revision) }))
      : null,
    series: Array.isArray(series) ? series.map(String) : null,
  }
}

/** The longest pause between two tries to listen again. */
const maxPauseMs = 2_000

/** Listens to what all nodes write, on a connection of its own that is made again when it breaks. */
export class Listening {
  readonly #url: string
  readonly #log: Log
  readonly #listeners = new Set<(note: Note) => void>()
  #end: (() => Promise<void>) | null = null
  #timer: NodeJS.Timeout | null = null
  #started = false
  #closed = false

  constructor(url: string, log: Log) {
    this.#url = url
    this.#log = log
  }

  /** @returns what ends it */
  add(listener: (note: Note) => void): () => void {
    this.#listeners.add(listener)
    if (!this.#started) {
      this.#started = true
      this.#listen(0)
    }
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#end?.()
  }

  #tell(note: Note): void {
    for (const listener of this.#listeners) listener(note)
  }

  #listen(tries: number): void {
    this.#timer = null
    this.#connect().catch(error => {
      if (tries === 0) this.#log.warn('store.not_listening', errorFields(error))
      this.#again(tries + 1)
    })
  }

  #again(tries: number): void {
    if (this.#closed || this.#timer !== null) return
    this.#timer = setTimeout(() => this.#listen(tries), Math.min(maxPauseMs, 100 * 2 ** Math.min(tries, 5)))
  }

  async #connect(): Promise<void> {
    const client = await connect(this.#url)
    client.on('notification', ({ payload }) => {
      const note = fromPayload(payload ?? '')
      if (note !== null) this.#tell(note)
    })
    client.once('end', () => {
      this.#end = null
      this.#again(0)
    })
    this.#end = () => client.end()
    if (this.#closed) return client.end()
    await client.query(`listen ${channel}`)
    this.#tell({ kind: 'reconnected' })
  }
}
