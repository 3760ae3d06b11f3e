import type { BarsArchive } from '../../archive/bars.ts'
import { StoredHistory } from '../../archive/bars-history.ts'
import type { SessionBars } from '../../features/pipeline-columns.ts'
import { type FeatureRecipe, historyOfReference, resolveReference } from '../../features/pipeline-recipe.ts'
import { withSessions } from '../../features/pipeline-sessions.ts'
import { type Bars, checkBars } from '../../market/bars.ts'
import type { Calendars } from '../../market/calendars.ts'
import { closeTimeMs } from '../../market/timeframe.ts'
import type { components } from '../../openapi.gen.ts'
import { momentMs } from '../../operations/moment.ts'
import { type FieldError, Problem } from '../../problems.ts'

type Api = components['schemas']
type Where = Pick<Api['IndicatorCalculation'], 'symbol' | 'timeframe' | 'start' | 'end' | 'adjustment'>

/** Bars calculated within one request; with 20 indicators they take some ten milliseconds. */
const maxBars = 50_000

/** Start and end of a body, epoch ms. @throws {Problem} 'params-invalid' */
export function rangeOfBody(body: Pick<Where, 'start' | 'end'>): {
  start: number | null
  end: number | null
} {
  const start = momentMs(body.start, '/body/start')
  const end = momentMs(body.end, '/body/end')
  if (start === null || end === null || start < end) return { start, end }
  throw refuse('/body/start', 'range', `start (${body.start}) must be before end (${body.end})`)
}

/**
 * Stored bars of the range with as many before it as the indicators need to be stable, all of them where one of them
 * never forgets.
 * @throws {Problem} 'params-invalid' when symbol or timeframe is absent, or too many bars are needed; 'dataset-not-found'
 */
export async function storedBars(
  { bars: archive, calendars }: { readonly bars: BarsArchive; readonly calendars: Calendars },
  body: Where,
  indicators: FeatureRecipe['indicators'],
): Promise<SessionBars> {
  const { symbol, timeframe, adjustment = 'none' } = body
  if (symbol === undefined) throw refuse('/body/symbol', 'required', 'give symbol and timeframe, or values')
  if (timeframe === undefined)
    throw refuse('/body/timeframe', 'required', 'the timeframe of the stored bars is needed')
  const pinned = await archive.pin(symbol, timeframe, adjustment)
  if (pinned === null) throw new Problem('dataset-not-found', `There are no bars of ${symbol} ${timeframe}.`)
  const before = barsBefore(indicators)
  const history = new StoredHistory(archive, { symbol, timeframe, sha256: pinned.sha256 })
  const bars = history.read({ ...rangeOfBody(body), before, maxBars })
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
 * @throws {Problem} 'params-invalid' when columns differ in length, or a symbol is given too; 'bars-invalid' when the
 * bars could not have happened
 */
export function postedBars(posted: Api['PostedBars'], { symbol, timeframe }: Where): Bars {
  if (symbol !== undefined) throw refuse('/body/bars', 'not_allowed', 'give either symbol or bars, not both')
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
  checkBars(bars)
  return bars
}

function refuse(pointer: string, code: string, message: string): Problem {
  return new Problem('params-invalid', message, { errors: [{ pointer, code, message }] })
}
