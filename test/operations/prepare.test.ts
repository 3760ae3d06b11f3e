import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { createLayout } from '../../src/archive/layout.ts'
import { dataDownloadSpec } from '../../src/operations/data-download.ts'
import { dataRepairSpec } from '../../src/operations/data-repair.ts'
import { dataResampleSpec } from '../../src/operations/data-resample.ts'
import { makeRooms as makeTestRooms } from '../support/rooms.ts'
import { sampleBars } from '../support/sample-bars.ts'

async function makeRooms() {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-prepare-'))
  createLayout(home)
  const rooms = makeTestRooms(home)
  const origin = { source: 'sample', now: 0, calendar: 'XNYS' }
  const { manifest } = await rooms.bars.publish('AAPL', '1d', sampleBars(), origin)
  return { rooms, manifest }
}

test.each([
  ['a timeframe the vendor lacks', { timeframes: ['1d', '1h'] }, '/body/params/timeframes/1', /only 1d/],
  ['an exchange of a vendor without any', { exchange: 'kraken' }, '/body/params/exchange', /no exchanges/],
  ['an unknown calendar', { calendar: 'XXXX' }, '/body/params/calendar', /XNYS, 24-7, 24-5/],
  [
    'another calendar than the stored one',
    { calendar: '24-7' },
    '/body/params/calendar',
    /stored with .*XNYS/,
  ],
  [
    'prices of another kind than the stored ones',
    { vendor: 'yahoo' },
    '/body/params/vendor',
    /split-adjusted prices from sample, yahoo has prices as traded/,
  ],
  ['mode range without a start', { mode: 'range' }, '/body/params/start', /needs start/],
])('a download with %s is refused at once', async (_case, change, pointer, message) => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'], mode: 'full', ...change }
  const errors = [expect.objectContaining({ pointer, message: expect.stringMatching(message) })]
  await expect(dataDownloadSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ code: 'params-invalid', errors }),
  )
})

test('a dataset of one exchange is not continued from another, unless a range is stated', async () => {
  const { rooms } = await makeRooms()
  const bars = rooms.bars.read('AAPL', '1d', (await rooms.bars.manifest('AAPL', '1d'))?.sha256 ?? '')
  await rooms.bars.publish('BTC-USDT', '1d', bars, { source: 'ccxt:binance', now: 0, calendar: '24-7' })
  const params = {
    vendor: 'ccxt',
    exchange: 'kraken',
    symbols: ['BTC-USDT'],
    timeframes: ['1d'],
    mode: 'full',
  }
  await expect(dataDownloadSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining('came from ccxt:binance') }),
  )
  for (const change of [{ exchange: 'binance' }, { mode: 'range', start: '2024-01-01' }])
    expect(await dataDownloadSpec.prepare({ ...params, ...change }, rooms)).toBeDefined()
})

test('the vendor csv needs a calendar, as nothing tells when its symbols are traded', async () => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'csv', symbols: ['OWN'], timeframes: ['1d'], mode: 'full' }
  await expect(dataDownloadSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining('give calendar') }),
  )
  expect(await dataDownloadSpec.prepare({ ...params, calendar: 'XNYS' }, rooms)).toBeDefined()
})

test('a repair asks the vendor the bars came from, and needs one where they were imported', async () => {
  const { rooms } = await makeRooms()
  const params = { symbol: 'AAPL', timeframe: '1d', classes: ['unexpected'] }
  expect((await dataRepairSpec.prepare(params, rooms)).params).toEqual({ ...params, vendor: 'sample' })
  const bars = rooms.bars.read('AAPL', '1d', (await rooms.bars.manifest('AAPL', '1d'))?.sha256 ?? '')
  await rooms.bars.publish('OWN', '1d', bars, { source: 'import', now: 0, calendar: 'XNYS' })
  await expect(dataRepairSpec.prepare({ ...params, symbol: 'OWN' }, rooms)).rejects.toEqual(
    expect.objectContaining({ code: 'params-invalid', message: expect.stringContaining('name a vendor') }),
  )
})

test('resampling refuses shorter bars, and to throw fetched bars away in passing', async () => {
  const { rooms, manifest } = await makeRooms()
  const params = { symbol: 'AAPL', from: '1d', timeframes: ['1w'], replace: false }
  expect((await dataResampleSpec.prepare(params, rooms)).dataset_sha256).toEqual([manifest.sha256])
  await expect(dataResampleSpec.prepare({ ...params, timeframes: ['1h'] }, rooms)).rejects.toEqual(
    expect.objectContaining({ code: 'params-invalid' }),
  )
  const bars = rooms.bars.read('AAPL', '1d', manifest.sha256)
  await rooms.bars.publish('AAPL', '1w', bars, { source: 'yahoo', now: 0, calendar: 'XNYS' })
  await expect(dataResampleSpec.prepare(params, rooms)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining("came from 'yahoo'") }),
  )
  expect(await dataResampleSpec.prepare({ ...params, replace: true }, rooms)).toBeDefined()
})

test('a download counts its datasets and needs a start before the end', async () => {
  const { rooms } = await makeRooms()
  const params = { vendor: 'sample', symbols: ['AAPL', 'MSFT'], timeframes: ['1d'], mode: 'full' }
  expect(await dataDownloadSpec.prepare(params, rooms)).toMatchObject({
    params,
    steps: { total: 2, unit: 'dataset' },
  })
  await expect(
    dataDownloadSpec.prepare({ ...params, start: '2016-01-01', end: '2015-01-01' }, rooms),
  ).rejects.toEqual(expect.objectContaining({ code: 'params-invalid' }))
})
