import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { createLayout } from '../../src/archive/layout.ts'
import { catalogue } from '../../src/operations/catalogue.ts'
import type { Artifact, Outcome, Params } from '../../src/operations/operation.ts'
import { control, controlBytes, stop, type Task } from '../../src/operations/protocol.ts'
import { makeRooms, serverFacts } from './rooms.ts'

export const operationId = 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'

/** A data folder of its own. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-workers-'))
  createLayout(home)
  return home
}

type Type = 'data_download' | 'data_resample' | 'backtesting' | 'feature_build' | 'trial_batch' | 'training'

/** What an operation would be accepted with. */
export const prepare = (home: string, type: Type, params: Params) =>
  catalogue[type].prepare(params, makeRooms(home))

/** Runs a worker in this thread, as the pool would in another. @param prepared as `prepare` answered, now or before */
export async function runWorker(
  home: string,
  type: Type,
  params: Params,
  {
    stopWord = stop.none,
    prepared,
  }: { stopWord?: number; prepared?: Awaited<ReturnType<typeof prepare>> } = {},
): Promise<Outcome> {
  const accepted = prepared ?? (await prepare(home, type, params))
  const channel = new MessageChannel()
  const shared = new SharedArrayBuffer(controlBytes)
  new Int32Array(shared)[control.stop] = stopWord
  const { seed, strategy_sha256, dataset_sha256 } = accepted
  const task: Task = {
    operation_id: operationId,
    type,
    attempt: 1,
    params: accepted.params,
    provenance: {
      version: '0',
      node_version: '0',
      seed,
      strategy_sha256,
      dataset_sha256: [...dataset_sha256],
    },
    request_id: null,
    server: serverFacts(home),
    now: Date.now(),
    restore_from: [],
    datasets: [],
    control: shared,
    port: channel.port2,
  }
  const spec = catalogue[type]
  if (spec.kind !== 'worker') throw new Error(`${type} has no worker`)
  const { default: work } = await import(`../../workers/${spec.worker}`)
  try {
    return await work(task)
  } finally {
    channel.port1.close()
  }
}

/** What a worker completed with. */
export function completed<R>(outcome: Outcome): { result: R; artifacts: readonly Artifact[] } {
  if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
  return { result: outcome.result as R, artifacts: outcome.artifacts }
}
