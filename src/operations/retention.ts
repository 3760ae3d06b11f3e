import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeArtifacts } from '../archive/artifacts.ts'
import { removeCheckpoints } from '../archive/checkpoints.ts'
import { storedBelow } from '../archive/exchange.ts'
import { sweepModels } from '../archive/model-library.ts'
import { errorFields } from '../log.ts'
import { Problem } from '../problems.ts'
import { activeStatuses } from './lifecycle.ts'
import type { Collaborators, OperationsService } from './service.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Operations deleted between two looks at the list. */
const batch = 100

export type RetentionSettings = { readonly home: string /** 0 keeps everything. */; readonly days: number }

/** Clears away what nobody needs any more: at the start and then every hour. */
export class Retention {
  readonly #with: Collaborators
  readonly #service: OperationsService
  readonly #settings: RetentionSettings
  #timer: NodeJS.Timeout | null = null

  constructor(collaborators: Collaborators, service: OperationsService, settings: RetentionSettings) {
    this.#with = collaborators
    this.#service = service
    this.#settings = settings
  }

  start(): void {
    const sweep = () =>
      this.sweep().catch(error => this.#with.log.error('retention.failed', errorFields(error)))
    this.#timer = setInterval(sweep, hourMs)
    this.#timer.unref()
    void sweep()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** Deletes ended operations that are too old, expired idempotency keys, and files that no row names. */
  async sweep(): Promise<void> {
    const { store, clock, log } = this.#with
    const now = clock.now()
    await store.forgetKeys(now)
    if (this.#settings.days > 0) await this.#deleteEnded(now - this.#settings.days * dayMs)
    await this.#removeOrphans('artifacts', id => removeArtifacts(this.#settings.home, id))
    await this.#removeOrphans('checkpoints', id => removeCheckpoints(this.#settings.home, id))
    await this.#with.rooms.strategies.sweep(await store.strategiesInUse())
    await sweepModels(this.#settings.home, now)
    const active = await store.inStatus(activeStatuses)
    const removed = await this.#with.rooms.bars.sweep(
      new Set(active.flatMap(record => record.provenance.dataset_sha256)),
    )
    log.debug('retention.swept', { segments_removed: removed })
  }

  async #deleteEnded(before: number): Promise<void> {
    let deleted = batch
    while (deleted === batch) {
      deleted = 0
      for (const id of await this.#with.store.endedBefore(before, batch)) {
        try {
          await this.#service.delete(id)
          deleted += 1
        } catch (error) {
          // Deleted or retried by a client since it was listed, or children that are still ending.
          if (!(error instanceof Problem)) throw error
        }
      }
    }
  }

  async #removeOrphans(
    folder: 'artifacts' | 'checkpoints',
    remove: (id: string) => Promise<void>,
  ): Promise<void> {
    const { home } = this.#settings
    const here = await readdir(join(home, folder)).catch(() => [])
    const stored = (await storedBelow(home, join(home, folder))).map(name => name.split('/')[0] ?? '')
    for (const id of new Set([...here, ...stored])) {
      if ((await this.#with.store.revisionOf(id)) === null) await remove(id)
    }
  }
}
