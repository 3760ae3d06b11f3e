import { newYorkDaylightSaving } from './calendar-tables.gen.ts'
import { dayMs } from './timeframe.ts'

/** The clock of a place. */
export type Zone = {
  /** Local time minus UTC at an instant, milliseconds. */
  offsetMs(timeMs: number): number
  /** The instant at which the local clock shows `localMs` (written as if it were UTC). A time shown twice is
   * the first of them; a time that is skipped is as much after the change as it would have been. */
  utcMs(localMs: number): number
}

/** An interval [fromMs, toMs) without a change of the clock. */
type Segment = { readonly fromMs: number; readonly toMs: number; readonly offsetMs: number }

const hourMs = 3_600_000
const minuteMs = 60_000
/** Zones of the system are read in blocks of this length: 256 days. */
const blockMs = 256 * dayMs

/**
 * The clock of an IANA zone. New York comes from the generated table from 1967 to 2050, so that sessions are
 * the same on every machine; every other zone and year from the zone data of the runtime, read once.
 * @throws {RangeError} when the runtime does not know the zone
 */
export function zoneOf(timezone: string): Zone {
  const find = timezone === 'America/New_York' ? findInNewYork() : findInSystem(timezone)
  let current: Segment = { fromMs: 0, toMs: 0, offsetMs: 0 }
  const offsetMs = (timeMs: number): number => {
    if (!(timeMs >= current.fromMs && timeMs < current.toMs)) current = find(timeMs)
    return current.offsetMs
  }
  const utcMs = (localMs: number): number => {
    // No two changes of a clock are within two days, so these are the offsets before and after.
    const before = offsetMs(localMs - dayMs)
    const after = offsetMs(localMs + dayMs)
    if (before === after || offsetMs(localMs - before) === before) return localMs - before
    return offsetMs(localMs - after) === after ? localMs - after : localMs - before
  }
  return { offsetMs, utcMs }
}

/** Epoch ms of a date written `YYYYMMDD`. */
export function parseCompactDate(text: string): number {
  return Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6, 8)))
}

function findInNewYork(): (timeMs: number) => Segment {
  const system = findInSystem('America/New_York')
  const segments: Segment[] = []
  for (const year of newYorkDaylightSaving.split(' ')) {
    // At 02:00 standard time and at 02:00 daylight saving time.
    const [start = 0, end = 0] = year.split('-').map(parseCompactDate)
    const fromMs = segments.at(-1)?.toMs ?? Date.UTC(new Date(start).getUTCFullYear(), 0, 1, 5)
    segments.push({ fromMs, toMs: start + 7 * hourMs, offsetMs: -5 * hourMs })
    segments.push({ fromMs: start + 7 * hourMs, toMs: end + 6 * hourMs, offsetMs: -4 * hourMs })
  }
  const last = segments.at(-1)?.toMs ?? 0
  segments.push({
    fromMs: last,
    toMs: Date.UTC(new Date(last).getUTCFullYear() + 1, 0, 1, 5),
    offsetMs: -5 * hourMs,
  })
  return timeMs => segmentAt(segments, timeMs) ?? system(timeMs)
}

function findInSystem(timezone: string): (timeMs: number) => Segment {
  const offsetAt = systemOffsets(timezone)
  const blocks = new Map<number, Segment[]>()
  return timeMs => {
    const block = Math.floor(timeMs / blockMs)
    let segments = blocks.get(block)
    if (segments === undefined) {
      segments = readSegments(offsetAt, block * blockMs, (block + 1) * blockMs)
      blocks.set(block, segments)
    }
    // Times that are no dates (NaN, infinite) are in no segment.
    return segmentAt(segments, timeMs) ?? { fromMs: 0, toMs: 0, offsetMs: 0 }
  }
}

/** Looks at the clock once a day and, where it changed, halves the day down to the minute. */
function readSegments(offsetAt: (timeMs: number) => number, startMs: number, endMs: number): Segment[] {
  const segments: Segment[] = []
  let fromMs = startMs
  let offsetMs = offsetAt(startMs)
  for (let timeMs = startMs + dayMs; timeMs <= endMs; timeMs += dayMs) {
    const next = offsetAt(timeMs)
    if (next === offsetMs) continue
    let [low, high] = [timeMs - dayMs, timeMs]
    while (high - low > minuteMs) {
      const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs
      if (offsetAt(middle) === offsetMs) low = middle
      else high = middle
    }
    segments.push({ fromMs, toMs: high, offsetMs })
    fromMs = high
    offsetMs = next
  }
  if (fromMs < endMs) segments.push({ fromMs, toMs: endMs, offsetMs })
  return segments
}

/** Reads `GMT`, `GMT-05:00` or `GMT-04:56:02` out of a formatted date. */
function systemOffsets(timezone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
  return timeMs => {
    if (!(Math.abs(timeMs) <= 8.64e15)) return 0
    const found = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(timeMs))
    const [hours, minutes, seconds] = [found?.[2], found?.[3], found?.[4]].map(part => Number(part ?? 0))
    const size = (hours ?? 0) * hourMs + (minutes ?? 0) * minuteMs + (seconds ?? 0) * 1000
    return found?.[1] === '-' ? -size : size
  }
}

function segmentAt(segments: readonly Segment[], timeMs: number): Segment | null {
  let low = 0
  let high = segments.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const segment = segments[middle]
    if (segment === undefined) return null
    if (timeMs < segment.fromMs) high = middle - 1
    else if (timeMs >= segment.toMs) low = middle + 1
    else if (Number.isNaN(timeMs)) return null
    else return segment
  }
  return null
}
