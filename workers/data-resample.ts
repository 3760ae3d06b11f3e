import { BarsArchive } from '../src/archive/bars.ts'
import { Calendars } from '../src/market/calendars.ts'
import { intervalAt } from '../src/market/intervals.ts'
import { remarksOn, resampleBars } from '../src/market/resample.ts'
import {
  type DataResampleParams,
  type DataResampleResult,
  refuseFetched,
} from '../src/operations/data-resample.ts'
import { Problem } from '../src/problems.ts'
import { defineWorker } from './harness.ts'

export default defineWorker(
  'data_resample',
  async ({ symbol, from, timeframes, replace }: DataResampleParams, ctx): Promise<DataResampleResult> => {
    const calendars = new Calendars(ctx.server.calendars)
    const archive = new BarsArchive(ctx.server.home, calendars)
    const sha256 = ctx.provenance.dataset_sha256[0] ?? ''
    ctx.progress(0, timeframes.length, `loading ${symbol} ${from}`, 'dataset')
    const bars = archive.read(symbol, from, sha256)
    const version = archive.version(symbol, from, sha256)
    if (version === null) throw new Problem('bars-missing', `${symbol} ${from} is not stored any more`)
    const lastClose = bars.close_time[bars.length - 1] as number
    // Minutes nobody traded in end a day as well as others do, once the vendor was asked for them.
    const current = await archive.manifest(symbol, from)
    // What was answered since these bars were pinned says nothing about them.
    const fetched = current?.sha256 === sha256 ? current.fetched : []
    const knownUntilMs = Math.max(lastClose, intervalAt(fetched, lastClose - 1)?.end ?? 0)
    const datasets: DataResampleResult['datasets'] = []
    for (const [index, to] of timeframes.entries()) {
      ctx.checkCancelled()
      ctx.progress(index, timeframes.length, `making ${symbol} ${to}`, 'dataset')
      const calendar = calendars.get(version.calendar)
      const made = resampleBars(bars, { from, to, calendar, knownUntilMs })
      if (made.bars.length === 0)
        throw new Problem('bars-missing', `${symbol} ${from} does not hold one complete bar of ${to}`)
      const present = await archive.manifest(symbol, to)
      if (!replace && present !== null) refuseFetched(present)
      const { manifest } = await archive.publish(symbol, to, made.bars, {
        source: 'resample',
        now: ctx.now(),
        calendar: calendar.name,
        pointer: '/body/params',
        resampledFrom: { timeframe: from, sha256 },
        actions: version.actions,
      })
      for (const warning of remarksOn(bars, made.bars, { from, to, calendar, actions: version.actions }))
        ctx.warn(`${symbol} ${to}: ${warning}.`)
      if (made.outsideSession > 0)
        ctx.warn(
          `${made.outsideSession} bars of ${symbol} ${from} lie outside the sessions of ${calendar.name}.`,
        )
      const { first_time, last_time } = manifest
      datasets.push({
        symbol,
        timeframe: to,
        bars: manifest.bars,
        first_time,
        last_time,
        sha256: manifest.sha256,
        left_out_bars: made.outsideSession,
      })
    }
    ctx.progress(timeframes.length, timeframes.length, 'done', 'dataset')
    return { datasets }
  },
)
