import { expect, test } from '@jest/globals'
import { CsvBarsReader, maxCsvLine } from '../../src/market/csv.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { Problem } from '../../src/problems.ts'

function refusal(text: string | Uint8Array, timeframe: Timeframe = '1d'): Problem {
  const reader = new CsvBarsReader({ timeframe })
  try {
    reader.write(text)
    reader.end()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the text was accepted')
}

const header = 'Date,Open,High,Low,Close,Volume\n'

test('a bad cell is named by line, column name and position', () => {
  const { code, errors } = refusal(`${header}2024-01-02,1,1,1,1,1\n2024-01-03,1,1,abc,1,1\n`)
  expect(code).toBe('bars-invalid')
  expect(errors).toEqual([
    {
      pointer: '/lines/3/Low',
      code: 'number',
      message: "line 3, column Low: low 'abc' is not a number",
      line: 3,
      column: 16,
    },
  ])
})

test('all faults are reported at once, up to 20', () => {
  expect(
    refusal(`${header}2024-01-02,,1,1,null,1\n2024-01-03,1,2,3,1,1\nnever,1,1,1,1,1\n`).errors.map(
      e => `${e.line} ${e.code}`,
    ),
  ).toEqual(['2 number', '2 number', '3 high_below_low', '4 time'])
  expect(refusal(header + 'x,1,1,1,1,1\n'.repeat(1000)).errors).toHaveLength(20)
})

test('a repeated time and a time out of order are faults of their row', () => {
  const rows = ['2024-01-02', '2024-01-03', '2024-01-03', '2024-01-05', '2024-01-04']
  const { errors } = refusal(header + rows.map(date => `${date},1,1,1,1,1\n`).join(''))
  expect(errors.map(e => `${e.line} ${e.code}`)).toEqual(['4 duplicate', '6 order'])
})

test('rows closer together than the timeframe are refused', () => {
  const minutes = `${header}2024-01-02 10:00,1,1,1,1,1\n2024-01-02 10:01,1,1,1,1,1\n`
  expect(refusal(minutes, '1h').errors.map(e => e.code)).toEqual(['overlap'])
})

test('days stamped at local midnight may be 23 hours apart', () => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(`${header}2024-03-10T00:00:00-05:00,1,1,1,1,1\n2024-03-11T00:00:00-04:00,1,1,1,1,1\n`)
  expect(reader.end().length).toBe(2)
})

test('every missing column is named', () => {
  expect(refusal('Tag,Open,High,Low,Last\n').errors.map(e => e.message)).toEqual([
    'line 1: there is no time column (Date, Time, Timestamp or Datetime)',
    'line 1: there is no close column',
  ])
})

test('two columns with the same meaning are refused', () => {
  expect(refusal('date,open,high,low,close,CLOSE\n').message).toContain("two columns are named like 'CLOSE'")
})

test.each([
  ['nothing', ''],
  ['a header alone', header],
])('a text with %s is refused', (_name, text) => {
  expect(refusal(text).errors.map(e => e.code)).toEqual(['empty'])
})

test('a row with too few cells and one with an open quote are refused', () => {
  const { errors } = refusal(`${header}2024-01-02,1,1\n2024-01-03,"1,1,1,1,1\n`)
  expect(errors.map(e => `${e.line} ${e.code}`)).toEqual(['2 cells', '3 quotes'])
})

test('a line without end is refused before it fills the memory', () => {
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(header)
  const write = () => {
    for (let i = 0; i < 100; i++) reader.write('x'.repeat(maxCsvLine / 10))
  }
  expect(write).toThrow(/longer than/)
})

test('a text in another encoding is refused', () => {
  expect(refusal(Uint8Array.of(0xff, 0xfe, 0x44, 0x00)).message).toContain('UTF-8')
})
