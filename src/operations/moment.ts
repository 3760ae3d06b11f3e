import { Problem } from '../problems.ts'

/**
 * A `Moment` of openapi.yaml as epoch ms UTC: a date is its midnight. Absent stays null.
 * @param pointer where it stands in the request
 * @throws {Problem} 'params-invalid' when the calendar has no such moment
 */
export function momentMs(moment: string | undefined, pointer: string): number | null {
  if (moment === undefined) return null
  const date = moment.slice(0, 10)
  const midnight = Date.parse(`${date}T00:00:00Z`)
  const ms = moment.length === 10 ? midnight : Date.parse(moment)
  // 30 February is not refused by Date: it becomes 2 March.
  if (Number.isFinite(ms) && Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(date))
    return ms
  const message = `there is no such moment as ${moment}`
  throw new Problem('params-invalid', message, { errors: [{ pointer, code: 'moment', message }] })
}

/**
 * Start and end of `params`, the end exclusive; null is unbounded.
 * @param pointer where both stand in the request
 * @throws {Problem} 'params-invalid' unless both exist in the calendar and start < end
 */
export function rangeOf(
  params: { readonly start?: string; readonly end?: string },
  pointer = '/body/params',
): {
  start: number | null
  end: number | null
} {
  const start = momentMs(params.start, `${pointer}/start`)
  const end = momentMs(params.end, `${pointer}/end`)
  if (start !== null && end !== null && start >= end) {
    const message = `start (${params.start}) must be before end (${params.end})`
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: `${pointer}/start`, code: 'range', message }],
    })
  }
  return { start, end }
}
