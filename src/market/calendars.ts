import { Problem } from '../problems.ts'
import { buildCalendar, type Calendar, type CalendarDefinition } from './calendar.ts'
import { builtInCalendars } from './calendar-builtin.ts'

export { parseCalendarDefinitions } from './calendar-definition.ts'

/**
 * Every calendar of this server: the built-in `XNYS`, `24-7` and `24-5`, then those of the operator.
 * Calendars do not cross threads: hand `configured` over and build them again there.
 */
export class Calendars {
  /** The operator's definitions, plain data. */
  readonly configured: readonly CalendarDefinition[]
  private readonly byName: ReadonlyMap<string, CalendarDefinition>
  private readonly built = new Map<string, Calendar>()

  /** @param configured valid, as `parseCalendarDefinitions` returns it  @throws {Error} when a name is taken */
  constructor(configured: readonly CalendarDefinition[] = []) {
    this.configured = configured
    const byName = new Map<string, CalendarDefinition>()
    for (const definition of [...builtInCalendars, ...configured]) {
      if (byName.has(definition.name)) throw new Error(`there are two calendars named ${definition.name}`)
      byName.set(definition.name, definition)
    }
    this.byName = byName
  }

  /** Names, the built-in ones first. */
  names(): string[] {
    return [...this.byName.keys()]
  }

  /** All definitions in the order of `names`. */
  definitions(): readonly CalendarDefinition[] {
    return [...this.byName.values()]
  }

  /** The calendar of a name; null when there is none. Built at the first call, then the same object. */
  find(name: string): Calendar | null {
    const known = this.built.get(name)
    if (known !== undefined) return known
    const definition = this.byName.get(name)
    if (definition === undefined) return null
    const calendar = buildCalendar(definition)
    this.built.set(name, calendar)
    return calendar
  }

  /** The calendar of a name. @throws {Problem} 'params-invalid' when there is none, or none any more */
  get(name: string): Calendar {
    const calendar = this.find(name)
    if (calendar !== null) return calendar
    const message = `there is no calendar ${name}, only ${this.names().join(', ')}`
    throw new Problem('params-invalid', message, {
      hint: 'The operator configures calendars with KTRDR_CALENDARS; a dataset needs the one it was stored with.',
    })
  }
}
