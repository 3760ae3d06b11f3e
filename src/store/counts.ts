import { statuses } from '../operations/lifecycle.ts'
import type { OperationCounts, OperationStatus, StatusCounts } from '../operations/operation.ts'
import type { Row } from './rows.ts'

const emptyCounts = (): StatusCounts =>
  Object.fromEntries(statuses.map(status => [status, 0])) as StatusCounts

/** @param rows of `operation_counts`: type, status, n */
export function toCounts(rows: readonly Row[]): OperationCounts {
  const by_status = emptyCounts()
  const by_type: Record<string, StatusCounts> = {}
  let total = 0
  for (const row of rows) {
    const status = String(row.status) as OperationStatus
    const type = String(row.type)
    const n = Number(row.n)
    const ofType = by_type[type] ?? emptyCounts()
    ofType[status] += n
    by_type[type] = ofType
    by_status[status] += n
    total += n
  }
  return { total, by_status, by_type }
}

/** The children of one parent by status: n of them, and the sum of their progress in percent. */
export const childCountsQuery =
  'select status, count(*) as n, sum(progress) as progress from operations where parent_operation_id = ? group by status'

/** @param rows of `childCountsQuery`  @returns `meanProgress` in percent, 0 without children */
export function toChildCounts(rows: readonly Row[]): {
  counts: StatusCounts
  total: number
  meanProgress: number
} {
  const counts = emptyCounts()
  let total = 0
  let progress = 0
  for (const row of rows) {
    counts[String(row.status) as OperationStatus] = Number(row.n)
    total += Number(row.n)
    progress += Number(row.progress)
  }
  return { counts, total, meanProgress: total === 0 ? 0 : progress / total }
}
