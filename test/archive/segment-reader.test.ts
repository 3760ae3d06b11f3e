import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { RecordBatchFileWriter, tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { barsTable } from '../../src/archive/bars.ts'
import { segmentPath, segmentsFolder } from '../../src/archive/layout.ts'
import { readSegmentHead } from '../../src/archive/segment-head.ts'
import { readSegments } from '../../src/archive/segment-reader.ts'
import { encodeSegment, storeSegment } from '../../src/archive/segments.ts'
import { encodeTable } from '../../src/archive/tables.ts'
import { barFields } from '../../src/market/bars.ts'
import { joinBars } from '../../src/market/merge-bars.ts'
import { makeBars, makeHome } from './folder.ts'

const makeDataset = () => ({ home: makeHome(), symbol: 'AAPL', timeframe: '1m' })

test('segments of any length are read into one set of columns, bit for bit, verified or not', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(
      lengths,
      fc.boolean(),
      fc.integer({ min: -40_000, max: 40_000 }),
      async (sizes, verify, firstDay) => {
        const dataset = makeDataset()
        let day = firstDay
        const parts = sizes.map(size => {
          const part = makeBars(size, day)
          day += size
          return { ...part, volume: part.volume.map(Math.abs) }
        })
        const facts = []
        for (const part of parts) facts.push(await storeSegment(dataset, 'x', part))
        expect(readSegments(dataset, facts, { verify })).toEqual(joinBars(parts))
      },
    ),
    { numRuns: 30 },
  )
})

test('any single damaged byte of a verified segment is found', async () => {
  const dataset = makeDataset()
  const facts = await storeSegment(dataset, 'x', makeBars(3))
  const path = segmentPath(dataset, facts.sha256)
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x55
    writeFileSync(path, damaged)
    expect(() => readSegments(dataset, [facts])).toThrow(expect.objectContaining({ code: 'bars-invalid' }))
  }
})

test('a segment that was torn, or is another one, is found without its checksum', async () => {
  const dataset = makeDataset()
  const facts = await storeSegment(dataset, 'x', makeBars(300))
  const path = segmentPath(dataset, facts.sha256)
  const bytes = readFileSync(path)
  const others = [makeBars(301), makeBars(300, 1)].map(bars => encodeSegment('x', bars).bytes)
  for (const content of [bytes.subarray(0, 0), bytes.subarray(0, 900), bytes.subarray(0, 9_000), ...others]) {
    writeFileSync(path, content)
    expect(() => readSegments(dataset, [facts], { verify: false })).toThrow(
      expect.objectContaining({ code: 'bars-invalid' }),
    )
  }
})

test('columns may lie in memory that threads share', async () => {
  const dataset = makeDataset()
  const facts = await storeSegment(dataset, 'x', makeBars(50))
  const bars = readSegments(dataset, [facts], { allocate: bytes => new SharedArrayBuffer(bytes) })
  for (const field of barFields) {
    expect(bars[field].buffer).toBeInstanceOf(SharedArrayBuffer)
    expect([...bars[field]]).toEqual([...makeBars(50)[field]])
  }
})

test('the quick way knows the files it was made for and leaves all others to the slow way', () => {
  const bytes = encodeTable(barsTable(makeBars(5)))
  expect(readSegmentHead(bytes)).toMatchObject({ rows: 5 })
  const withNull = makeBars(5)
  withNull.close[2] = Number.NaN
  const table = barsTable(makeBars(5))
  for (const other of [
    encodeTable(barsTable(withNull)),
    encodeTable({ ...table, columns: table.columns.slice(1) }),
    bytes.subarray(0, 400),
    Buffer.from('PAR1'),
    Buffer.alloc(0),
  ])
    expect(readSegmentHead(other)).toBeNull()
})

test('a segment that another writer cut into several batches is read as well, and always verified', () => {
  const dataset = makeDataset()
  const halves = [makeBars(10), makeBars(10, 10)].map(bars => tableFromIPC(encodeTable(barsTable(bars))))
  const batches = halves.flatMap(half => half.batches)
  const bytes = RecordBatchFileWriter.writeAll(batches).toUint8Array(true)
  const sha256 = hash('sha256', bytes)
  const whole = makeBars(20)
  const facts = {
    partition: 'x',
    sha256,
    bars: 20,
    first_ms: whole.time[0] ?? 0,
    last_ms: whole.time[19] ?? 0,
  }
  mkdirSync(segmentsFolder(dataset), { recursive: true })
  writeFileSync(segmentPath(dataset, sha256), bytes)
  expect(readSegments(dataset, [facts], { verify: false })).toEqual(whole)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  writeFileSync(segmentPath(dataset, sha256), bytes)
  expect(() => readSegments(dataset, [facts], { verify: false })).toThrow('checksum')
})
