import type { ServerResponse } from 'node:http'

/** What an event is about; decides what a newer event makes superfluous and who has already seen it. */
export type Frame = {
  readonly bytes: Buffer
  readonly operationId: string
  readonly kind: 'snapshot' | 'status' | 'progress' | 'metrics' | 'log'
  readonly revision: number
  readonly attempt: number
  /** Percent, where the event says so. */
  readonly progress: number | null
  readonly terminal: boolean
}

/** Bytes kept for a client that does not read; beyond them only newest states are kept, metrics and logs are not. */
const heldSeriesBytes = 262_144
const heldBytesMax = 4 * 1_048_576

type Seen = { readonly revision: number; readonly attempt: number; readonly progress: number }

/**
 * One connection. While it is behind (its snapshot is still being read, or the socket takes no more), frames wait:
 * per operation only the newest status and progress. A frame whose state the client has already seen is dropped, so
 * within an attempt progress never goes back.
 */
export class SseClient {
  /** null: every operation. */
  readonly only: ReadonlySet<string> | null
  readonly #response: ServerResponse
  readonly #endsWithOperation: boolean
  readonly #seen = new Map<string, Seen>()
  #held: Frame[] = []
  #heldBytes = 0
  #joining = true
  #blocked = false
  #blockedTicks = 0

  /** @param endsWithOperation end the connection after the event of a terminal status */
  constructor(response: ServerResponse, only: ReadonlySet<string> | null, endsWithOperation: boolean) {
    this.#response = response
    this.only = only
    this.#endsWithOperation = endsWithOperation
    response.on('drain', () => this.#resume())
  }

  get closed(): boolean {
    return this.#response.writableEnded || this.#response.destroyed
  }

  offer(frame: Frame): void {
    if (this.closed || (this.only !== null && !this.only.has(frame.operationId))) return
    if (this.#joining || this.#blocked) this.#hold(frame)
    else this.#send(frame)
  }

  /** Writes a snapshot past what is held. @returns when the client can take the next one */
  async snapshot(frame: Frame): Promise<void> {
    this.#send(frame)
    while (this.#blocked && !this.closed) {
      await new Promise<void>(resolve => {
        const done = () => {
          this.#response.off('drain', done).off('close', done)
          resolve()
        }
        this.#response.on('drain', done).on('close', done)
      })
    }
  }

  /** The snapshots are out: what happened meanwhile follows. */
  joined(): void {
    this.#joining = false
    this.#flush()
  }

  /** A comment keeps proxies from closing the connection. @returns false when the client has been blocked too long */
  heartbeat(maxBlockedTicks: number): boolean {
    if (!this.#blocked) {
      this.#write(Buffer.from(':\n\n'))
      return true
    }
    this.#blockedTicks += 1
    return this.#blockedTicks < maxBlockedTicks
  }

  end(): void {
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }

  #send(frame: Frame): void {
    const seen = this.#seen.get(frame.operationId)
    if (seen !== undefined && isStale(frame, seen)) return
    if (frame.kind !== 'metrics' && frame.kind !== 'log') {
      const progress = frame.progress ?? (seen?.attempt === frame.attempt ? seen.progress : 0)
      this.#seen.set(frame.operationId, { revision: frame.revision, attempt: frame.attempt, progress })
    }
    this.#write(frame.bytes)
    if (!frame.terminal) return
    if (this.#endsWithOperation) this.end()
    else this.#seen.delete(frame.operationId)
  }

  #write(bytes: Buffer): void {
    if (this.closed) return
    this.#blocked = !this.#response.write(bytes)
    this.#blockedTicks = 0
  }

  #hold(frame: Frame): void {
    if (frame.kind === 'progress' || frame.kind === 'status') {
      const superseded = frame.kind === 'status' ? ['status', 'progress'] : ['progress']
      this.#held = this.#held.filter(
        ({ operationId, kind }) => operationId !== frame.operationId || !superseded.includes(kind),
      )
      this.#heldBytes = this.#held.reduce((sum, { bytes }) => sum + bytes.length, 0)
    } else if (this.#heldBytes + frame.bytes.length > heldSeriesBytes) return
    this.#held.push(frame)
    this.#heldBytes += frame.bytes.length
    if (this.#heldBytes > heldBytesMax) this.destroy()
  }

  #resume(): void {
    this.#blocked = false
    this.#blockedTicks = 0
    if (!this.#joining) this.#flush()
  }

  #flush(): void {
    while (!this.#blocked && !this.closed) {
      const frame = this.#held.shift()
      if (frame === undefined) break
      this.#heldBytes -= frame.bytes.length
      this.#send(frame)
    }
  }
}

/** Series are never stale: they are in no snapshot. */
function isStale(frame: Frame, seen: Seen): boolean {
  if (frame.kind === 'metrics' || frame.kind === 'log') return false
  if (frame.kind !== 'progress') return frame.revision <= seen.revision
  return (
    frame.attempt < seen.attempt || (frame.attempt === seen.attempt && (frame.progress ?? 0) < seen.progress)
  )
}
