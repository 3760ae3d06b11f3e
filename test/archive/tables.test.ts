import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { barsTable } from '../../src/archive/bars.ts'
import { renderTable } from '../../src/archive/render.ts'
import { decodeTable, encodeTable, type Table } from '../../src/archive/tables.ts'
import { makeBars } from './folder.ts'

const times = [Date.UTC(1969, 11, 31, 23, 59, 59, 999), Date.UTC(2018, 4, 11), Number.NaN]

const mixed: Table = {
  rows: 3,
  columns: [
    { name: 'at', kind: 'time', values: Float64Array.from(times) },
    { name: 'price', kind: 'number', unit: 'currency', values: Float64Array.of(1.5, Number.NaN, -0.1) },
    { name: 'count', kind: 'integer', values: Float64Array.of(-1, 2 ** 53 - 1, Number.NaN) },
    { name: 'note', kind: 'text', values: ['a,"b"\nc', null, 'é'] },
    { name: 'open', kind: 'boolean', values: [true, false, null] },
  ],
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('a table comes back from Arrow with every kind, unit and null', () => {
  expect(decodeTable(encodeTable(mixed))).toEqual(mixed)
})

test('columns that share memory keep their values', () => {
  const memory = Float64Array.from({ length: 24 }, (_, i) => i)
  const ranges = [
    [0, 8],
    [0, 8],
    [4, 12],
    [16, 24],
    [8, 16],
  ] as const
  const columns = ranges.map(([start, end], i) => ({
    name: `c${i}`,
    kind: 'number' as const,
    values: memory.subarray(start, end),
  }))
  expect(decodeTable(encodeTable({ rows: 8, columns }))).toEqual({ rows: 8, columns })
})

test('a table of no rows comes back', () => {
  const empty = barsTable(makeBars(0))
  expect(decodeTable(encodeTable(empty))).toEqual(empty)
})

test('number columns are views of the file, and a file at an odd offset is read as well', () => {
  const bytes = encodeTable(barsTable(makeBars(100)))
  const aligned = new Uint8Array(bytes)
  const close = decodeTable(aligned).columns.find(column => column.name === 'close')
  expect(close?.kind === 'number' && close.values.buffer).toBe(aligned.buffer)
  const shifted = new Uint8Array(bytes.length + 1)
  shifted.set(bytes, 1)
  expect(decodeTable(shifted.subarray(1))).toEqual(decodeTable(aligned))
})

test('texts and booleans of any length come back as they were, null among them', () => {
  const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 5 }), { freq: 4 })
  const row = fc.record({ text, flag: fc.option(fc.boolean()) })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 200 }), rows => {
      const table: Table = {
        rows: rows.length,
        columns: [
          { name: 'text', kind: 'text', values: rows.map(({ text }) => text) },
          { name: 'flag', kind: 'boolean', values: rows.map(({ flag }) => flag) },
        ],
      }
      expect(decodeTable(encodeTable(table))).toEqual(table)
    }),
  )
})

test('equal tables give equal bytes in every format', () => {
  for (const format of ['json', 'csv', 'parquet', 'arrow'] as const) {
    expect(renderTable(mixed, format)).toEqual(renderTable(decodeTable(encodeTable(mixed)), format))
  }
})

test('JSON has one array per column, RFC 3339 times, units, and null for what has no value', () => {
  expect(JSON.parse(text(renderTable(mixed, 'json')))).toEqual({
    rows: 3,
    units: { price: 'currency' },
    columns: {
      at: ['1969-12-31T23:59:59.999Z', '2018-05-11T00:00:00.000Z', null],
      price: [1.5, null, -0.1],
      count: [-1, 9007199254740991, null],
      note: ['a,"b"\nc', null, 'é'],
      open: [true, false, null],
    },
  })
})

test('CSV quotes what needs it and leaves nulls empty', () => {
  expect(text(renderTable(mixed, 'csv'))).toBe(
    'at,price,count,note,open\r\n' +
      '1969-12-31T23:59:59.999Z,1.5,-1,"a,""b""\nc",true\r\n' +
      '2018-05-11T00:00:00.000Z,,9007199254740991,,false\r\n' +
      ',-0.1,,é,\r\n',
  )
})

test('Parquet reads back with timestamps, nulls and 64-bit integers', async () => {
  const bytes = renderTable(mixed, 'parquet')
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  expect(await parquetReadObjects({ file })).toEqual([
    { at: new Date(times[0]!), price: 1.5, count: -1n, note: 'a,"b"\nc', open: true },
    { at: new Date(times[1]!), price: null, count: 9007199254740991n, note: null, open: false },
    { at: null, price: -0.1, count: null, note: 'é', open: null },
  ])
})

test('a table whose columns differ in length is refused', () => {
  expect(() => encodeTable({ rows: 2, columns: [{ name: 'x', kind: 'text', values: ['a'] }] })).toThrow(
    '1 values',
  )
})

test('bytes that are not an Arrow file are refused', () => {
  expect(() => decodeTable(Buffer.from('PAR1 is something else'))).toThrow()
})
