import { formatTime } from '../market/bars.ts'
import { closeTimeMs, dayMs, type Timeframe, timeframes } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { VendorRow } from './page.ts'

/** Who is asked for candles: one market of one exchange. */
export type CandleSource = {
  /** The exchange, for messages. */
  readonly id: string
  readonly timeframe: Timeframe
  /** The exchange looks at no more than this many candles per answer. */
  readonly limit: number
  /** Whether it has daily candles too. */
  readonly hasDays: boolean
  /** Candles from `sinceMs` on, in any order; some may be older, repeated, missing or unfinished. */
  readonly ask: (timeframe: Timeframe, sinceMs: number) => Promise<readonly VendorRow[]>
}

/** A part of the walk: candles that open before `untilMs` and in no other part, up to which time all are told. */
export type CandlePage = {
  /** Oldest first; of equal times the last sent is last. */
  readonly rows: readonly VendorRow[]
  readonly untilMs: number
  /** A time worth a word in which the exchange has no candles though asked twice: a day, or a whole answer's. */
  readonly missing: Missing | null
}

export type Missing = {
  readonly fromMs: number
  readonly toMs: number
  /** The exchange began a full answer there that reaches to the end: it may have no more than that to tell. */
  readonly isAllButNewest: boolean
}

/** Candles from a time on, oldest first, and what lies before or between them without candles. */
type Told = { readonly rows: readonly VendorRow[]; readonly missing: Missing | null }

/**
 * Everything a market has in [startMs, endMs), answer by answer; each answer begins where the last one ended. Nothing
 * that one answer alone leaves out counts as not there, see `askAgain` and `confirmJump`.
 *
 * An empty answer has two meanings. Of an exchange that answers "the next n candles from then on" it is the end. Of one
 * that looks at n periods from then on it says only that nobody traded in these: a market listed in 2021 and asked from
 * 2010 on has years of them. So after such an answer daily candles are asked, hundreds per answer, for the next day with
 * a trade, and the walk goes on at that day; when there is none, that is the end. Where there are no daily candles, and
 * for timeframes of a day and longer, the walk steps over the n periods. Either way each answer moves the walk on by at
 * least one period or one answer's worth of days, so it ends.
 *
 * On a day with a trade nothing is told of empty answers until candles follow or the day is proved wrong.
 * @throws {Problem} 'vendor-unavailable' when there are no candles in the whole of a day in which there are trades by
 *   the exchange's daily candles: `untilMs` of the page before is where that begins at the latest
 */
export async function* walkCandles(
  source: CandleSource,
  startMs: number,
  endMs: number,
): AsyncGenerator<CandlePage, void, undefined> {
  let toldMs = startMs
  let cursorMs = startMs
  while (cursorMs < endMs) {
    const sent = await askAgain(source, source.timeframe, cursorMs)
    const { rows, missing } = await confirmJump(source, sent, cursorMs, endMs)
    if (rows.length === 0) {
      const next = await crossVoid(source, { fromMs: toldMs, cursorMs, endMs })
      cursorMs = Math.min(next.cursorMs, endMs)
      if (!next.isTold && cursorMs < endMs) continue
      yield { rows: [], untilMs: cursorMs, missing: missingOf(source, toldMs, cursorMs) }
    } else {
      cursorMs = Math.min(endOf(source, rows) ?? endMs, endMs)
      yield { rows: rows.filter(({ time }) => time < endMs), untilMs: cursorMs, missing }
    }
    toldMs = cursorMs
  }
}

async function askFrom(source: CandleSource, timeframe: Timeframe, fromMs: number): Promise<VendorRow[]> {
  const rows = await source.ask(timeframe, fromMs)
  return rows.filter(({ time }) => time >= fromMs).toSorted((a, b) => a.time - b.time)
}

/** Candles from a time on; asked for twice before they are none. */
async function askAgain(source: CandleSource, timeframe: Timeframe, fromMs: number): Promise<VendorRow[]> {
  const rows = await askFrom(source, timeframe, fromMs)
  return rows.length > 0 ? rows : askFrom(source, timeframe, fromMs)
}

/**
 * The part of an answer that may be believed. A single late candle, or an exchange that tells its newest candles
 * whatever it is asked, would pass over all that lies before. So where an answer leaves out more periods than it has
 * candles, a second one from there on has to agree with it: of the first only what both tell or leave out counts.
 */
async function confirmJump(
  source: CandleSource,
  rows: readonly VendorRow[],
  fromMs: number,
  endMs: number,
): Promise<Told> {
  const jump = findJump(source, rows, fromMs)
  if (jump === null) return { rows, missing: null }
  const again = await askAgain(source, source.timeframe, jump.fromMs)
  if (again.length === 0 || hasOthers(again, rows))
    return { rows: jump.index > 0 ? rows.slice(0, jump.index) : untilJump(source, again), missing: null }
  const toMs = again.at(-1)?.time ?? jump.fromMs
  const agreed = rows.filter(({ time }) => time <= toMs)
  const isNewest = agreed.length - jump.index >= source.limit && (endOf(source, agreed) ?? 0) >= endMs
  return { rows: agreed, missing: missingOf(source, jump.fromMs, jump.toMs, isNewest) }
}

/** Whether `again` has a candle that `rows` has not, though later ones. */
function hasOthers(again: readonly VendorRow[], rows: readonly VendorRow[]): boolean {
  const known = new Set(rows.map(({ time }) => time))
  const lastMs = rows.at(-1)?.time ?? Number.NEGATIVE_INFINITY
  return again.some(({ time }) => time < lastMs && !known.has(time))
}

/** Rows up to the first jump after the first of them. */
function untilJump(source: CandleSource, rows: readonly VendorRow[]): readonly VendorRow[] {
  const [first] = rows
  const jump = first === undefined ? null : findJump(source, rows, first.time)
  return jump === null ? rows : rows.slice(0, jump.index)
}

function findJump(source: CandleSource, rows: readonly VendorRow[], fromMs: number) {
  const longestMs = rows.length * periodMsOf(source)
  let endMs = fromMs
  for (const [index, { time }] of rows.entries()) {
    if (time - endMs > longestMs) return { index, fromMs: endMs, toMs: time }
    endMs = closeTimeMs(time, source.timeframe)
  }
  return null
}

/** Null for a step over one answer's periods, which says nothing, and where it is too short for a word. */
function missingOf(source: CandleSource, fromMs: number, toMs: number, isAllButNewest = false) {
  const answerMs = source.limit * periodMsOf(source)
  const isLong = toMs - fromMs > Math.min(answerMs, dayMs) && toMs - fromMs !== answerMs
  return isLong ? { fromMs, toMs, isAllButNewest } : null
}

function endOf({ timeframe }: CandleSource, rows: readonly VendorRow[]): number | null {
  const last = rows.at(-1)
  return last === undefined ? null : closeTimeMs(last.time, timeframe)
}

function periodMsOf({ timeframe }: CandleSource): number {
  return timeframes[timeframe].durationMs ?? 28 * dayMs
}

/** A time without candles: from `fromMs` on there was none, at `cursorMs` answers were empty. */
type Void = { readonly fromMs: number; readonly cursorMs: number; readonly endMs: number }

/** Where to ask next, `endMs` when there is nothing any more, and whether that nothing is before it is certain. */
async function crossVoid(
  source: CandleSource,
  { fromMs, cursorMs, endMs }: Void,
): Promise<{ readonly cursorMs: number; readonly isTold: boolean }> {
  const steppedMs = cursorMs + source.limit * periodMsOf(source)
  if (!source.hasDays || periodMsOf(source) >= dayMs) return { cursorMs: steppedMs, isTold: true }
  const days = await findDays(source, cursorMs, endMs)
  if (days === null) return { cursorMs: endMs, isTold: true }
  const traded = days.find(({ time, volume }) => volume !== 0 && time >= fromMs && time + dayMs <= steppedMs)
  if (traded !== undefined) throw contradiction(source, traded.time)
  const firstMs = Math.min(...days.map(({ time }) => time))
  return firstMs > cursorMs ? { cursorMs: firstMs, isTold: true } : { cursorMs: steppedMs, isTold: false }
}

/** Daily candles of the first answer that has some which end after `cursorMs`; null when none has. */
async function findDays(
  source: CandleSource,
  cursorMs: number,
  endMs: number,
): Promise<readonly VendorRow[] | null> {
  // A day that began before the cursor may have its trades after it.
  for (let dayFromMs = cursorMs - dayMs; dayFromMs < endMs; dayFromMs += source.limit * dayMs) {
    const sent = await askAgain(source, '1d', dayFromMs)
    const days = sent.filter(({ time }) => time + dayMs > cursorMs && time < endMs)
    if (days.length > 0) return days
  }
  return null
}

function contradiction({ id, timeframe }: CandleSource, dayFromMs: number): Problem {
  const day = `from ${formatTime(dayFromMs)} to ${formatTime(dayFromMs + dayMs)}`
  return new Problem(
    'vendor-unavailable',
    `${id} sent no ${timeframe} candle ${day}, asked twice, although its candle of that day shows trades`,
    {
      hint: 'Try again later. If it keeps its days longer than its shorter candles, ask from a later start.',
    },
  )
}
