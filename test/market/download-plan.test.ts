import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type DownloadMode,
  earliestMs,
  isAnswered,
  joinNear,
  planDownload,
} from '../../src/market/download-plan.ts'

const day = (n: number) => Date.UTC(2024, 0, n)
const stored = {
  firstMs: day(10),
  lastMs: day(20),
  fetched: [
    { start: day(10), end: day(14) },
    { start: day(16), end: day(21) },
  ],
}
const plan = (mode: DownloadMode, start: number | null, end: number, span: typeof stored | null = stored) =>
  planDownload(mode, '1d', { start, end }, span)

test('without anything stored everything is asked for, of the tail the last 1,000 bars', () => {
  for (const mode of ['full', 'backfill', 'range'] as const)
    expect(plan(mode, null, day(30), null)).toEqual([{ start: earliestMs, end: day(30) }])
  expect(plan('tail', null, day(30), null)).toEqual([{ start: day(30) - 1_000 * 86_400_000, end: day(30) }])
  expect(plan('tail', day(5), day(30), null)).toEqual([{ start: day(5), end: day(30) }])
})

test('full asks for what is before, between and after what was answered', () => {
  expect(plan('full', day(1), day(30))).toEqual([
    { start: day(1), end: day(10) },
    { start: day(14), end: day(16) },
    { start: day(21), end: day(30) },
  ])
  expect(plan('full', day(16), day(20))).toEqual([])
})

test('a tail begins behind the last bar, a backfill ends before what was answered, a range asks for all', () => {
  expect(plan('tail', null, day(30))).toEqual([{ start: day(20) + 1, end: day(30) }])
  expect(plan('tail', null, day(20))).toEqual([])
  expect(plan('range', day(12), day(30))).toEqual([{ start: day(12), end: day(30) }])
})

test('a backfill closes the hole that a stopped one has left, and leaves imported bars alone', () => {
  expect(plan('backfill', day(1), day(30))).toEqual([
    { start: day(1), end: day(10) },
    { start: day(14), end: day(16) },
  ])
  expect(plan('backfill', day(1), day(30), { ...stored, fetched: [] })).toEqual([
    { start: day(1), end: day(10) },
  ])
})

test('nothing outside the wanted range is ever asked for, and no plan has an empty or backward span', () => {
  const time = fc.integer({ min: 1, max: 60 }).map(day)
  const interval = fc.tuple(time, time).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))
  fc.assert(
    fc.property(
      fc.constantFrom<DownloadMode>('full', 'tail', 'backfill', 'range'),
      interval,
      interval,
      fc.array(interval, { maxLength: 5 }),
      (mode, wanted, { start: firstMs, end: lastMs }, fetched) => {
        const spans = planDownload(mode, '1d', wanted, { firstMs, lastMs, fetched })
        for (const { start, end } of spans)
          expect(start >= wanted.start && end <= wanted.end && start < end).toBe(true)
      },
    ),
  )
})

test('what was told is known again only when the dataset still knows all of it', () => {
  expect(isAnswered([{ start: day(11), end: day(13) }], stored)).toBe(true)
  expect(isAnswered([{ start: day(11), end: day(15) }], stored)).toBe(false)
  expect(isAnswered([], null)).toBe(true)
  expect(isAnswered([{ start: day(11), end: day(13) }], null)).toBe(false)
})

test('gaps close together are one request', () => {
  const gaps = [1, 3, 9].map(n => ({ start: day(n), end: day(n + 1) }))
  expect(joinNear(gaps, 2 * 86_400_000)).toEqual([
    { start: day(1), end: day(4) },
    { start: day(9), end: day(10) },
  ])
})
