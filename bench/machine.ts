import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { median, ms } from './numbers.ts'
import { withHome } from './server.ts'

/** The machine, as `name: value` lines. */
export async function describeMachine(): Promise<string[]> {
  return [
    `CPU: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
    `Memory: ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `System: ${type()} ${release()}`,
    `Node: ${process.version}`,
    `Data folders: in ${tmpdir()}, where writing and flushing 4 KiB takes ${ms(await flushMs())} (median)`,
    `Load before the first row (1 minute): ${loadavg()[0]?.toFixed(2)}`,
  ]
}

/** What a durable commit costs at least on this disk. */
function flushMs(): Promise<number> {
  return withHome(async home => {
    const file = openSync(join(home, 'flush'), 'w')
    const page = Buffer.alloc(4096, 1)
    const times = Array.from({ length: 100 }, () => {
      const startedAt = performance.now()
      writeSync(file, page)
      fdatasyncSync(file)
      return performance.now() - startedAt
    })
    closeSync(file)
    return median(times)
  })
}
