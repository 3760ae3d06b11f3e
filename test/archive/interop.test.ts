import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { barsTable } from '../../src/archive/bars.ts'
import { readParquetFile } from '../../src/archive/import-parquet.ts'
import { renderTable } from '../../src/archive/render.ts'
import { type Bars, barFields } from '../../src/market/bars.ts'
import { makeBars, makeHome } from './folder.ts'

/*
 * DuckDB, in its own native code, is the independent reader and writer. Arrow files are not among its formats without
 * an extension that it would download: they are read back with apache-arrow in tables.test.ts, and here their frame
 * is compared with the specification.
 */
let database: DuckDBInstance
let duckdb: DuckDBConnection

beforeAll(async () => {
  database = await DuckDBInstance.create(':memory:')
  duckdb = await database.connect()
})

afterAll(() => {
  duckdb.closeSync()
  database.closeSync()
})

const bars = makeBars(500)

async function rowsOf(sql: string): Promise<unknown[][]> {
  return (await duckdb.runAndReadAll(sql)).getRows() as unknown[][]
}

/** Our bars as rows of numbers, in the order of `barFields`. */
const expected = (of_: Bars) =>
  Array.from({ length: of_.length }, (_, row) => barFields.map(field => of_[field][row]))

const asNumbers = (rows: unknown[][]) => rows.map(row => row.map(Number))

test.each([
  ['parquet', 'read_parquet', 'TIMESTAMP WITH TIME ZONE'],
  ['csv', 'read_csv', 'TIMESTAMP WITH TIME ZONE'],
] as const)('DuckDB reads from our %s every value and every time', async (format, reader, timeType) => {
  const path = join(makeHome(), `bars.${format}`)
  writeFileSync(path, renderTable(barsTable(bars), format))
  const columns = 'epoch_ms(time), epoch_ms(close_time), open, high, low, close, volume'
  expect(asNumbers(await rowsOf(`select ${columns} from ${reader}('${path}')`))).toEqual(expected(bars))
  const types = await rowsOf(`select typeof(time), typeof(close) from ${reader}('${path}') limit 1`)
  expect(types).toEqual([[timeType, 'DOUBLE']])
})

test('our Arrow file has the frame the specification asks for', () => {
  const bytes = Buffer.from(renderTable(barsTable(bars), 'arrow'))
  const footerLength = bytes.readInt32LE(bytes.length - 10)
  expect([bytes.toString('latin1', 0, 8), bytes.toString('latin1', bytes.length - 6)]).toEqual([
    'ARROW1\0\0',
    'ARROW1',
  ])
  expect(footerLength).toBeGreaterThan(0)
  expect(footerLength).toBeLessThan(bytes.length - 18)
})

/** What our importer makes of a table that DuckDB writes. */
async function imported(select: string, writing = ''): Promise<{ bars: Bars; warnings: string[] }> {
  const path = join(makeHome(), 'tmp', 'duck.parquet')
  await duckdb.run(`copy (${select}) to '${path}' (format parquet${writing})`)
  const warnings: string[] = []
  const [only, ...more] = [...readParquetFile({ path, timeframe: '1d', warnings, maxBars: 1e6 })]
  if (only === undefined || more.length > 0) throw new Error(`the bars came in ${more.length + 1} chunks`)
  return { bars: only, warnings }
}

const days = `select 1577836800000 + i * 86400000 as ms, 100 + sin(i) as open, 103 + sin(i) as high,
  97 + sin(i) as low, 101 + sin(i) as close, i % 7 as volume from range(3000) as numbers(i)`
const columns = 'open, high, low, close, volume'

test.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw', 'brotli'])(
  'Parquet that DuckDB packs with %s gives every value',
  async codec => {
    const select = `select make_timestamp(ms * 1000) as time, ${columns} from (${days})`
    const read = await imported(select, `, codec '${codec}', row_group_size 2048`)
    const rows = await rowsOf(`select ms, ${columns} from (${days})`)
    const fields = ['time', 'open', 'high', 'low', 'close', 'volume'] as const
    expect(rows.map(row => row.map(Number))).toEqual(
      Array.from({ length: read.bars.length }, (_, i) => fields.map(field => read.bars[field][i])),
    )
    expect(read.warnings).toEqual([])
  },
)

test.each([
  ['TIMESTAMP', 'make_timestamp(ms * 1000)'],
  ['TIMESTAMP with a zone', "make_timestamp(ms * 1000) at time zone 'UTC'"],
  ['TIMESTAMP in nanoseconds', 'make_timestamp(ms * 1000)::timestamp_ns'],
  ['TIMESTAMP in milliseconds', 'make_timestamp(ms * 1000)::timestamp_ms'],
  ['TIMESTAMP in seconds', 'make_timestamp(ms * 1000)::timestamp_s'],
  ['DATE', 'make_timestamp(ms * 1000)::date'],
  ['BIGINT of milliseconds', 'ms'],
  ['BIGINT of nanoseconds', 'ms * 1000000'],
  ['INTEGER of seconds', '(ms // 1000)::integer'],
  ['INTEGER like 20200101', "strftime(make_timestamp(ms * 1000), '%Y%m%d')::integer"],
  ['VARCHAR', "strftime(make_timestamp(ms * 1000), '%Y-%m-%d')"],
])('times that DuckDB writes as %s are read', async (_name, time) => {
  for (const version of ['v1', 'v2']) {
    const read = await imported(
      `select ${time} as time, ${columns} from (${days})`,
      `, parquet_version '${version}'`,
    )
    const start = Date.UTC(2020, 0, 1)
    expect([...read.bars.time]).toEqual(Array.from({ length: 3000 }, (_, day) => start + day * 86_400_000))
  }
})

test.each([
  'DOUBLE',
  'FLOAT',
  'INTEGER',
  'BIGINT',
  'USMALLINT',
  'DECIMAL(9, 2)',
  'DECIMAL(18, 4)',
  'DECIMAL(38, 6)',
  'VARCHAR',
])('prices that DuckDB writes as %s are read', async type => {
  const read = await imported(
    `select make_timestamp(ms * 1000) as time, 12::${type} as open, 12::${type} as high, 12::${type} as low,
       12::${type} as close, null::double as volume from (${days})`,
  )
  expect([read.bars.open[0], read.bars.close[2999], read.bars.volume[5]]).toEqual([12, 12, 0])
  expect(read.warnings).toEqual(['3000 rows have no volume: it is 0 there.'])
})

test('decimals are the doubles of what is written', async () => {
  const prices = 'select i, ((i * 7 + 3) / 100)::decimal(12, 2) as price from range(1, 2000) as numbers(i)'
  const read = await imported(
    `select make_timestamp((i + 18000) * 86400000000) as time, price as open, price as high, price as low, price as close from (${prices})`,
  )
  const texts = await rowsOf(`select price::varchar from (${prices})`)
  expect([...read.bars.close]).toEqual(texts.map(([text]) => Number(text)))
})
