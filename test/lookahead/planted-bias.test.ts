import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { analyseLookahead } from '../../src/lookahead/lookahead.ts'
import type { ColumnSource, MarketView } from '../../src/lookahead/named-column.ts'
import { closeAhead, daysOf, hoursOf, joinedDays, meanOf, sourceOf, wholeSampleScore } from './planted.ts'

const hours = hoursOf(3, 480)
const market: MarketView = [{ symbol: 'BTC', bars: { '1h': hours, '1d': daysOf(hours) } }]
const deciding = { close_time: hours.close_time, from: 0, to: hours.length }

const analyse = (source: ColumnSource, cuts = 20, seed = 1, from = 0) =>
  analyseLookahead({ market, source, deciding: { ...deciding, from }, cuts, seed })

const mean = { name: 'mean', kind: 'indicator', values: meanOf(10) } as const
const above = (name: string) =>
  ({
    ...{ name: 'enter_long', kind: 'rule' },
    reads: [{ kind: 'indicator', name }],
    values: ({ close }, of) => close.map((price, i) => (price > (of[name]?.[i] ?? Number.NaN) ? 1 : 0)),
  }) as const satisfies Parameters<typeof sourceOf>[1][number]

test('a strategy that knows nothing too early is clean', () => {
  const { verdict, findings, columns, cuts } = analyse(sourceOf('1h', [mean, above('mean')]))
  expect({ verdict, findings, columns }).toEqual({ verdict: 'clean', findings: [], columns: 2 })
  expect(cuts).toHaveLength(20)
})

test('an indicator that uses the next close is named, and the rule that reads it is a consequence', () => {
  const next = { name: 'next', kind: 'indicator', values: closeAhead(1) } as const
  const { verdict, findings } = analyse(sourceOf('1h', [mean, next, above('next')]))
  expect(verdict).toBe('biased')
  expect(findings.map(({ kind, name, role, because_of }) => ({ kind, name, role, because_of }))).toEqual([
    { kind: 'indicator', name: 'next', role: 'root', because_of: [] },
    { kind: 'rule', name: 'enter_long', role: 'consequence', because_of: ['BTC 1h indicator next'] },
  ])
  const [root] = findings
  // The last known bar alone changes, at every cut but the last bar, behind which there is nothing.
  expect(root).toMatchObject({
    bars_back: 0,
    bars_differing: 1,
    cuts_differing: 19,
    largest_difference: null,
  })
  const bar = hours.time.indexOf(root?.first.bar_time ?? 0)
  expect(hours.close_time[bar]).toBe(root?.first.cut_time)
  expect(root?.first).toMatchObject({ whole: hours.close[bar + 1], truncated: null })
  expect(root?.reading).toMatch(
    /indicator next of the bar of 2024-\S+Z .* it knows at least one bar too much/,
  )
})

test('an indicator normalised over the whole sample is named', () => {
  const score = { name: 'score', kind: 'indicator', values: wholeSampleScore } as const
  const low = {
    ...{ name: '1h_score_low', kind: 'membership' },
    reads: [{ kind: 'indicator', name: 'score' }],
    values: (_bars, of) => (of.score ?? new Float64Array()).map(value => Math.max(0, Math.min(1, -value))),
  } as const satisfies Parameters<typeof sourceOf>[1][number]
  const { findings } = analyse(sourceOf('1h', [mean, score, low]))
  expect(findings.map(({ name, role }) => [name, role])).toEqual([
    ['score', 'root'],
    ['1h_score_low', 'consequence'],
  ])
  const [root] = findings
  expect(root?.first.bar_time).toBe(hours.time[0])
  expect(root?.bars_back).toBeGreaterThan(400)
  expect(root?.largest_difference).toBeGreaterThan(0.1)
})

describe('a daily value on hourly bars', () => {
  test('joined by close time is clean', () => {
    expect(analyse(joinedDays('close_time'))).toMatchObject({ verdict: 'clean', columns: 2 })
  })

  test('joined by open time is named, and not the daily value, which is clean', () => {
    const { verdict, findings } = analyse(joinedDays('time'), hours.length)
    expect(verdict).toBe('biased')
    expect(findings.map(({ name, timeframe, role }) => [name, timeframe, role])).toEqual([
      ['1d_daily_close_raw', '1d', 'root'],
    ])
    // It is known up to 23 hours too early.
    expect(findings[0]?.bars_back).toBe(22)
    expect(findings[0]?.reading).toMatch(/clean on its own 1d bars: .*a value used before its bar has closed/)
  })
})

test('whatever is read too early and however far ahead, it is what is named, with the distance', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.nat(1000),
      fc.integer({ min: 3, max: 30 }),
      (ahead, seed, cuts) => {
        const early = { name: 'early', kind: 'indicator', values: closeAhead(ahead) } as const
        // Behind every cut lie as many bars as are looked ahead.
        const { findings } = analyse(sourceOf('1h', [early, mean, above('early')]), cuts, seed, 12)
        expect(findings.filter(({ role }) => role === 'root').map(({ name }) => name)).toEqual(['early'])
        expect(findings[0]?.bars_back).toBe(ahead - 1)
      },
    ),
    { numRuns: 30 },
  )
})

test('of a chain the first that is at fault is the root, also where one between shows nothing', () => {
  const next = { name: 'next', kind: 'indicator', values: closeAhead(1) } as const
  const reads = (name: string) => [{ kind: 'indicator', name }] as const
  const chain = sourceOf('1h', [
    next,
    {
      name: 'twice',
      kind: 'indicator',
      reads: reads('next'),
      values: (_, of) => (of.next ?? []).map(v => 2 * v),
    },
    {
      name: 'sign',
      kind: 'indicator',
      reads: reads('twice'),
      values: (_, of) => (of.twice ?? []).map(() => 1),
    },
    { name: 'own', kind: 'indicator', reads: reads('sign'), values: closeAhead(2) },
  ])
  const { findings } = analyse(chain)
  expect(findings.map(({ name, role, because_of }) => [name, role, because_of])).toEqual([
    ['next', 'root', []],
    ['own', 'root', []],
    ['twice', 'consequence', ['BTC 1h indicator next']],
  ])
})

test('a difference in the last bit counts, and so does the sign of zero', () => {
  const bit = (name: string, value: (last: boolean) => number) =>
    ({
      name,
      kind: 'indicator',
      values: ({ length, close }) => close.map((_, i) => value(i === length - 1)),
    }) as const satisfies Parameters<typeof sourceOf>[1][number]
  const source = sourceOf('1h', [
    bit('last_bit', last => (last ? 1 + Number.EPSILON : 1)),
    bit('zero', last => (last ? -0 : 0)),
    bit('unknown', () => Number.NaN),
  ])
  expect(analyse(source).findings.map(({ name }) => name)).toEqual(['last_bit', 'zero'])
})

test('a column that does not stand on its bars is a mistake of the source, not a finding', () => {
  const short = sourceOf('1h', [
    { name: 'short', kind: 'indicator', values: ({ close }) => close.subarray(1) },
  ])
  expect(() => analyse(short)).toThrow(/short has 479 values|values for/)
})
