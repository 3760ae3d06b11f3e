import { toRfc3339 } from '../../clock.ts'
import type { CalendarDefinition } from '../../market/calendar.ts'
import type { Calendars } from '../../market/calendars.ts'
import { dayMs, timeframeNames, timeframes } from '../../market/timeframe.ts'
import type { components } from '../../openapi.gen.ts'
import { momentMs } from '../../operations/moment.ts'
import { Problem } from '../../problems.ts'
import { vendors } from '../../vendors/registry.ts'
import type { SymbolSearch } from '../../vendors/symbol-search.ts'
import type { ApiRequest, Some } from '../handlers.ts'

type Api = components['schemas']
type Names = 'listVendors' | 'listVendorSymbols' | 'listTimeframes' | 'listCalendars' | 'listSessions'

const maxDays = 3_660

/** Where bars can come from, how long they can be, and when markets are open. */
export function marketRoutes(calendars: Calendars, symbols: SymbolSearch): Some<Names> {
  return {
    listVendors: (_request, response) => {
      response.json({ items: Object.values(vendors).map(presentVendor) } satisfies Api['VendorList'])
    },
    listVendorSymbols: async ({ params, query }, response) => {
      const { exchange = null, q = '', limit } = query
      response.json(await symbols.find({ vendor: params.vendor, exchange, text: q, limit }))
    },
    listTimeframes: (_request, response) => {
      const items = timeframeNames.map(timeframe => {
        const { durationMs } = timeframes[timeframe]
        return { timeframe, seconds: durationMs === null ? null : durationMs / 1000 }
      })
      response.json({ items } satisfies Api['TimeframeList'])
    },
    listCalendars: (_request, response) => {
      const own = new Set(calendars.configured.map(({ name }) => name))
      const items = calendars
        .definitions()
        .map(definition => presentCalendar(definition, !own.has(definition.name)))
      response.json({ items } satisfies Api['CalendarList'])
    },
    listSessions: (request, response) => {
      response.json(sessions(calendars, request))
    },
  }
}

const presentVendor = (
  vendor: (typeof vendors)[keyof typeof vendors],
): Api['VendorList']['items'][number] => ({
  vendor: vendor.name,
  description: vendor.description,
  network: vendor.network,
  timeframes: [...vendor.timeframes],
  exchanges: vendor.exchanges,
  lists_symbols: vendor.listSymbols !== undefined,
})

const presentCalendar = (
  { name, title, timezone, open, close, weekdays }: CalendarDefinition,
  builtIn: boolean,
): Api['CalendarList']['items'][number] => ({
  calendar: name,
  title,
  timezone,
  open,
  close,
  weekdays: [...weekdays],
  built_in: builtIn,
})

/** @throws {Problem} 'not-found', 'params-invalid' */
function sessions(calendars: Calendars, { params, query }: ApiRequest<'listSessions'>): Api['SessionList'] {
  const calendar = calendars.find(params.calendar)
  if (calendar === null)
    throw new Problem('not-found', `There is no calendar ${params.calendar}.`, {
      hint: `There are ${calendars.names().join(', ')}.`,
    })
  const start = momentMs(query.start, '/query/start') ?? 0
  const end = momentMs(query.end, '/query/end') ?? 0
  if (start >= end || (end - start) / dayMs > maxDays) {
    const message = `start (${query.start}) must be before end (${query.end}), at most ten years`
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: '/query/start', code: 'range', message }],
    })
  }
  const items: Api['SessionList']['items'] = []
  for (let date = start; date < end; date += dayMs) {
    const session = calendar.sessionOn(date)
    items.push({
      date: toRfc3339(date).slice(0, 10),
      open_time: session === null ? null : toRfc3339(session.openMs),
      close_time: session === null ? null : toRfc3339(session.closeMs),
      half_day: session?.isHalfDay ?? false,
      closed: calendar.closureOn(date)?.name ?? null,
    })
  }
  const { name, timezone } = calendar
  return { calendar: name, timezone, sessions: items.filter(item => item.open_time !== null).length, items }
}
