import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { artifactPath } from '../../src/archive/artifacts.ts'
import { checkpointsFolder, createLayout, databasePath } from '../../src/archive/layout.ts'
import type { Artifact, NewOperation, OperationRecord } from '../../src/operations/operation.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { IdempotencyKey } from '../../src/store/store.ts'
import { newOperation } from '../store/new-operation.ts'

/** Texts with what databases stumble over: quotes, backslashes, other scripts, escapes that look like NUL. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom("'", '"', '\\', '\\u0000', '\t\r\n', '', '{}', 'null', '☃\u{1f4c8}', '%s $1 ?'),
)
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).filter(value => !Object.is(value, -0))
const values = fc.sample(
  fc.record({
    text: texts,
    json: fc.dictionary(texts, fc.jsonValue(), { maxKeys: 5 }),
    number: numbers,
    integer: fc.maxSafeNat(),
    fraction: fc.double({ min: 0, max: 99.9, noNaN: true }).filter(value => !Object.is(value, -0)),
    priority: fc.integer({ min: -1000, max: 1000 }),
  }),
  { seed: 42, numRuns: 997 },
)
type Value = (typeof values)[number]
const valueAt = (index: number): Value => values[index % values.length] as Value

const fates = ['completed', 'failed', 'stopped', 'running', 'cancelling', 'parent', 'retried'] as const
/** Claimed at once: they share a transaction. */
const together = 500
/** Operations that have real files. */
const withFiles = 60

/**
 * Fills a data folder, through the store and its guards, with operations of every status and with everything that
 * belongs to them: metrics, logs, children, checkpoints, artifacts, keys. The same for the same count.
 */
export async function fillFolder(home: string, operations: number): Promise<void> {
  createLayout(home)
  const store = SqliteStore.open(databasePath(home))
  const filler = new Filler(store, home)
  const untouched = Math.floor(operations / 10)
  const children = fates.length + 2
  const claimed = Math.floor(((operations - untouched) * fates.length) / children)
  for (let at = 0; at < claimed; at += together) await filler.fill(at, Math.min(together, claimed - at))
  await filler.leavePending(operations - (await filler.count()))
  await store.close()
  writeFileSync(join(home, 'strategies', 'mine.yaml'), 'name: mine\n')
}

class Filler {
  readonly #store: SqliteStore
  readonly #home: string
  #files = 0

  constructor(store: SqliteStore, home: string) {
    this.#store = store
    this.#home = home
  }

  async count(): Promise<number> {
    return (await this.#store.counts()).total
  }

  async fill(first: number, count: number): Promise<void> {
    const indices = Array.from({ length: count }, (_, index) => first + index)
    await Promise.all(indices.map(index => this.#create(index)))
    const claimed = await Promise.all(indices.map(() => this.#store.claim('a node', ['exercise'], 5_000)))
    await Promise.all(claimed.map((record, index) => this.#live(record as OperationRecord, first + index)))
  }

  async leavePending(count: number): Promise<void> {
    const indices = Array.from({ length: count }, (_, index) => 500_000 + index)
    await Promise.all(indices.map(index => this.#create(index)))
  }

  async #create(index: number): Promise<void> {
    const { text, integer } = valueAt(index)
    const operation = varied(index)
    const idempotency: IdempotencyKey | null =
      index % 3 === 0
        ? { key: `${index} ${text}`, fingerprint: text, expires_at: 9_000_000_000_000 + (integer % 1000) }
        : null
    await this.#store.create(operation, { idempotency, queueMax: 1_000_000 })
  }

  async #live(record: OperationRecord, index: number): Promise<void> {
    const { operation_id: id, attempt } = record
    const value = valueAt(index)
    await Promise.all([
      this.#store.appendMetrics(id, attempt, value.text, [
        { at: value.integer, values: { a: value.number, b: null } },
        { at: 2, values: {} },
      ]),
      this.#store.appendLogs(id, attempt, [
        { at: value.integer, level: 'warn', message: value.text },
        { at: 3, level: 'debug', message: `${index}` },
      ]),
      this.#store.recordProgress([progressOf(record, value)], 6_000),
      this.#store.addWarning(id, attempt, value.text, 6_001),
    ])
    await this.#end(record, fates[index % fates.length] ?? 'completed', value)
  }

  async #end(record: OperationRecord, fate: (typeof fates)[number], value: Value): Promise<void> {
    const { operation_id: id, attempt } = record
    const problem = { code: 'worker-threw', detail: value.text, hint: 'none' } as const
    if (fate === 'completed') {
      const artifacts = this.#files < withFiles ? [this.#artifact(record, value)] : []
      const { text, integer, number } = value
      const progress = { progress: 50, phase: text, steps: null, rate: number, eta_seconds: null }
      await this.#store.finish(
        id,
        attempt,
        { event: 'complete', result: value.json, artifacts, progress },
        integer,
      )
    } else if (fate === 'parent') {
      const children = [0, 1].map(child => varied(record.created_at + child, id, child))
      await this.#store.createChildren(id, attempt, children)
    } else if (fate !== 'running') {
      await this.#checkpoint(record, value)
      if (fate === 'failed')
        await this.#store.finish(id, attempt, { event: 'fail', problem, mode: 'forced' }, 7_000)
      if (fate === 'retried') await this.#store.requeue(id, attempt, 1, 7_001)
      if (fate === 'stopped' || fate === 'cancelling') await this.#store.cancel(id, value.text, 7_002)
      if (fate === 'stopped')
        await this.#store.finish(id, attempt, { event: 'stop', mode: 'cooperative' }, 7_003)
    }
  }

  #artifact({ operation_id: id, attempt }: OperationRecord, value: Value): Artifact {
    this.#files += 1
    const bytes = Buffer.from(JSON.stringify(value))
    const file = 'report.json'
    const path = artifactPath(this.#home, id, attempt, { file })
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { name: file, file, media_type: 'application/json', size_bytes: bytes.length, sha256, rows: null }
  }

  async #checkpoint({ operation_id: id, attempt }: OperationRecord, { text }: Value): Promise<void> {
    const file = `${attempt}-1.ckpt`
    const folder = checkpointsFolder(this.#home, id)
    if (this.#files < withFiles) {
      this.#files += 1
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, file), 'state')
    }
    const about = { attempt, saved_at: 1, label: text, size_bytes: 5, sha256: 'a'.repeat(64), best: false }
    await this.#store.saveCheckpoint(id, attempt, { ...about, file }, 6_500)
  }
}

function progressOf(record: OperationRecord, { fraction, text, integer, number }: Value) {
  const steps = { done: fraction, total: null, unit: text }
  return {
    operation_id: record.operation_id,
    attempt: record.attempt,
    progress: { progress: fraction, phase: text, steps, rate: number, eta_seconds: fraction },
    worker_thread: integer % 8,
    heartbeat_at: integer,
  }
}

function varied(index: number, parent: string | null = null, child: number | null = null): NewOperation {
  const { text, json, priority, integer } = valueAt(index)
  return newOperation({
    // Children wait for a worker of their own type; nobody claims them here.
    type: parent === null ? 'exercise' : 'trial_batch',
    params: json,
    priority,
    warnings: index % 4 === 0 ? [text, 'and another'] : [],
    parent_operation_id: parent,
    child_index: child,
    timeout_ms: index % 5 === 0 ? integer : null,
    request_id: index % 2 === 0 ? text : null,
    provenance: {
      version: text,
      node_version: '0',
      seed: index,
      strategy_sha256: index % 6 === 0 ? 'b'.repeat(64) : null,
      dataset_sha256: index % 7 === 0 ? ['c'.repeat(64)] : [],
    },
  })
}
