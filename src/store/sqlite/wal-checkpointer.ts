import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Copies the write-ahead log back into the database from a thread of its own: done by the main thread this is what
 * makes its longest pauses. Seldom, too: while this thread flushes, writes of the main thread may wait for the same
 * disk.
 */
const lookEveryMs = 1_000
const copyEveryMs = 10_000
/** Pages of 4 KiB that are copied at once, however recently that was done. */
const manyPages = 4_000

const database = new DatabaseSync(String(workerData))
database.exec('pragma busy_timeout = 2000')
const look = database.prepare('pragma wal_checkpoint(noop)')
let copiedAt = performance.now()

const timer = setInterval(() => {
  const state = look.get()
  const waiting = Number(state?.log) - Number(state?.checkpointed)
  const isDue = waiting > manyPages || (waiting > 0 && performance.now() - copiedAt > copyEveryMs)
  if (!isDue) return
  database.exec('pragma wal_checkpoint(passive)')
  copiedAt = performance.now()
}, lookEveryMs)

parentPort?.once('message', () => {
  clearInterval(timer)
  database.close()
  parentPort?.close()
})
