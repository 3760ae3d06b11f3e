import type { OperationRecord } from './operation.ts'

type Attempt = Pick<OperationRecord, 'operation_id' | 'attempt'>
type Turn = {
  last: Promise<unknown>
  lookedAt: number
  /** Of what only the newest is worth doing: how many were asked for. */
  readonly asked: Map<string, number>
}

/** Lets what the messages of one attempt ask for be done one after the other, in the order they came. */
export class MessageTurns {
  readonly #turns = new Map<string, Turn>()

  /** Does `work` when everything before it is done, whether that succeeded or not. */
  take(attempt: Attempt, work: () => Promise<void>): Promise<void> {
    const turn = this.#of(attempt)
    const done = turn.last.then(work, work)
    turn.last = done.catch(() => undefined)
    return done
  }

  /** As {@link take}; what is asked for later under the same name, before this begins, is done in its place. */
  takeNewest(attempt: Attempt, name: string, work: () => Promise<void>): Promise<void> {
    const { asked } = this.#of(attempt)
    const mine = (asked.get(name) ?? 0) + 1
    asked.set(name, mine)
    return this.take(attempt, async () => {
      if (asked.get(name) === mine) await work()
    })
  }

  /** Whether `everyMs` have passed since this said so. The first time is after as long. @param now epoch ms */
  isDue(attempt: Attempt, now: number, everyMs: number): boolean {
    const turn = this.#of(attempt)
    if (turn.lookedAt === 0) turn.lookedAt = now
    if (now - turn.lookedAt < everyMs) return false
    turn.lookedAt = now
    return true
  }

  /** Resolves when all is done. The attempt has ended: it is forgotten. */
  async settled(attempt: Attempt): Promise<void> {
    const turn = this.#turns.get(keyOf(attempt))
    this.#turns.delete(keyOf(attempt))
    await turn?.last
  }

  #of(attempt: Attempt): Turn {
    const found = this.#turns.get(keyOf(attempt)) ?? {
      last: Promise.resolve(),
      lookedAt: 0,
      asked: new Map(),
    }
    this.#turns.set(keyOf(attempt), found)
    return found
  }
}

const keyOf = ({ operation_id, attempt }: Attempt): string => `${operation_id} ${attempt}`
