import { expect, test } from '@jest/globals'
import { parseRange } from '../../src/http/byte-range.ts'

test('one range of bytes is understood, from the front, from the end and open', () => {
  expect(parseRange('bytes=0-9', 100)).toEqual({ start: 0, end: 9 })
  expect(parseRange('bytes=90-', 100)).toEqual({ start: 90, end: 99 })
  expect(parseRange('bytes=-5', 100)).toEqual({ start: 95, end: 99 })
  expect(parseRange('bytes=50-500', 100)).toEqual({ start: 50, end: 99 })
  expect(parseRange('bytes=-500', 100)).toEqual({ start: 0, end: 99 })
})

test('what is not one range of bytes is ignored and the whole is sent', () => {
  for (const header of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=9-3',
    'bytes=0-1,5-6',
    'lines=1-2',
    'bytes=a-b',
  ]) {
    expect(parseRange(header, 100)).toBeNull()
  }
})

test('a range outside is refused', () => {
  for (const header of ['bytes=100-', 'bytes=200-300', 'bytes=-0']) {
    expect(() => parseRange(header, 100)).toThrow('It has 100 bytes.')
  }
  expect(() => parseRange('bytes=-5', 0)).toThrow('It has 0 bytes.')
})
