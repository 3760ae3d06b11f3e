/** What the cell of a time column may look like, for error messages. */
export const timeForms =
  'YYYY-MM-DD, ISO 8601, YYYY-MM-DD HH:MM[:SS], YYYYMMDD, or epoch seconds or milliseconds'

const isoForm =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ]+(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i
const numberForm = /^-?\d+(\.\d+)?$/

/**
 * Epoch milliseconds UTC of a cell, or null when it is not one of `timeForms` or no such day exists.
 * A time without a zone is UTC. Eight digits are YYYYMMDD; any other number below 10^11 is seconds.
 */
export function parseCsvTime(text: string): number | null {
  if (numberForm.test(text) && !/^\d{8}$/.test(text)) {
    const value = Number(text)
    const timeMs = Math.abs(value) < 1e11 ? Math.round(value * 1000) : Math.round(value)
    return Math.abs(timeMs) <= 8.64e15 ? timeMs : null
  }
  const match = isoForm.exec(text)
  if (match === null) return null
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const dateMs = Date.UTC(Number(year), Number(month) - 1, Number(day))
  const date = new Date(dateMs)
  // Date.UTC turns 31 February into 2 March and year 24 into 1924: only what survives the round trip exists.
  const exists =
    date.getUTCFullYear() === Number(year) &&
    date.getUTCMonth() + 1 === Number(month) &&
    date.getUTCDate() === Number(day)
  if (!exists || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const clockMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
  const fractionMs = fraction === '' ? 0 : Math.floor(Number(`0.${fraction}`) * 1000)
  const offsetMs = zoneOffsetMs(zone)
  return offsetMs === null ? null : dateMs + clockMs + fractionMs - offsetMs
}

function zoneOffsetMs(zone: string | undefined): number | null {
  if (zone === undefined || /^(Z|UTC|GMT)$/i.test(zone)) return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2, 4))
  if (hours > 14 || minutes > 59) return null
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
