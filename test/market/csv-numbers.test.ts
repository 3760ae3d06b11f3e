import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseCsvNumber, readDecimal } from '../../src/market/csv-number.ts'
import { type DateOrder, parseCsvTime } from '../../src/market/csv-time.ts'
import { readTime } from '../../src/market/csv-time-bytes.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const fast = (text: string) => readDecimal(bytesOf(text), 0, text.length, 46)

const decimal = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.stringMatching(/^\d{0,12}$/),
    fc.constantFrom('', '.'),
    fc.stringMatching(/^\d{0,9}$/),
  )
  .map(parts => parts.join(''))

test('a decimal of at most 15 digits is the same double as Number makes of its text', () => {
  fc.assert(
    fc.property(decimal, text => {
      const digits = text.replace(/\D/g, '').length
      // The second form of a number: 12.5 without a whole part or a fraction.
      if (digits >= 1 && digits <= 15 && !/\..*\./.test(text)) expect(fast(text)).toBe(Number(text))
      else expect(fast(text)).toBeNaN()
    }),
    { numRuns: 3000 },
  )
})

test('any price that a program prints is the same double again', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), price => {
      const text = String(price)
      const read = fast(text)
      expect(Number.isNaN(read) ? parseCsvNumber(text, 'point') : read).toBe(price)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['1,234.5', 'point', 1234.5],
  ['1.234,5', 'comma', 1234.5],
  ['$1,234.50', 'point', 1234.5],
  ['12,5 €', 'comma', 12.5],
  ['12.3M', 'point', 12_300_000],
  ['1,2B', 'comma', 1_200_000_000],
  ['1.1K', 'point', 1100],
  ["1'234.5", 'point', 1234.5],
  ['1 234,5', 'comma', 1234.5],
  ['1e3', 'point', 1000],
  ['1,23', 'point', null],
  ['1.23', 'comma', null],
  ['1,2,3', 'point', null],
  ['1.2.3', 'point', null],
  ['', 'point', null],
  ['.', 'point', null],
  ['-', 'point', null],
  ['12%', 'point', null],
  ['0x10', 'point', null],
  ['Infinity', 'point', null],
] as const)("'%s' in %s style is %p", (text, style, expected) => {
  expect(parseCsvNumber(text, style)).toBe(expected)
})

const two = (value: number) => String(value).padStart(2, '0')

test('times read from bytes are those read from text', () => {
  const part = fc.tuple(
    fc.integer({ min: 1890, max: 2110 }),
    fc.integer({ min: 0, max: 13 }),
    fc.integer({ min: 0, max: 32 }),
    fc.integer({ min: 0, max: 25 }),
    fc.integer({ min: 0, max: 61 }),
    fc.integer({ min: 0, max: 61 }),
  )
  const shapes = [
    (y: number, m: string, d: string) => `${y}-${m}-${d}`,
    (y: number, m: string, d: string) => `${y}.${m}.${d}`,
    (y: number, m: string, d: string) => `${y}${m}${d}`,
    (y: number, m: string, d: string) => `${m}/${d}/${y}`,
    (y: number, m: string, d: string) => `${d}.${m}.${y}`,
  ]
  const clock = fc.constantFrom('', ' H:M', 'TH:M:S', 'TH:M:SZ', ' H:M:S.123', 'TH:M:S.007Z', ' H')
  const order = fc.constantFrom<DateOrder | null>('day_first', 'month_first', null)
  fc.assert(
    fc.property(
      part,
      fc.constantFrom(...shapes),
      clock,
      order,
      ([y, m, d, h, min, s], shape, form, known) => {
        const time = form.replace('H', two(h)).replace('M', two(min)).replace('S', two(s))
        const text = `${shape(y, two(m), two(d))}${time}`
        const quick = readTime(bytesOf(text), 0, text.length, known)
        const slow = parseCsvTime(text, known)
        if (!Number.isNaN(quick)) expect(quick).toBe(slow)
      },
    ),
    { numRuns: 3000 },
  )
})

test('every day from 1900 to 2100 is the one that Date knows', () => {
  for (let timeMs = Date.UTC(1900, 0, 1); timeMs < Date.UTC(2100, 0, 1); timeMs += 86_400_000) {
    const text = new Date(timeMs).toISOString().slice(0, 10)
    if (readTime(bytesOf(text), 0, 10, null) !== timeMs) throw new Error(`${text} is read wrongly`)
  }
})

test('the unit of an epoch follows from its size', () => {
  const moment = 1_735_689_600
  for (const text of [`${moment}`, `${moment}000`, `${moment}000000`, `${moment}000000000`]) {
    const quick = readTime(bytesOf(text), 0, text.length, null)
    expect(parseCsvTime(text, null)).toBe(moment * 1000)
    if (!Number.isNaN(quick)) expect(quick).toBe(moment * 1000)
  }
})
