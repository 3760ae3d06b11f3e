/** One trading session. Its date is the exchange's; a session may open on the evening before. */
export type Session = {
  /** 00:00 UTC of the session's date, epoch ms. */
  readonly dateMs: number
  /** Epoch ms UTC. */
  readonly openMs: number
  /** Epoch ms UTC, exclusive. */
  readonly closeMs: number
  /** It closes earlier than other sessions. */
  readonly isHalfDay: boolean
}

/** Why a date has no session. */
export type Closure = { readonly reason: 'weekend' | 'holiday'; readonly name: string }

/** When a market is open. Plain data, so that it can be configured and handed to threads. */
export type CalendarDefinition = {
  /** Letters, digits and dashes, e.g. `XNYS`. */
  readonly name: string
  readonly title: string
  /** IANA zone of the hours below. */
  readonly timezone: string
  /** `HH:MM` local. */
  readonly open: string
  /** `HH:MM` local; `24:00` is the end of the day. */
  readonly close: string
  /** The session opens on the day before its date, as forex does. */
  readonly opens_day_before: boolean
  /** Days of the week that have sessions, 1 = Monday … 7 = Sunday. */
  readonly weekdays: readonly number[]
  /** Dates (`YYYY-MM-DD`) without a session that their weekday would have, and why. */
  readonly holidays: Readonly<Record<string, string>>
  /** Dates whose session closes earlier, `HH:MM` local. */
  readonly early_closes: Readonly<Record<string, string>>
}

/** The sessions of a market. All times are epoch ms UTC; answers do not depend on the zone of the machine. */
export type Calendar = {
  readonly name: string
  readonly title: string
  readonly timezone: string
  /** The session of a date given as its 00:00 UTC, or null when the market stays closed. */
  sessionOn(dateMs: number): Session | null
  /** Why a date has no session; null when it has one. */
  closureOn(dateMs: number): Closure | null
  /** The session that is open at an instant, or null. */
  sessionAt(timeMs: number): Session | null
  /** Sessions that are open at some instant of [startMs, endMs), oldest first. */
  sessionsBetween(startMs: number, endMs: number): Session[]
  /** 00:00 UTC of the date that the market's own clock shows at an instant. */
  localDateMs(timeMs: number): number
}
