import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { gridOf } from '../../src/market/bar-grid.ts'
import { type Bars, barFields } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { checkQuality, type QualityOptions } from '../../src/market/quality.ts'
import { type QualityCheckName, qualityChecks } from '../../src/market/quality-checks.ts'
import { medianInPlace } from '../../src/market/quality-median.ts'
import { dayMs, type Timeframe } from '../../src/market/timeframe.ts'

const calendars = new Calendars()
const optionsOf = (calendar: string, timeframe: Timeframe): QualityOptions => ({
  calendar: calendars.get(calendar),
  timeframe,
  actions: [],
  limit: 5,
})
const daily = optionsOf('XNYS', '1d')

/** Bars on the grid that wander by less than 0.2 % a bar around 100, the same at every call. */
function soundBars(length: number, options = daily): Bars {
  const builder = new BarsBuilder(length)
  const start = Date.UTC(2022, 0, 3)
  for (const slot of gridOf(options.calendar, options.timeframe).slots(start, start + 4_000 * dayMs)) {
    const i = builder.length
    if (i === length) break
    const [open, close] = [100 + Math.sin(i / 3), 100 + Math.sin((i + 1) / 3) + (i % 7) / 100]
    builder.append({
      time: slot.time,
      close_time: slot.closeTime,
      open,
      high: Math.max(open, close) + 0.1,
      low: Math.min(open, close) - 0.1,
      close,
      volume: 1_000 + (i % 13) * 10,
    })
  }
  return builder.build()
}

/** Multiplies the prices of the bars from..to−1. */
function scalePrices(bars: Bars, from: number, to: number, factor: number): void {
  for (const field of ['open', 'high', 'low', 'close'] as const)
    for (let i = from; i < to; i++) bars[field][i] = (bars[field][i] as number) * factor
}

/** Names and counts of the checks that found something. */
function findings(bars: Bars, options = daily): Partial<Record<QualityCheckName, number>> {
  const { checks } = checkQuality(bars, options)
  return Object.fromEntries(checks.filter(({ count }) => count > 0).map(({ name, count }) => [name, count]))
}

const checkOf = (bars: Bars, name: QualityCheckName, options = daily) => {
  const found = checkQuality(bars, options).checks.find(check => check.name === name)
  if (found === undefined) throw new Error(`no check ${name}`)
  return found
}

describe('sound bars', () => {
  test.each([
    ['XNYS', '1d'],
    ['XNYS', '1h'],
    ['XNYS', '1m'],
    ['24-7', '4h'],
    ['24-5', '1d'],
    ['XNYS', '1w'],
    ['XNYS', '1M'],
  ] as const)('of %s %s pass every check', (calendar, timeframe) => {
    const options = optionsOf(calendar, timeframe)
    const report = checkQuality(soundBars(120, options), options)
    expect(findings(soundBars(120, options), options)).toEqual({})
    expect(report).toMatchObject({ bars: 120, healthy: true })
  })

  test('every check is in the report with its description, even without a single bar', () => {
    const { checks, bars, healthy } = checkQuality(soundBars(0), daily)
    expect(checks.map(({ name }) => name)).toEqual(Object.keys(qualityChecks))
    expect(checks.every(({ share, count }) => share === 0 && count === 0)).toBe(true)
    for (const check of checks) expect(check.description).toBe(qualityChecks[check.name].description)
    expect([bars, healthy]).toEqual([0, true])
  })
})

describe('impossible bars make a dataset unhealthy', () => {
  test.each<[string, (bars: Bars) => void, Partial<Record<QualityCheckName, number>>]>([
    ['a high below the close', b => (b.high[9] = (b.close[9] as number) - 0.01), { ohlc_order: 1 }],
    ['a low above the high', b => (b.low[9] = 150), { ohlc_order: 1 }],
    ['a low of zero', b => (b.low[9] = 0), { not_positive: 1 }],
    ['an open that is no number', b => (b.open[9] = Number.NaN), { not_finite: 1 }],
    ['an infinite volume', b => (b.volume[9] = Number.POSITIVE_INFINITY), { not_finite: 1 }],
    ['a time beyond all dates', b => (b.time[19] = 1e18), { not_finite: 1 }],
    ['a negative volume', b => (b.volume[9] = -1), { negative_volume: 1 }],
  ])('%s', (_name, spoil, expected) => {
    const bars = soundBars(20)
    spoil(bars)
    const found = findings(bars)
    expect(found).toMatchObject(expected)
    expect(checkQuality(bars, daily).healthy).toBe(false)
  })

  test('a time that repeats, and one that goes back', () => {
    const bars = soundBars(20)
    bars.time[5] = bars.time[4] as number
    bars.close_time[5] = bars.close_time[4] as number
    bars.time[9] = bars.time[7] as number
    bars.close_time[9] = bars.close_time[7] as number
    expect(findings(bars)).toEqual({ duplicate_time: 1, not_increasing: 1 })
    expect(checkOf(bars, 'duplicate_time').examples).toEqual([
      { time: bars.time[5], value: bars.time[5], message: expect.stringContaining('bar before') },
    ])
  })
})

describe('prices that jump', () => {
  test('a level that stays is an outlier, one that comes back with the next bar a spike', () => {
    const jump = soundBars(200)
    scalePrices(jump, 100, 200, 1.4)
    expect(findings(jump)).toEqual({ outlier_jump: 1 })
    expect(checkOf(jump, 'outlier_jump').examples[0]).toMatchObject({ time: jump.time[100] })
    expect(checkOf(jump, 'outlier_jump').examples[0]?.value).toBeCloseTo(0.4, 1)

    const spike = soundBars(200)
    scalePrices(spike, 100, 101, 1.4)
    expect(findings(spike)).toEqual({ spike: 1 })
  })

  test('a steady trend is no outlier, however far it leads', () => {
    const bars = soundBars(500)
    for (let i = 0; i < 500; i++) scalePrices(bars, i, i + 1, 1.01 ** i)
    expect(findings(bars)).toEqual({})
  })

  test('a wild market sets its own measure', () => {
    const bars = soundBars(300)
    // Moves of about 20 % up and down throughout: 30 % is nothing special here.
    for (let i = 0; i < 300; i++) scalePrices(bars, i, i + 1, i % 2 === 0 ? 1 : 1.25)
    scalePrices(bars, 150, 300, 1.3)
    expect(findings(bars)).toEqual({})
  })

  test('nights are judged among themselves', () => {
    const options = optionsOf('XNYS', '1h')
    const bars = soundBars(700, options)
    // Every night moves by 15 %, up and down in turn; within sessions that would be far out.
    for (let i = 0; i < 700; i++) scalePrices(bars, i, i + 1, Math.floor(i / 7) % 2 === 0 ? 1 : 1.15)
    expect(findings(bars, options)).toEqual({})
    scalePrices(bars, 353, 700, 1.15)
    expect(findings(bars, options)).toEqual({ outlier_jump: 1 })
  })
})

describe('splits', () => {
  const unadjusted = (ratio: number) => {
    const bars = soundBars(60)
    scalePrices(bars, 30, 60, 1 / ratio)
    return bars
  }

  test.each([2, 3, 4, 5, 7, 10, 20, 1 / 2, 1 / 10])('a step like a split 1 to %d is found', ratio => {
    // The walk itself moves from the close to the next open by up to 0.06 %.
    const found = checkOf(unadjusted(ratio), 'possible_unadjusted_split')
    expect(found).toMatchObject({ count: 1, severity: 'high' })
    expect(found.examples[0]?.value).toBeCloseTo(1 / ratio, 1)
  })

  test('a known split explains it, one of another date or a dividend does not', () => {
    const bars = unadjusted(4)
    const dateOf = (i: number) => new Date(bars.time[i] as number).toISOString().slice(0, 10)
    const withAction = (action: QualityOptions['actions'][number]) =>
      checkOf(bars, 'possible_unadjusted_split', { ...daily, actions: [action] }).count
    expect(withAction({ kind: 'split', ex_date: dateOf(30), ratio: 4 })).toBe(0)
    expect(withAction({ kind: 'split', ex_date: dateOf(29), ratio: 4 })).toBe(1)
    expect(withAction({ kind: 'split', ex_date: dateOf(31), ratio: 4 })).toBe(1)
    expect(withAction({ kind: 'dividend', ex_date: dateOf(30), amount: 1 })).toBe(1)
  })

  test('a step between the ratios, or within a day, is no split', () => {
    expect(findings(unadjusted(2.5)).possible_unadjusted_split).toBeUndefined()
    const options = optionsOf('XNYS', '1h')
    const bars = soundBars(70, options)
    scalePrices(bars, 38, 70, 0.5)
    expect(findings(bars, options).possible_unadjusted_split).toBeUndefined()
  })
})

describe('feeds that stand still', () => {
  const repeat = (bars: Bars, from: number, to: number) => {
    for (const field of ['open', 'high', 'low', 'close'] as const)
      bars[field].fill(bars[field][from] as number, from, to)
  }

  test('five equal days in a row are stale, four are not', () => {
    const bars = soundBars(60)
    repeat(bars, 10, 14)
    expect(findings(bars)).toEqual({})
    repeat(bars, 30, 35)
    expect(findings(bars)).toEqual({ stale_run: 5 })
    expect(checkOf(bars, 'stale_run').examples[0]).toMatchObject({ time: bars.time[30], value: 5 })
  })

  test('a run at the very end counts', () => {
    const bars = soundBars(60)
    repeat(bars, 54, 60)
    expect(findings(bars)).toEqual({ stale_run: 6 })
  })
})

describe('volume', () => {
  test('bars without volume are counted; where none has any that is only for the record', () => {
    const bars = soundBars(50)
    bars.volume.fill(0, 10, 20)
    expect(checkOf(bars, 'zero_volume')).toMatchObject({ count: 10, share: 0.2, severity: 'medium' })
    bars.volume.fill(0)
    expect(checkOf(bars, 'zero_volume')).toMatchObject({ count: 50, share: 1, severity: 'info' })
    expect(checkQuality(bars, daily).healthy).toBe(true)
  })

  test('a volume of more than a hundred times the usual is a spike, growth over the years is none', () => {
    const bars = soundBars(6_000, optionsOf('24-7', '1h'))
    for (let i = 0; i < bars.length; i++) bars.volume[i] = (bars.volume[i] as number) * 1.002 ** i
    expect((bars.volume[5_999] as number) / (bars.volume[3_000] as number)).toBeGreaterThan(100)
    expect(findings(bars, optionsOf('24-7', '1h'))).toEqual({})
    bars.volume[50] = 2_000_000
    expect(findings(bars, optionsOf('24-7', '1h'))).toEqual({ volume_spike: 1 })
  })
})

describe('times against the calendar', () => {
  const hourly = optionsOf('XNYS', '1h')

  test('bars outside the session and off the grid are told apart', () => {
    const bars = soundBars(14, hourly)
    bars.time[0] = (bars.time[0] as number) - 3_600_000
    bars.time[3] = (bars.time[3] as number) + 60_000
    expect(findings(bars, hourly)).toEqual({ outside_session: 1, off_grid: 1 })
    expect(checkOf(bars, 'off_grid', hourly).examples[0]).toMatchObject({ value: 60_000 })
  })

  test('a daily bar on a holiday is outside the sessions, one dated at the open is off the grid', () => {
    const bars = soundBars(12)
    // Monday 17 January 2022 was a holiday: the tenth session was Friday the 14th.
    bars.time[9] = Date.UTC(2022, 0, 17)
    bars.close_time[9] = Date.UTC(2022, 0, 18)
    bars.time[2] = (bars.time[2] as number) + 14.5 * 3_600_000
    expect(findings(bars)).toEqual({ outside_session: 1, off_grid: 1 })
  })

  test('a week labelled with the Monday of a holiday is on the grid', () => {
    const weekly = optionsOf('XNYS', '1w')
    const bars = soundBars(8, weekly)
    expect([...bars.time]).toContain(Date.UTC(2022, 0, 17))
    expect(findings(bars, weekly)).toEqual({})
  })

  test('a close time later than the true one is safe, an earlier one shows the bar too soon', () => {
    const bars = soundBars(10)
    bars.close_time[4] = (bars.close_time[4] as number) + 1
    expect(checkOf(bars, 'misdated_close')).toMatchObject({ count: 1, severity: 'medium' })
    expect(checkQuality(bars, daily).healthy).toBe(true)
    bars.close_time[5] = (bars.close_time[5] as number) - 1
    expect(checkOf(bars, 'misdated_close')).toMatchObject({ count: 2, severity: 'high' })
    expect(checkQuality(bars, daily).healthy).toBe(false)
  })
})

test('no more examples than the limit are kept, the oldest ones, and the count goes on', () => {
  const bars = soundBars(50)
  bars.volume.fill(-1)
  const { count, share, examples } = checkOf(bars, 'negative_volume', { ...daily, limit: 3 })
  expect([count, share]).toEqual([50, 1])
  expect(examples.map(({ time }) => time)).toEqual([...bars.time.subarray(0, 3)])
})

test('any numbers at all give a report that JSON can hold, and are left as they were', () => {
  const anyNumber = fc.oneof(
    fc.double(),
    fc.constantFrom(0, -1, Number.NaN, Number.NEGATIVE_INFINITY, 1e18),
    fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2030, 0, 1) }),
  )
  const anyRow = fc.record(
    Object.fromEntries(barFields.map(field => [field, anyNumber])) as Record<
      (typeof barFields)[number],
      typeof anyNumber
    >,
  )
  const anyTimeframe = fc.constantFrom<Timeframe>('1m', '4h', '1d', '1M')
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 20 }), anyTimeframe, (rows, timeframe) => {
      const builder = new BarsBuilder()
      for (const row of rows) builder.append(row)
      const bars = builder.build()
      const report = checkQuality(bars, optionsOf('24-5', timeframe))
      expect(JSON.parse(JSON.stringify(report))).toEqual(report)
      for (const field of barFields) expect([...bars[field]]).toEqual(rows.map(row => row[field]))
    }),
  )
})

test('the median by selection is the one that sorting finds', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), fc.nat(3)),
        {
          minLength: 1,
        },
      ),
      values => {
        const sorted = [...values].sort((a, b) => a - b)
        const [low, high] = [sorted[(sorted.length - 1) >> 1] as number, sorted[sorted.length >> 1] as number]
        const expected = sorted.length % 2 === 1 ? high : (low + high) / 2
        expect(medianInPlace(Float64Array.from(values))).toBeCloseTo(expected, 6)
      },
    ),
  )
  expect(medianInPlace(new Float64Array(0))).toBeNaN()
})
