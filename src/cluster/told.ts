import type { OperationStatus } from '../operations/lifecycle.ts'
import type { OperationRecord } from '../operations/operation.ts'

/** The newest state of an operation that listeners of this process were told. */
type Known = { readonly revision: number; readonly status: OperationStatus; readonly attempt: number }

/** Operations remembered; of the others the next state told counts as a change of status, which harms nobody. */
const maxKnown = 20_000

/** What was told already: whoever comes second, the writer itself or the change feed, tells nothing. */
export class Told {
  readonly #known = new Map<string, Known>()

  /** @returns whether it is a change of status; null when this or a newer state was told */
  note({ operation_id: id, revision, status, attempt }: OperationRecord): boolean | null {
    const known = this.#known.get(id)
    if (known !== undefined && known.revision >= revision) return null
    this.#keep(id, { revision, status, attempt })
    return known?.status !== status || known.attempt !== attempt
  }

  /** @returns false when the deletion was told */
  noteDeleted(id: string): boolean {
    if (this.#known.get(id)?.revision === Number.POSITIVE_INFINITY) return false
    this.#keep(id, { revision: Number.POSITIVE_INFINITY, status: 'cancelled', attempt: 0 })
    return true
  }

  /** The revision that was told last; 0 of an operation that is not known here. */
  revisionOf(id: string): number {
    return this.#known.get(id)?.revision ?? 0
  }

  /** In the order of the last change, so that those who end long ago are forgotten first. */
  #keep(id: string, known: Known): void {
    this.#known.delete(id)
    this.#known.set(id, known)
    const oldest = this.#known.keys().next().value
    if (this.#known.size > maxKnown && oldest !== undefined) this.#known.delete(oldest)
  }
}
