import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Bars, checkBars } from '../../src/market/bars.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { Problem } from '../../src/problems.ts'

function read(text: string, timeframe: Timeframe = '1d'): Bars {
  const reader = new CsvBarsReader({ timeframe })
  reader.write(text)
  return reader.end()
}

const iso = (bars: Bars) => [...bars.time].map(time => new Date(time).toISOString().replace('.000Z', 'Z'))

const aapl = readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv')

test('five years of daily Apple bars are read and pass the check', () => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(aapl)
  const bars = reader.end()
  checkBars(bars)
  expect(bars.length).toBe(1260)
  expect(iso(bars)[0]).toBe('2013-05-13T00:00:00Z')
  expect(bars.open[0]).toBe(64.501427)
  expect(bars.close[0]).toBe(64.96286)
  expect(bars.volume[0]).toBe(79_237_200)
  expect(reader.warnings).toEqual([])
})

test.each([
  ['commas', 'Date,Open,High,Low,Close,Volume\n2024-01-02,1,3,0.5,2,10\n'],
  ['semicolons', 'date;open;high;low;close;volume\n2024-01-02;1;3;0.5;2;10'],
  ['tabs', 'TIMESTAMP\tO\tH\tL\tC\tV\r\n2024-01-02\t1\t3\t0.5\t2\t10\r\n'],
  [
    'bars and padding',
    '\n Datetime | Open | High | Low | Close | Vol \n2024-01-02 | 1 | 3 | 0.5 | 2 | 10\n\n',
  ],
  [
    'a byte order mark and quotes',
    '\uFEFF"Date Time","Open","High","Low","Close","Volume"\n"2024-01-02","1","3","0.5","2","10"\n',
  ],
  [
    'angle brackets',
    '<TICKER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\nX,20240102,000000,1,3,0.5,2,10\n',
  ],
  ['numbered names', 'timestamp,1. open,2. high,3. low,4. close,5. volume\n2024-01-02,1,3,.5,2,1e1\n'],
])('a file with %s is read', (_name, text) => {
  const bars = read(text)
  expect(iso(bars)).toEqual(['2024-01-02T00:00:00Z'])
  expect([bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]]).toEqual([1, 3, 0.5, 2, 10])
  expect(bars.close_time[0]).toBe(Date.UTC(2024, 0, 3))
})

test.each([
  ['2024-01-02', '2024-01-02T00:00:00Z'],
  ['20240102', '2024-01-02T00:00:00Z'],
  ['2024-01-02 15:30', '2024-01-02T15:30:00Z'],
  ['2024-01-02 9:30', '2024-01-02T09:30:00Z'],
  ['2024-01-02 15:30:05', '2024-01-02T15:30:05Z'],
  ['2024-01-02T15:30:05', '2024-01-02T15:30:05Z'],
  ['2024-01-02T15:30:05Z', '2024-01-02T15:30:05Z'],
  ['2024-01-02T15:30:00-05:00', '2024-01-02T20:30:00Z'],
  ['2024-01-02 15:30:00+0530', '2024-01-02T10:00:00Z'],
  ['2024-01-02 15:30:00 UTC', '2024-01-02T15:30:00Z'],
  ['1704209400', '2024-01-02T15:30:00Z'],
  ['1704209400000', '2024-01-02T15:30:00Z'],
])('the time %s is %s', (written, meant) => {
  expect(iso(read(`time,open,high,low,close\n${written},1,1,1,1\n`))).toEqual([meant])
})

test.each(['2024-02-30', '2024-13-01', '2024-01-02 25:00', 'yesterday', '', '24-01-02'])(
  "the time '%s' is refused",
  written => {
    expect(() => read(`time,open,high,low,close\n${written},1,1,1,1\n`)).toThrow(/is not a time/)
  },
)

test('rows that are newest first are turned round', () => {
  const bars = read('date,open,high,low,close\n2024-01-04,3,3,3,3\n2024-01-03,2,2,2,2\n2024-01-02,1,1,1,1\n')
  expect([...bars.close]).toEqual([1, 2, 3])
})

test('a missing volume column is 0 and is reported', () => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write('date,open,high,low,close\n2024-01-02,1,1,1,1\n')
  expect([...reader.end().volume]).toEqual([0])
  expect(reader.warnings).toEqual(['The file has no volume column: volume is 0 in every bar.'])
})

test('raw closes are stored, not adjusted ones', () => {
  expect([...read('date,adj close,open,high,low,close\n2024-01-02,9,1,3,1,2\n').close]).toEqual([2])
})

/** What reading gives, faults included, when the text arrives cut at these places. */
function outcome(bytes: Uint8Array, cuts: readonly number[], asText: boolean): unknown {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  const ends = [...cuts.map(cut => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  let start = 0
  try {
    for (const end of ends) {
      const chunk = bytes.subarray(start, end)
      reader.write(asText ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(chunk) : chunk)
      start = end
    }
    return reader.end()
  } catch (error) {
    if (error instanceof Problem) return error.toData()
    throw error
  }
}

test('how the text is cut into chunks never changes the result', () => {
  const cell = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('1', '2.5', ' 3 ', '"4"') },
    fc.constantFrom('', '"', 'x', '-1', 'é'),
  )
  const row = fc
    .tuple(fc.constantFrom('2024-01-02', '2024-01-03', '2024-01-04', '"2024-01-05"'), cell, cell)
    .map(([date, price, volume]) => `${date},${price},${price},${price},${price},${volume}`)
  const text = fc
    .tuple(fc.constantFrom('\n', '\r\n'), fc.array(row, { maxLength: 30 }), fc.boolean())
    .map(
      ([end, rows, mark]) => `${mark ? '\uFEFF' : ''}date,open,high,low,close,volume${end}${rows.join(end)}`,
    )
  fc.assert(
    fc.property(text, fc.array(fc.nat(2000), { maxLength: 12 }), (content, cuts) => {
      const bytes = new TextEncoder().encode(content)
      expect(outcome(bytes, cuts, false)).toEqual(outcome(bytes, [], true))
    }),
  )
})

test('a real file read byte by byte gives the same bars', () => {
  const bytes = aapl.subarray(0, 2000)
  expect(outcome(bytes, [...bytes.keys()], false)).toEqual(outcome(bytes, [], false))
})
