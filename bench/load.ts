import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import autocannon, { type Options } from 'autocannon'
import { adopt } from './server.ts'

export type Load = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers by status code. */
  readonly statuses: Readonly<Record<string, number>>
}

/**
 * Runs autocannon in a process of its own, so that it shares no thread with anything that is measured.
 * @throws when a request failed or was answered with anything but `status`
 */
export async function load(options: Options, status: number): Promise<Load> {
  const running = promisify(execFile)(process.execPath, [import.meta.filename, JSON.stringify(options)])
  adopt(running.child)
  const { stdout } = await running
  const result: Load & { failed: number } = JSON.parse(stdout)
  const others = Object.keys(result.statuses).filter(code => code !== String(status))
  if (result.failed > 0 || others.length > 0) {
    throw new Error(
      `${options.url}: ${result.failed} requests failed, answers by status: ${JSON.stringify(result.statuses)}`,
    )
  }
  return result
}

if (import.meta.main) {
  const { duration, requests, latency, errors, timeouts, statusCodeStats } = await autocannon(
    JSON.parse(process.argv[2] ?? '{}'),
  )
  const statuses = Object.fromEntries(
    Object.entries(statusCodeStats).map(([code, { count }]) => [code, count]),
  )
  const load = {
    perSecond: requests.total / duration,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    statuses,
    failed: errors + timeouts,
  }
  process.stdout.write(JSON.stringify(load))
}
