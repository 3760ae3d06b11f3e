import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Copies the write-ahead log back into the database from a thread of its own: done by the main thread this is what
 * makes its longest pauses.
 */
/** Seldom: while it flushes, the commits of the main thread wait for the same disk. */
const everyMs = 2_000

const database = new DatabaseSync(String(workerData))
database.exec('pragma busy_timeout = 2000')
const timer = setInterval(() => database.exec('pragma wal_checkpoint(passive)'), everyMs)

parentPort?.once('message', () => {
  clearInterval(timer)
  database.close()
  parentPort?.close()
})
