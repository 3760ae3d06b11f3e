import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { adjustBars, barDateMs, unadjustSplits } from '../../src/market/adjust.ts'
import { type Bars, barFields, firstBarAt, sliceBars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { adjustments, type CorporateAction, rawActions } from '../../src/market/corporate-action.ts'
import { closeTimeMs, dayMs } from '../../src/market/timeframe.ts'
import { Problem } from '../../src/problems.ts'
import { anyBars, barsOf, barsOfCloses, mondayMs } from '../fixtures/bars.ts'

const calendar = new Calendars().get('XNYS')
const daily = { timeframe: '1d', calendar } as const
const dateOf = (day: number) => new Date(mondayMs + day * dayMs).toISOString().slice(0, 10)
const split = (day: number, ratio: number): CorporateAction => ({
  kind: 'split',
  ex_date: dateOf(day),
  ratio,
})
const dividend = (day: number, amount: number): CorporateAction => ({
  kind: 'dividend',
  ex_date: dateOf(day),
  amount,
})
const total = (bars: Bars, actions: readonly CorporateAction[]) => [
  ...adjustBars(bars, { ...daily, actions, adjustment: 'total' }).close,
]

const anyActions = fc.array(
  fc.oneof(
    fc
      .tuple(fc.integer({ min: -3, max: 45 }), fc.constantFrom(2, 3, 7, 1.5, 0.1))
      .map(([day, ratio]) => split(day, ratio)),
    fc
      .tuple(fc.integer({ min: -3, max: 45 }), fc.double({ min: 0, max: 0.05, noNaN: true }))
      .map(([day, amount]) => dividend(day, amount)),
  ),
  { maxLength: 5 },
)

describe('splits', () => {
  test('prices before a split are divided by its ratio and volumes multiplied, from the ex-date on nothing changes', () => {
    const before = { open: 690, high: 720, low: 680, close: 700, volume: 10 }
    const after = { open: 99, high: 101, low: 98, close: 100, volume: 90 }
    const bars = barsOf([before, before, after])
    const adjusted = adjustBars(bars, { ...daily, actions: [split(2, 7)], adjustment: 'split' })
    expect([...adjusted.close]).toEqual([100, 100, 100])
    expect([...adjusted.high]).toEqual([720 / 7, 720 / 7, 101])
    expect([...adjusted.volume]).toEqual([70, 70, 90])
    expect([...bars.close]).toEqual([700, 700, 100])
  })

  test('several splits multiply, in whatever order they are listed', () => {
    const bars = barsOfCloses([1200, 300, 100, 10])
    const actions = [split(3, 0.5), split(1, 4), split(2, 3)]
    const { close } = adjustBars(bars, { ...daily, actions, adjustment: 'split' })
    expect([...close]).toEqual([200, 200, 200, 10])
  })

  test('a split after the last bar still divides: the bars are shown in the shares of today', () => {
    const { close } = adjustBars(barsOfCloses([8, 8]), {
      ...daily,
      actions: [split(9, 4)],
      adjustment: 'split',
    })
    expect([...close]).toEqual([2, 2])
  })

  test('an adjustment that is undone gives back every price and volume to 1e-12', () => {
    fc.assert(
      fc.property(anyBars(1, 40), anyActions, (bars, actions) => {
        const there = adjustBars(bars, { ...daily, actions, adjustment: 'split' })
        const back = unadjustSplits(there, { ...daily, actions })
        for (const field of barFields)
          for (let i = 0; i < bars.length; i++)
            expect(
              Math.abs((back[field][i] as number) / ((bars[field][i] as number) || 1) - 1),
            ).toBeLessThanOrEqual(bars[field][i] === 0 ? 1 : 1e-12)
      }),
    )
  })
})

describe('dividends', () => {
  // By hand: D = 2 on a close of 100 is the factor 0.98; D = 1 on 49 is 48/49.
  test('closes before a dividend are multiplied by 1 − D / C, volume stays', () => {
    const bars = barsOf([
      { open: 50, high: 50, low: 50, close: 50, volume: 7 },
      { open: 100, high: 100, low: 100, close: 100, volume: 7 },
      { open: 99, high: 99, low: 99, close: 99, volume: 7 },
    ])
    const adjusted = adjustBars(bars, { ...daily, actions: [dividend(2, 2)], adjustment: 'total' })
    expect([...adjusted.close]).toEqual([49, 98, 99])
    expect([...adjusted.volume]).toEqual([7, 7, 7])
  })

  test('factors of later dividends multiply', () => {
    const closes = total(barsOfCloses([100, 49, 60]), [dividend(1, 2), dividend(2, 1)])
    expect(closes[0]).toBeCloseTo(100 * 0.98 * (48 / 49), 12)
    expect(closes[1]).toBeCloseTo(48, 12)
    expect(closes[2]).toBe(60)
  })

  test('a dividend on the date of a split is measured against the close in new shares', () => {
    // 200 before a 2:1 split is 100 per new share; a dividend of 10 is a tenth of it.
    expect(total(barsOfCloses([200, 90]), [dividend(1, 10), split(1, 2)])).toEqual([90, 90])
  })

  test('a dividend before a later split is measured in old shares', () => {
    expect(total(barsOfCloses([100, 90, 45]), [dividend(1, 10), split(2, 2)])).toEqual([45, 45, 45])
  })

  test('a dividend without a bar on both sides has no effect', () => {
    expect(total(barsOfCloses([10, 11]), [dividend(0, 1), dividend(-4, 1), dividend(2, 1)])).toEqual([10, 11])
  })

  test('adjustment split ignores dividends', () => {
    const options = { ...daily, actions: [dividend(1, 1)], adjustment: 'split' } as const
    expect([...adjustBars(barsOfCloses([10, 11]), options).close]).toEqual([10, 11])
  })

  test('a dividend that is not below the price is refused and its date named', () => {
    expect(() => total(barsOfCloses([10, 11]), [dividend(1, 10)])).toThrow(Problem)
    expect(() => total(barsOfCloses([10, 11]), [dividend(1, 10)])).toThrow('2024-01-02')
  })

  test('amounts stated per share of today become amounts per share of the ex-date', () => {
    const actions = [dividend(0, 0.5), dividend(5, 1), dividend(9, 2), split(5, 7), split(7, 2)]
    const amounts = rawActions(actions).flatMap(action => (action.kind === 'dividend' ? [action.amount] : []))
    expect(amounts).toEqual([7, 2, 2])
  })
})

describe('which bars are before an action', () => {
  test('intraday bars follow the session date, also where the session opens on the evening before', () => {
    const forex = new Calendars().get('24-5')
    // Monday 2024-07-01 17:00 in New York is 21:00 UTC: the session of Tuesday opens.
    expect(barDateMs(Date.UTC(2024, 6, 1, 20, 59), '1m', forex)).toBe(Date.UTC(2024, 6, 1))
    expect(barDateMs(Date.UTC(2024, 6, 1, 21), '1m', forex)).toBe(Date.UTC(2024, 6, 2))
  })

  test('bars outside the session follow the local date of the market', () => {
    // 20:30 in New York in summer is past midnight in UTC.
    expect(barDateMs(Date.UTC(2024, 6, 2, 0, 30), '30m', calendar)).toBe(Date.UTC(2024, 6, 1))
    expect(barDateMs(Date.UTC(2024, 6, 2, 8), '30m', calendar)).toBe(Date.UTC(2024, 6, 2))
  })

  test('a week with the ex-date inside counts as before', () => {
    const bars = barsOf(
      [700, 700, 100].map(p => ({ open: p, high: p, low: p, close: p })),
      '1w',
      7 * dayMs,
    )
    const options = { timeframe: '1w', calendar, adjustment: 'split' } as const
    expect([...adjustBars(bars, { ...options, actions: [split(9, 7)] }).close]).toEqual([100, 100, 100])
    expect([...adjustBars(bars, { ...options, actions: [split(7, 7)] }).close]).toEqual([100, 700, 100])
  })
})

test('adjustment none is the same object', () => {
  const bars = barsOfCloses([1, 2])
  expect(adjustBars(bars, { ...daily, actions: [split(1, 2)], adjustment: 'none' })).toBe(bars)
})

test('a return across a bar without an action is the same in every adjustment', () => {
  fc.assert(
    fc.property(anyBars(2, 40), anyActions, fc.constantFrom(...adjustments), (bars, actions, adjustment) => {
      const adjusted = adjustBars(bars, { ...daily, actions, adjustment })
      const eventDays = new Set(actions.map(action => Date.parse(action.ex_date)))
      for (let i = 1; i < bars.length; i++) {
        if (eventDays.has(bars.time[i] as number)) continue
        const raw = (bars.close[i] as number) / (bars.close[i - 1] as number)
        expect((adjusted.close[i] as number) / (adjusted.close[i - 1] as number) / raw).toBeCloseTo(1, 12)
      }
    }),
  )
})

test.each([
  [{ kind: 'split', ex_date: '2024-02-31', ratio: 2 }],
  [{ kind: 'split', ex_date: 'soon', ratio: 2 }],
  [{ kind: 'split', ex_date: '2024-02-01', ratio: 0 }],
  [{ kind: 'dividend', ex_date: '2024-02-01', amount: -1 }],
  [{ kind: 'dividend', ex_date: '2024-02-01', amount: Number.NaN }],
] as const)('the action %j is refused', action => {
  const adjust = () => adjustBars(barsOfCloses([1, 2]), { ...daily, actions: [action], adjustment: 'split' })
  expect(adjust).toThrow(Problem)
})

// Yahoo's Close (split-adjusted) and Adj Close of AAPL as fetched in May 2018, from
// @observablehq/sample-datasets; the dividends are Apple's, per share as paid (investor.apple.com).
describe('AAPL, May 2013 to May 2018, as Yahoo published it', () => {
  const published = readSample()
  const apple: CorporateAction[] = [
    { kind: 'split', ex_date: '2014-06-09', ratio: 7 },
    ...(
      [
        ['2013-08-08', 3.05],
        ['2013-11-06', 3.05],
        ['2014-02-06', 3.05],
        ['2014-05-08', 3.29],
        ['2014-08-07', 0.47],
        ['2014-11-06', 0.47],
        ['2015-02-05', 0.47],
        ['2015-05-07', 0.52],
        ['2015-08-06', 0.52],
        ['2015-11-05', 0.52],
        ['2016-02-04', 0.52],
        ['2016-05-05', 0.57],
        ['2016-08-04', 0.57],
        ['2016-11-03', 0.57],
        ['2017-02-09', 0.57],
        ['2017-05-11', 0.63],
        ['2017-08-10', 0.63],
        ['2017-11-10', 0.63],
        ['2018-02-09', 0.63],
        ['2018-05-11', 0.73],
      ] as const
    ).map(([ex_date, amount]) => ({ kind: 'dividend' as const, ex_date, amount })),
  ]
  const raw = unadjustSplits(published.bars, { ...daily, actions: apple })

  test('undoing the split gives the prices of the tape: 454.74 on 2013-05-13, 645.57 before the split, 93.70 after', () => {
    const closeOn = (date: string) => sliceBars(raw, Date.parse(date), null).close[0] as number
    expect(closeOn('2013-05-13')).toBeCloseTo(454.74, 2)
    expect(closeOn('2014-06-06')).toBeCloseTo(645.57, 2)
    expect(closeOn('2014-06-09')).toBeCloseTo(93.7, 2)
  })

  const worstAgainstPublished = (adjusted: Bars, from: number) => {
    let worst = 0
    for (let i = from; i < raw.length; i++)
      worst = Math.max(worst, Math.abs((adjusted.close[i] as number) / (published.adjusted[i] as number) - 1))
    return worst
  }

  test('total adjustment reproduces the adjusted closes since the split', () => {
    const adjusted = adjustBars(raw, { ...daily, actions: apple, adjustment: 'total' })
    expect(raw.length).toBe(1260)
    expect(worstAgainstPublished(adjusted, firstBarAt(raw, Date.parse('2014-06-09')))).toBeLessThan(2e-6)
  })

  // In 2018 Yahoo subtracted dividends per old share (3.05) from closes per new share (66.43), seven times too
  // much. With the amounts misstated in the same way the whole file must come out.
  test('total adjustment reproduces the adjusted closes before the split, given the amounts they were made with', () => {
    const misstated = apple.map(action =>
      action.kind === 'dividend' && action.ex_date < '2014-06-09'
        ? { ...action, amount: action.amount * 7 }
        : action,
    )
    const adjusted = adjustBars(raw, { ...daily, actions: misstated, adjustment: 'total' })
    expect(worstAgainstPublished(adjusted, 0)).toBeLessThan(2e-6)
  })

  test('amounts as Yahoo states them lead to the same closes', () => {
    const stated = apple.map(action =>
      action.kind === 'dividend' && action.ex_date < '2014-06-09'
        ? { ...action, amount: action.amount / 7 }
        : action,
    )
    const one = adjustBars(raw, { ...daily, actions: rawActions(stated), adjustment: 'total' })
    const other = adjustBars(raw, { ...daily, actions: apple, adjustment: 'total' })
    for (let i = 0; i < raw.length; i++)
      expect((one.close[i] as number) / (other.close[i] as number)).toBeCloseTo(1, 12)
  })
})

function readSample(): { bars: Bars; adjusted: number[] } {
  const path = new URL('../../node_modules/@observablehq/sample-datasets/aapl.csv', import.meta.url)
  const builder = new BarsBuilder()
  const adjusted: number[] = []
  for (const line of readFileSync(path, 'utf8').trim().split('\n').slice(1)) {
    const [date, open, high, low, close, adj, volume] = line.split(',')
    const time = Date.parse(date as string)
    const [o, h, l, c, v] = [open, high, low, close, volume].map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ]
    builder.append({
      time,
      close_time: closeTimeMs(time, '1d'),
      open: o,
      high: h,
      low: l,
      close: c,
      volume: v,
    })
    adjusted.push(Number(adj))
  }
  return { bars: builder.build(), adjusted }
}
