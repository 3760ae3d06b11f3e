import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { gridOf } from '../../src/market/bar-grid.ts'
import type { Bars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { findGaps, type GapOptions, type GapReport } from '../../src/market/gaps.ts'
import { dayMs, type Timeframe } from '../../src/market/timeframe.ts'

const calendars = new Calendars()
const hourMs = 3_600_000
const utc = (text: string) => Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text)

/** Bars that open at these times. */
function barsAt(times: readonly number[]): Bars {
  const builder = new BarsBuilder()
  for (const time of times)
    builder.append({ time, close_time: time + 1, open: 1, high: 1, low: 1, close: 1, volume: 0 })
  return builder.build()
}

type Choice = { calendar?: string; timeframe?: Timeframe; start: string; end: string }

function optionsOf({ calendar = 'XNYS', timeframe = '1d', start, end }: Choice): GapOptions {
  return {
    calendar: calendars.get(calendar),
    timeframe,
    start: utc(start),
    end: utc(end),
    fetched: [],
    failed: [],
    includeExpected: false,
    limit: 100,
  }
}

function slotTimes(options: GapOptions): number[] {
  const slots = gridOf(options.calendar, options.timeframe).slots(options.start, options.end)
  return [...slots].filter(({ closeTime }) => closeTime <= options.end).map(({ time }) => time)
}

/** The report on every expected bar except those of `lacking` (open times). */
function without(options: GapOptions, lacking: readonly number[]): GapReport {
  return findGaps(barsAt(slotTimes(options).filter(time => !lacking.includes(time))), options)
}

// January 2024 on the NYSE: closed on the 1st and the 15th (Martin Luther King), 21 sessions.
const january = optionsOf({ start: '2024-01-01', end: '2024-02-01' })

describe('coverage', () => {
  test('a complete month has no gaps, whatever days the market was closed', () => {
    const report = without(january, [])
    expect(report.coverage).toEqual({
      expected_bars: 21,
      present_bars: 21,
      missing_bars: 0,
      unscheduled_bars: 0,
      fraction: 1,
    })
    expect(report.gaps).toEqual([])
    expect(report.truncated).toBe(false)
  })

  test('a bar that is not finished at the end of the range is not expected, and harmless when it is there', () => {
    // Wednesday 10 January closes at 21:00 UTC; the 8th and the 9th are over.
    const options = optionsOf({ start: '2024-01-08', end: '2024-01-10T20:59:00Z' })
    expect(without(options, []).coverage.expected_bars).toBe(2)
    const withUnfinished = findGaps(barsAt([8, 9, 10].map(day => Date.UTC(2024, 0, day))), options)
    expect(withUnfinished.coverage).toMatchObject({ expected_bars: 2, present_bars: 2, unscheduled_bars: 0 })
    expect(without({ ...options, end: utc('2024-01-10T21:00:00Z') }, []).coverage.expected_bars).toBe(3)
  })

  test('a range without sessions expects nothing and has no fraction', () => {
    const weekend = optionsOf({ start: '2024-01-06', end: '2024-01-08' })
    expect(findGaps(barsAt([]), weekend).coverage).toMatchObject({ expected_bars: 0, fraction: null })
  })

  test('bars on closed days are unscheduled', () => {
    const saturday = utc('2024-01-06')
    const report = findGaps(barsAt([...slotTimes(january), saturday].sort((a, b) => a - b)), january)
    expect(report.coverage).toMatchObject({ present_bars: 21, unscheduled_bars: 1 })
  })

  test('bars before the open and after the close are unscheduled', () => {
    const options = optionsOf({ timeframe: '1h', start: '2024-01-08', end: '2024-01-09' })
    const extended = [utc('2024-01-08T13:30:00Z'), ...slotTimes(options), utc('2024-01-08T21:30:00Z')]
    expect(findGaps(barsAt(extended), options).coverage).toMatchObject({
      expected_bars: 7,
      present_bars: 7,
      unscheduled_bars: 2,
    })
  })

  test('a bar off the grid fills the slot that holds its open time, two of them fill it once', () => {
    const options = optionsOf({ timeframe: '1h', start: '2024-01-08', end: '2024-01-09' })
    const clock = [15, 16, 17, 18, 19, 20].map(hour => Date.UTC(2024, 0, 8, hour))
    const report = findGaps(barsAt([...clock, utc('2024-01-08T20:15:00Z')]), options)
    expect(report.coverage).toMatchObject({ expected_bars: 7, present_bars: 6, unscheduled_bars: 0 })
    expect(report.gaps.map(gap => [gap.start, gap.end])).toEqual([
      [utc('2024-01-08T20:30:00Z'), utc('2024-01-08T21:00:00Z')],
    ])
  })

  test('daily bars dated at the open of their session fill the day', () => {
    const times = slotTimes(january).map(time => time + 14.5 * hourMs)
    expect(findGaps(barsAt(times), january).coverage).toMatchObject({ present_bars: 21, unscheduled_bars: 0 })
  })

  test('daily forex bars dated on the evening before fill the day', () => {
    const forex = optionsOf({ calendar: '24-5', start: '2024-01-08', end: '2024-01-13' })
    const evenings = slotTimes(forex).map(time => time - 2 * hourMs)
    const report = findGaps(barsAt(evenings), { ...forex, start: utc('2024-01-07T12:00:00Z') })
    expect(report.coverage).toMatchObject({ expected_bars: 5, present_bars: 5, unscheduled_bars: 0 })
  })

  test('a week whose Monday is a holiday is filled by a bar dated on Tuesday', () => {
    const weeks = optionsOf({ timeframe: '1w', start: '2024-01-08', end: '2024-01-27' })
    const report = findGaps(barsAt(['2024-01-08', '2024-01-16', '2024-01-22'].map(utc)), weeks)
    expect(report.coverage).toMatchObject({ expected_bars: 3, present_bars: 3, unscheduled_bars: 0 })
  })
})

describe('classes', () => {
  const friday = utc('2024-01-05')
  const monday = utc('2024-01-08')

  test('bars that nobody asked for are unexpected; a weekend between two of them does not split the gap', () => {
    const { gaps, by_class } = without(january, [friday, monday])
    expect(gaps).toEqual([
      {
        start: friday,
        end: utc('2024-01-08T21:00:00Z'),
        class: 'unexpected',
        missing_bars: 2,
        note: expect.any(String),
      },
    ])
    expect(by_class.unexpected).toEqual({ gaps: 1, bars: 2 })
  })

  test('a present bar splits a gap', () => {
    const { gaps } = without(january, [utc('2024-01-03'), utc('2024-01-05')])
    expect(gaps.map(gap => gap.missing_bars)).toEqual([1, 1])
  })

  test('what was fetched the vendor had none of, what failed says why, and a cause of its own is a gap of its own', () => {
    const options = {
      ...january,
      fetched: [{ start: utc('2024-01-01'), end: utc('2024-01-04') }],
      failed: [
        { start: utc('2024-01-01'), end: utc('2024-01-09'), reason: 'HTTP 500' },
        { start: utc('2024-01-05'), end: utc('2024-01-06'), reason: 'timed out' },
      ],
    }
    const lacking = ['03', '04', '05', '08', '09'].map(day => utc(`2024-01-${day}`))
    const { gaps, by_class } = without(options, lacking)
    expect(gaps.map(gap => [gap.class, gap.missing_bars])).toEqual([
      ['vendor_had_none', 1],
      ['fetch_failed', 1],
      ['fetch_failed', 1],
      ['fetch_failed', 1],
      ['unexpected', 1],
    ])
    expect(gaps.slice(1, 4).map(gap => gap.note)).toEqual(['HTTP 500', 'timed out', 'HTTP 500'])
    expect(by_class.fetch_failed).toEqual({ gaps: 3, bars: 3 })
  })

  test('closed days are listed on demand and never missing; a long weekend is a holiday with its name', () => {
    const report = without({ ...january, includeExpected: true }, [])
    expect(report.coverage.missing_bars).toBe(0)
    expect(report.by_class).toMatchObject({
      weekend: { gaps: 3, bars: 0 },
      holiday: { gaps: 2, bars: 0 },
      outside_hours: { gaps: 0, bars: 0 },
    })
    const holidays = report.gaps.filter(gap => gap.class === 'holiday')
    expect(holidays[0]).toMatchObject({ start: utc('2024-01-01'), end: utc('2024-01-02'), missing_bars: 0 })
    expect(holidays[1]).toMatchObject({ start: utc('2024-01-13'), end: utc('2024-01-16') })
    expect(holidays[1]?.note).toMatch(/^Martin Luther King/)
    expect(without(january, []).by_class).toEqual(report.by_class)
  })

  test('intraday closures reach from the close of one session to the open of the next', () => {
    const options = optionsOf({ timeframe: '1h', start: '2024-01-11T16:00:00Z', end: '2024-01-16T16:00:00Z' })
    const { gaps } = without({ ...options, includeExpected: true }, [])
    expect(gaps.map(gap => [gap.class, gap.start, gap.end])).toEqual([
      ['outside_hours', utc('2024-01-11T21:00:00Z'), utc('2024-01-12T14:30:00Z')],
      ['holiday', utc('2024-01-12T21:00:00Z'), utc('2024-01-16T14:30:00Z')],
    ])
  })

  test('a half day ends early without a gap', () => {
    const options = optionsOf({ timeframe: '1h', start: '2024-07-03', end: '2024-07-04' })
    expect(without(options, []).coverage.expected_bars).toBe(4)
    const { gaps } = without({ ...options, includeExpected: true }, [])
    expect(gaps.map(gap => [gap.start, gap.end])).toEqual([
      [utc('2024-07-03'), utc('2024-07-03T13:30:00Z')],
      [utc('2024-07-03T17:00:00Z'), utc('2024-07-04')],
    ])
  })

  test('forex rests from Friday to Sunday evening in New York, and a round-the-clock market never', () => {
    const forex = optionsOf({ calendar: '24-5', timeframe: '1h', start: '2024-07-03', end: '2024-07-09' })
    const { gaps } = without({ ...forex, includeExpected: true }, [])
    expect(gaps.map(gap => [gap.class, gap.start, gap.end])).toEqual([
      ['weekend', utc('2024-07-05T21:00:00Z'), utc('2024-07-07T21:00:00Z')],
    ])
    const crypto = optionsOf({ calendar: '24-7', timeframe: '1h', start: '2024-07-03', end: '2024-07-09' })
    expect(without({ ...crypto, includeExpected: true }, [])).toMatchObject({
      gaps: [],
      coverage: { expected_bars: 144 },
    })
  })
})

test('the oldest gaps are listed up to the limit, all are counted', () => {
  const lacking = ['03', '05', '09'].map(day => utc(`2024-01-${day}`))
  const { gaps, truncated, by_class } = without({ ...january, limit: 2 }, lacking)
  expect(gaps.map(gap => gap.start)).toEqual(lacking.slice(0, 2))
  expect(truncated).toBe(true)
  expect(by_class.unexpected).toEqual({ gaps: 3, bars: 3 })
  expect(without({ ...january, limit: 3 }, lacking).truncated).toBe(false)
})

test('present and missing bars make the expected ones, gaps hold exactly the missing ones, in order and apart', () => {
  const anyCase = fc.record({
    calendar: fc.constantFrom('XNYS', '24-7', '24-5'),
    timeframe: fc.constantFrom<Timeframe>('1h', '4h', '1d', '1w', '1M'),
    startDay: fc.nat(300),
    days: fc.integer({ min: 1, max: 90 }),
    keep: fc.infiniteStream(fc.boolean()),
    cuts: fc.array(fc.nat(390), { minLength: 4, maxLength: 4 }),
  })
  fc.assert(
    fc.property(anyCase, ({ calendar, timeframe, startDay, days, keep, cuts }) => {
      const at = (day: number) => Date.UTC(2024, 0, 1) + day * dayMs
      const [a, b, c, d] = cuts.map(at).sort((x, y) => x - y) as [number, number, number, number]
      const options = {
        ...optionsOf({ calendar, timeframe, start: '2024-01-01', end: '2024-01-02' }),
        start: at(startDay),
        end: at(startDay + days),
        fetched: a < b ? [{ start: a, end: b }] : [],
        failed: [{ start: c, end: d, reason: 'late' }],
        limit: 1e9,
      }
      const expected = slotTimes(options)
      const present = expected.filter(() => keep.next().value)
      const { coverage, gaps, by_class } = findGaps(barsAt(present), options)
      expect(coverage.expected_bars).toBe(expected.length)
      expect(coverage.present_bars).toBe(present.length)
      expect(coverage.unscheduled_bars).toBe(0)
      const lacking = expected.filter(time => !present.includes(time))
      const inGap = (time: number) => gaps.filter(gap => gap.start <= time && time < gap.end)
      for (const time of present) expect(inGap(time)).toEqual([])
      for (const time of lacking) {
        const cause =
          time >= a && time < b ? 'vendor_had_none' : time >= c && time < d ? 'fetch_failed' : 'unexpected'
        expect(inGap(time).map(gap => gap.class)).toEqual([cause])
      }
      const bars = Object.values(by_class).reduce((sum, count) => sum + count.bars, 0)
      expect(bars).toBe(lacking.length)
      expect(gaps.reduce((sum, gap) => sum + gap.missing_bars, 0)).toBe(lacking.length)
      for (let i = 1; i < gaps.length; i++)
        expect(gaps[i]?.start).toBeGreaterThanOrEqual(gaps[i - 1]?.end ?? 0)
    }),
  )
})

test('months of minutes without bars are counted as slot by slot counting does', () => {
  const minuteMs = 60_000
  const minutes = (40 * dayMs) / minuteMs
  const anyCase = fc.record({
    calendar: fc.constantFrom('XNYS', '24-7', '24-5'),
    edges: fc.array(fc.nat(minutes), { minLength: 6, maxLength: 6 }),
    seconds: fc.uniqueArray(fc.nat(minutes * 60), { maxLength: 6 }),
    trim: fc.nat(90),
  })
  fc.assert(
    fc.property(anyCase, ({ calendar, edges, seconds, trim }) => {
      const origin = utc('2024-02-20')
      const at = edges.map(edge => origin + edge * minuteMs).sort((x, y) => x - y)
      const [a, b, c, d, e, f] = at as [number, number, number, number, number, number]
      const options: GapOptions = {
        ...optionsOf({ calendar, timeframe: '1m', start: '2024-02-20', end: '2024-02-21' }),
        start: a + trim * 1_000,
        end: f + trim * 1_000,
        fetched: b < c ? [{ start: b, end: c }] : [],
        failed: [{ start: d, end: e, reason: 'late' }],
        limit: 1e9,
      }
      const times = seconds.map(second => origin + second * 1_000).sort((x, y) => x - y)
      const wanted = { expected: 0, present: 0, vendor_had_none: 0, fetch_failed: 0, unexpected: 0 }
      let lastClose = 0
      for (const { time, closeTime } of gridOf(options.calendar, '1m').slots(options.start, options.end)) {
        if (closeTime > options.end) continue
        wanted.expected++
        const isIn = (from: number, to: number) => time >= from && time < to
        if (times.some(bar => bar >= options.start && bar >= time && bar < closeTime)) wanted.present++
        else {
          wanted[isIn(b, c) ? 'vendor_had_none' : isIn(d, e) ? 'fetch_failed' : 'unexpected']++
          lastClose = closeTime
        }
      }
      const { coverage, by_class, gaps } = findGaps(barsAt(times), options)
      expect({
        expected: coverage.expected_bars,
        present: coverage.present_bars,
        vendor_had_none: by_class.vendor_had_none.bars,
        fetch_failed: by_class.fetch_failed.bars,
        unexpected: by_class.unexpected.bars,
      }).toEqual(wanted)
      expect(gaps.at(-1)?.end ?? 0).toBe(lastClose)
    }),
    { numRuns: 25 },
  )
})
