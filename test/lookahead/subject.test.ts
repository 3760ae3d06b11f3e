import { expect, test } from '@jest/globals'
import { barsKnownAt, viewAt, windowAt } from '../../src/lookahead/market-view.ts'
import { openSubject } from '../../src/lookahead/subject.ts'
import { type Bars, sliceBars } from '../../src/market/bars.ts'
import { daysOf, hoursOf, meanOf, sourceOf } from './planted.ts'

const hours = hoursOf(1, 240)
const session = hours.time.map(time => Math.floor(time / 86_400_000))
const market = [{ symbol: 'BTC', bars: { '1h': { ...hours, session }, '1d': daysOf(hours) } }]
const source = sourceOf('1h', [{ name: 'mean', kind: 'indicator', values: meanOf(3) }])
const hourMs = 3_600_000
const at = (hour: number) => hours.time[hour]!

test('decisions begin at the close of the first bar of the range, and nothing opens after its end', () => {
  const {
    deciding,
    market: cut,
    whole,
  } = openSubject(market, source, { base: '1h', start: at(50), end: at(100) })
  expect([deciding.from, deciding.to]).toEqual([50, 100])
  expect(deciding.close_time[50]).toBe(at(50) + hourMs)
  const { '1h': base, '1d': days } = cut[0]!.bars
  expect([base!.length, base!.session!.length, days!.length]).toEqual([100, 100, 5])
  expect(whole[0]!.values).toHaveLength(100)
})

test('without a range all bars decide', () => {
  const { deciding } = openSubject(market, source, { base: '1h', start: null, end: null })
  expect([deciding.from, deciding.to]).toEqual([0, 240])
})

test('a range without bars is refused', () => {
  const range = { base: '1h', start: at(239) + hourMs, end: null } as const
  expect(() => openSubject(market, source, range)).toThrow(/no 1h bar opens in the requested range/)
})

test('several symbols decide at the closes of any of them, each once', () => {
  const later = sliceBars(hours, at(20), at(30))
  const shifted: Bars = { ...later, close_time: later.close_time.map((time, i) => (i < 5 ? time : time + 1)) }
  const both = [...market, { symbol: 'ETH', bars: { '1h': shifted } }]
  const { deciding } = openSubject(both, source, { base: '1h', start: at(25), end: null })
  expect([deciding.from, deciding.to]).toEqual([25, 245])
  expect(deciding.close_time.every((time, i) => i === 0 || time > deciding.close_time[i - 1]!)).toBe(true)
})

test('a view holds what had closed, with its sessions: the day that is forming is not in it', () => {
  const { '1h': base, '1d': days } = viewAt(market, at(49))[0]!.bars
  // Hour 48 closes as hour 49 opens, one hour into the third day.
  expect([base!.length, base!.session!.length, days!.length]).toEqual([49, 49, 2])
  expect(viewAt(market, at(48))[0]!.bars['1d']!.length).toBe(2)
  expect(viewAt(market, at(48) - 1)[0]!.bars['1d']!.length).toBe(1)
  expect(viewAt(market, at(0))[0]!.bars['1h']!.length).toBe(0)
})

test('a window holds so many bars of each timeframe before the last one', () => {
  const { '1h': base, '1d': days } = windowAt(market, at(100), 1)[0]!.bars
  expect([...base!.time]).toEqual([at(98), at(99)])
  expect([...base!.session!]).toEqual([session[98], session[99]])
  expect([...days!.time]).toEqual([at(48), at(72)])
})

test('bars are counted by their close', () => {
  const close = Float64Array.of(10, 20, 20, 30)
  expect([9, 10, 19, 20, 30, 31].map(time => barsKnownAt(close, time))).toEqual([0, 1, 1, 3, 4, 4])
})
