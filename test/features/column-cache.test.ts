import { expect, test } from '@jest/globals'
import { ColumnCache } from '../../src/features/column-cache.ts'

const column = (length: number) => new Float64Array(length).fill(7)
const bars = { close: column(10) }

test('releasing gives back the memory of what is no longer kept, and of nothing else', () => {
  const cache = new ColumnCache(160, { isReleased: true })
  const [first, second, third] = [column(10), column(10), column(10)]
  cache.read(bars, 'first', () => ({ value: first }))
  cache.read(bars, 'second', () => ({ value: second }))
  cache.release()
  expect([first.length, second.length]).toEqual([10, 10])
  cache.read(bars, 'third', () => ({ value: third }))
  expect(first.length).toBe(10)
  cache.release()
  expect([first.length, second.length, third.length]).toEqual([0, 10, 10])
  expect(cache.read(bars, 'first', () => ({ value: column(10) })).value).toEqual(column(10))
})

test('releasing gives back what was too large to be kept', () => {
  const cache = new ColumnCache(40, { isReleased: true })
  const { value } = cache.read(bars, 'large', () => ({ value: column(10) }))
  cache.release()
  expect(value?.length).toBe(0)
})

test('clearing gives back everything but the memory of the bars', () => {
  const cache = new ColumnCache(800, { isReleased: true })
  const kept = column(10)
  cache.read(bars, 'kept', () => ({ value: kept }))
  cache.read(bars, 'the close itself', () => ({ value: bars.close }))
  cache.clear()
  expect([kept.length, bars.close.length, cache.byteLength]).toEqual([0, 10, 0])
})

test('memory of the bars, and memory that a kept column shares, is never given back', () => {
  const cache = new ColumnCache(80, { isReleased: true })
  const both = column(20)
  cache.read(bars, 'the close itself', () => ({ value: bars.close }))
  cache.read(bars, 'one half', () => ({ value: both.subarray(0, 10) }))
  cache.read(bars, 'the other', () => ({ value: both.subarray(10) }))
  cache.release()
  expect([bars.close.length, both.length]).toEqual([10, 20])
})

test('without a word about releasing, what is dropped stays as it is for whoever reads it', () => {
  const cache = new ColumnCache(40)
  const { value } = cache.read(bars, 'large', () => ({ value: column(10) }))
  cache.release()
  expect(value).toEqual(column(10))
})

test('those who allocate get the memory of what was read last before the release, never of what was read since', () => {
  const cache = new ColumnCache(240, { isReleased: true })
  const kept = [1, 2, 3].map(number => {
    const [into] = cache.allocate(1, 10) ?? []
    if (into === undefined) throw new Error('nothing was allocated')
    cache.keep(bars, `column ${number}`, { value: into.fill(number) })
    return into
  })
  const lengths = () => kept.map(({ length }) => length)
  expect(cache.allocate(1, 10)?.[0]?.[0]).toBe(0)
  expect(lengths()).toEqual([10, 10, 10])
  cache.release()
  cache.find(bars, 'column 1')
  expect(cache.allocate(1, 10)?.[0]?.[0]).toBe(2)
  expect(lengths()).toEqual([10, 0, 10])
  expect(cache.allocate(2, 10)?.map(([first]) => first)).toEqual([3, 0])
  expect(lengths()).toEqual([10, 0, 0])
  expect(cache.find(bars, 'column 1')?.value).toEqual(new Float64Array(10).fill(1))
  expect([cache.find(bars, 'column 3'), cache.allocate(4, 10)]).toEqual([null, null])
})
