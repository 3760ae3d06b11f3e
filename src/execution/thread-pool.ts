import type { MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'

/** What runs tasks in threads. */
export type ThreadPool = Piscina

type TransferList = NonNullable<Parameters<ThreadPool['run']>[1]>['transferList']

/** Piscina derives its type from an older signature of `postMessage`; at run time it is a list. */
export function transferring(port: MessagePort): TransferList {
  const list: readonly MessagePort[] = [port]
  return list as TransferList
}
