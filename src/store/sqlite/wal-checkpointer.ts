import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Copies the write-ahead log back into the database from a thread of its own: done by the main thread this is what
 * makes its longest pauses.
 */
const database = new DatabaseSync(String(workerData))
database.exec('pragma busy_timeout = 2000')
const timer = setInterval(() => database.exec('pragma wal_checkpoint(passive)'), 250)

parentPort?.once('message', () => {
  clearInterval(timer)
  database.close()
  parentPort?.close()
})
