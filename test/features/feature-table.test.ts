import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { assembleFeatures } from '../../src/features/feature-matrix.ts'
import { type SymbolMatrix, stackSymbols, windowEnds } from '../../src/features/feature-table.ts'
import { matrixBytes } from '../../src/features/matrix-bytes.ts'
import { Problem } from '../../src/problems.ts'

/** One feature per symbol; NaN leaves the bar out. */
function matrixOf(symbol: string, values: readonly number[], id = 'f'): SymbolMatrix {
  const matrix = assembleFeatures({
    columns: [{ id, values: Float64Array.from(values), lookback: 0 }],
    bars: {
      time: Float64Array.from(values, (_, i) => i * 1000),
      close_time: Float64Array.from(values, (_, i) => (i + 1) * 1000),
    },
  })
  return { symbol, matrix }
}

const gap = Number.NaN

test('symbols lie below each other in the order of their names, each oldest first', () => {
  const table = stackSymbols([matrixOf('MSFT', [gap, 5, 6]), matrixOf('AAPL', [1, 2]), matrixOf('aapl', [9])])
  expect(table).toEqual({
    rows: 5,
    ids: ['f'],
    values: Float32Array.of(1, 2, 5, 6, 9),
    time: Float64Array.of(0, 1000, 1000, 2000, 0),
    close_time: Float64Array.of(1000, 2000, 2000, 3000, 1000),
    bar: Int32Array.of(0, 1, 1, 2, 0),
    symbols: [
      { symbol: 'AAPL', from: 0, to: 2 },
      { symbol: 'MSFT', from: 2, to: 4 },
      { symbol: 'aapl', from: 4, to: 5 },
    ],
  })
})

test('the order in which symbols are given changes no byte', () => {
  const one = [matrixOf('B', [1, 2]), matrixOf('A', [3]), matrixOf('C', [4, 5])]
  expect(matrixBytes(stackSymbols(one))).toEqual(matrixBytes(stackSymbols(one.toReversed())))
})

test('a window holds one symbol and bars without a gap between them, by hand', () => {
  // Rows: A bars 0 1 | B bars 0 1 2, 4 5 (bar 3 is missing).
  const table = stackSymbols([matrixOf('A', [1, 1]), matrixOf('B', [1, 1, 1, gap, 1, 1])])
  expect([...windowEnds(table, 1)]).toEqual([0, 1, 2, 3, 4, 5, 6])
  expect([...windowEnds(table, 2)]).toEqual([1, 3, 4, 6])
  expect([...windowEnds(table, 3)]).toEqual([4])
  expect([...windowEnds(table, 4)]).toEqual([])
  expect(() => windowEnds(table, 0)).toThrow(RangeError)
})

const anyMatrices = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 })
  .chain(symbols =>
    fc.tuple(
      ...symbols.map(symbol =>
        fc
          .array(fc.oneof({ weight: 4, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant(gap) }), {
            maxLength: 20,
          })
          .map(values => matrixOf(symbol, values)),
      ),
    ),
  )

test('no window mixes two symbols or jumps over a bar, and none that does neither is left out', () => {
  fc.assert(
    fc.property(anyMatrices, fc.integer({ min: 1, max: 5 }), (matrices, length) => {
      const table = stackSymbols(matrices)
      const symbolOf = (row: number) => table.symbols.find(({ from, to }) => row >= from && row < to)?.symbol
      const expected = []
      for (let end = length - 1; end < table.rows; end++) {
        const rows = Array.from({ length }, (_, i) => end - length + 1 + i)
        const isOne = rows.every(row => symbolOf(row) === symbolOf(end))
        if (isOne && rows.every(row => table.bar[row] === (table.bar[end] as number) - (end - row)))
          expected.push(end)
      }
      expect([...windowEnds(table, length)]).toEqual(expected)
    }),
  )
})

test('every (symbol, time) occurs once, in order', () => {
  fc.assert(
    fc.property(anyMatrices, matrices => {
      const { symbols, time, rows } = stackSymbols(matrices)
      expect(symbols.map(span => span.symbol)).toEqual(matrices.map(one => one.symbol).toSorted())
      let at = 0
      for (const { from, to } of symbols) {
        expect(from).toBe(at)
        for (let row = from + 1; row < to; row++) expect(time[row]).toBeGreaterThan(time[row - 1] as number)
        at = to
      }
      expect(at).toBe(rows)
    }),
  )
})

test('a symbol twice, other features and times out of order are refused', () => {
  const one = matrixOf('A', [1, 2])
  expect(() => stackSymbols([one, one])).toThrow('A occurs twice')
  expect(() => stackSymbols([one, matrixOf('B', [1], 'g')])).toThrow('B has other features than A')
  const late = { symbol: 'B', matrix: { ...one.matrix, time: one.matrix.time.toReversed() } }
  expect(() => stackSymbols([one, late])).toThrow('do not increase at row 1')
  expect(() => stackSymbols([])).toThrow(Problem)
})

describe('canonical bytes', () => {
  test('are the header, the times and the values in little-endian, by hand', () => {
    const { matrix } = matrixOf('A', [1, -2])
    const header = '{"format":"ktrdr-features-1","ids":["f"],"rows":2,"symbols":null}'
    const hex = Buffer.from(matrixBytes(matrix)).toString('hex')
    const number = (value: number, bytes: 4 | 8) => {
      const buffer = Buffer.alloc(bytes)
      if (bytes === 8) buffer.writeDoubleLE(value)
      else buffer.writeFloatLE(value)
      return buffer.toString('hex')
    }
    expect(hex).toBe(
      [
        Buffer.from([header.length, 0, 0, 0]).toString('hex'),
        Buffer.from(header).toString('hex'),
        number(0, 8), // open times
        '0000000000408f40', // 1000
        '0000000000408f40', // close times
        number(2000, 8),
        '0000803f', // 1
        '000000c0', // −2
      ].join(''),
    )
    // By Python's struct and hashlib from the same numbers: stored hashes of features depend on this layout.
    expect(createHash('sha256').update(matrixBytes(matrix)).digest('hex')).toBe(
      '50cdf2a0ea726aeb070e89562895dcd4ce057b49b880fa3e191db90ea5224811',
    )
  })

  test('are the same for equal rows: 0 and −0 are one number', () => {
    expect(matrixBytes(matrixOf('A', [0, -0]).matrix)).toEqual(matrixBytes(matrixOf('A', [-0, 0]).matrix))
  })

  test('differ when an id, a value, a time or a symbol differs', () => {
    const { matrix } = matrixOf('A', [1, 2])
    const table = stackSymbols([{ symbol: 'A', matrix }])
    const all = [
      matrix,
      matrixOf('A', [1, 3]).matrix,
      matrixOf('A', [1, 2], 'g').matrix,
      { ...matrix, time: matrix.time.with(1, 1001) },
      { ...matrix, close_time: matrix.close_time.with(1, 2001) },
      table,
      stackSymbols([{ symbol: 'B', matrix }]),
    ]
    expect(new Set(all.map(one => Buffer.from(matrixBytes(one)).toString('hex'))).size).toBe(all.length)
  })
})
