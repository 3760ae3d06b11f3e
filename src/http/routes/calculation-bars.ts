import type { BarsArchive } from '../../archive/bars.ts'
import { StoredHistory } from '../../archive/bars-history.ts'
import type { SessionBars } from '../../features/pipeline-columns.ts'
import { type FeatureRecipe, historyOfReference, resolveReference } from '../../features/pipeline-recipe.ts'
import { withSessions } from '../../features/pipeline-sessions.ts'
import { type Bars, barAt, findBarFault, formatTime, maxBarErrors } from '../../market/bars.ts'
import type { Calendars } from '../../market/calendars.ts'
import { closeTimeMs, dayMs, type Timeframe, timeframeNames, timeframes } from '../../market/timeframe.ts'
import type { components } from '../../openapi.gen.ts'
import { momentMs, rangeOf } from '../../operations/moment.ts'
import { type FieldError, Problem } from '../../problems.ts'

type Api = components['schemas']
type Where = Pick<Api['IndicatorCalculation'], 'symbol' | 'timeframe' | 'start' | 'end' | 'adjustment'>

/** Bars calculated within one request; with 20 indicators they take some ten milliseconds. */
const maxBars = 50_000

/**
 * Stored bars of the range with as many before it as the indicators need to be stable, all of them where one of them
 * never forgets.
 * @param instead what the body may hold in place of a symbol and a timeframe
 * @throws {Problem} 'params-invalid' when symbol or timeframe is absent, or too many bars are needed; 'dataset-not-found'
 */
export async function storedBars(
  { bars: archive, calendars }: { readonly bars: BarsArchive; readonly calendars: Calendars },
  body: Where,
  { indicators, instead }: Pick<FeatureRecipe, 'indicators'> & { readonly instead: 'bars' | 'values' },
): Promise<SessionBars> {
  const { symbol, timeframe, adjustment = 'none' } = body
  if (symbol === undefined)
    throw refuse('/body/symbol', 'required', `give symbol and timeframe, or ${instead}`)
  if (timeframe === undefined)
    throw refuse('/body/timeframe', 'required', 'the timeframe of the stored bars is needed')
  const pinned = await archive.pin(symbol, timeframe, adjustment)
  if (pinned === null) throw await archive.notFound(symbol, timeframe)
  await archive.fetch(symbol, timeframe, pinned.sha256)
  const before = barsBefore(indicators)
  const history = new StoredHistory(archive, { symbol, timeframe, sha256: pinned.sha256 })
  const bars = history.read({ ...rangeOf(body, '/body'), before, maxBars })
  const calendar = calendars.find(pinned.manifest.calendar)
  return calendar === null ? bars : withSessions(bars, calendar, timeframe)
}

/** Bars in front of the first one wanted, null for all. */
function barsBefore(indicators: FeatureRecipe['indicators']): number | null {
  let longest = 0
  for (const id of Object.keys(indicators)) {
    const { spec } = resolveReference({ indicators }, id)
    const { stableAfter } = historyOfReference({ indicators }, id)
    if (stableAfter === null || spec.warmUp === 'first_session') return null
    longest = Math.max(longest, stableAfter)
  }
  return longest
}

/**
 * Posted columns as bars. A bar closes when the next one opens, the last one by the timeframe, if there is one.
 * @throws {Problem} 'params-invalid' when columns differ in length, the bars are not of the timeframe, or a symbol or
 * an adjustment is given too; 'bars-invalid' when the bars could not have happened
 */
export function postedBars(posted: Api['PostedBars'], { symbol, timeframe, adjustment }: Where): Bars {
  if (symbol !== undefined) throw refuse('/body/bars', 'not_allowed', 'give either symbol or bars, not both')
  refuseAdjustment(adjustment, 'bars')
  const length = posted.time.length
  const errors: FieldError[] = []
  const columnOf = (name: 'open' | 'high' | 'low' | 'close' | 'volume', values: readonly number[]) => {
    if (values.length !== length) {
      const message = `${name} has ${values.length} values for ${length} times`
      errors.push({ pointer: `/body/bars/${name}`, code: 'length', message })
    }
    return Float64Array.from(values)
  }
  const time = Float64Array.from(posted.time, (text, i) => momentMs(text, `/body/bars/time/${i}`) ?? 0)
  const bars: Bars = {
    length,
    time,
    close_time: Float64Array.from(time, (open, i) =>
      i + 1 < length
        ? (time[i + 1] as number)
        : timeframe === undefined
          ? open + 1
          : closeTimeMs(open, timeframe),
    ),
    open: columnOf('open', posted.open),
    high: columnOf('high', posted.high),
    low: columnOf('low', posted.low),
    close: columnOf('close', posted.close),
    volume: posted.volume === undefined ? new Float64Array(length) : columnOf('volume', posted.volume),
  }
  const [first] = errors
  if (first !== undefined) throw new Problem('params-invalid', first.message, { errors })
  checkPosted(bars)
  if (timeframe !== undefined) checkSpacing(time, timeframe)
  return bars
}

/**
 * `none` is what posted numbers are anyway; any other adjustment would have no effect.
 * @throws {Problem} 'params-invalid'
 */
export function refuseAdjustment(adjustment: Where['adjustment'], posted: 'bars' | 'values'): void {
  if (adjustment === undefined || adjustment === 'none') return
  const message = `adjustment is of stored bars: posted ${posted} are taken as they are`
  throw refuse('/body/adjustment', 'not_allowed', message)
}

/** As `checkBars` of the market, with pointers into the columns of the body. @throws {Problem} 'bars-invalid' */
function checkPosted(bars: Bars): void {
  const errors: FieldError[] = []
  const report = (field: string, row: number, code: string, message: string) =>
    errors.push({ pointer: `/body/bars/${field}/${row}`, code, message: `row ${row}: ${message}` })
  for (let row = 0; row < bars.length && errors.length < maxBarErrors; row++) {
    const time = bars.time[row] as number
    const before = row === 0 ? Number.NEGATIVE_INFINITY : (bars.time[row - 1] as number)
    if (time === before) report('time', row, 'duplicate', `${formatTime(time)} occurs twice`)
    else if (time < before)
      report('time', row, 'not_increasing', `${formatTime(time)} comes after a later bar`)
    const fault = findBarFault(barAt(bars, row))
    if (fault !== null) report(fault.field, row, fault.code, fault.message)
  }
  const [first] = errors
  if (first === undefined) return
  throw new Problem('bars-invalid', first.message, {
    hint: 'Post the bars oldest first, each once.',
    errors: errors.slice(0, maxBarErrors),
  })
}

/**
 * Bars may be missing, so they may be farther apart than the timeframe; but most of them cannot be nearer, and where
 * the nearest are exactly a longer timeframe apart, they are of that one.
 * @param time open times, epoch ms, increasing
 * @throws {Problem} 'params-invalid' naming the spacing
 */
function checkSpacing(time: Float64Array, timeframe: Timeframe): void {
  if (time.length < 2) return
  const spacings = time.slice(1).map((open, i) => open - (time[i] as number))
  spacings.sort()
  const shortest = spacings[0] as number
  const usual = spacings[(spacings.length - 1) >>> 1] as number
  const longer = timeframeNames.slice(timeframeNames.indexOf(timeframe) + 1)
  const isNearer = usual < shortestDistanceMs(timeframe)
  // Two bars alone may have a holiday between them.
  const isLonger = spacings.length > 1 && longer.some(name => timeframes[name].durationMs === shortest)
  if (!isNearer && !isLonger) return
  const apart = distanceName(isNearer ? usual : shortest)
  throw refuse('/body/timeframe', 'spacing', `the bars are ${apart} apart, which is not ${timeframe}`)
}

/** How near two bars can open: a day with a change of clocks has 23 hours, February 28 days. */
function shortestDistanceMs(timeframe: Timeframe): number {
  const durationMs = timeframes[timeframe].durationMs ?? 28 * dayMs
  return durationMs >= dayMs ? durationMs - dayMs / 24 : durationMs
}

function distanceName(ms: number): string {
  return timeframeNames.find(name => timeframes[name].durationMs === ms) ?? `${ms / 1000} seconds`
}

/** A fault of one place of the body. */
export function refuse(pointer: string, code: string, message: string): Problem {
  return new Problem('params-invalid', message, { errors: [{ pointer, code, message }] })
}
