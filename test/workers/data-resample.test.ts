import { expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import type { Bars } from '../../src/market/bars.ts'
import { BarsBuilder } from '../../src/market/bars-builder.ts'
import type { DataResampleResult } from '../../src/operations/data-resample.ts'
import { completed, makeHome, prepare, runWorker } from '../support/worker.ts'

const hourMs = 3_600_000
const start = Date.UTC(2024, 5, 3)
const origin = { source: 'ccxt:binance', now: Date.UTC(2024, 6, 1), calendar: '24-7' }

/** Hourly bars that rise by one, from `first` hours after Monday 3 June 2024. */
function hours(first: number, count: number): Bars {
  const builder = new BarsBuilder(count)
  for (let i = first; i < first + count; i++) {
    const [time, open] = [start + i * hourMs, 100 + i]
    builder.append({
      time,
      close_time: time + hourMs,
      open,
      high: open + 2,
      low: open - 1,
      close: open + 1,
      volume: 1,
    })
  }
  return builder.build()
}

const span = (from: number, to: number) => ({ start: start + from * hourMs, end: start + to * hourMs })
const params = (to: string) => ({ symbol: 'BTC-USDT', from: '1h', timeframes: [to], replace: false })

test('bars that came after the operation was accepted do not make a day complete', async () => {
  const home = makeHome()
  const archive = new BarsArchive(home)
  await archive.commit('BTC-USDT', '1h', { bars: hours(0, 34), fetched: span(0, 34) }, origin)
  const prepared = await prepare(home, 'data_resample', params('1d'))
  await archive.commit('BTC-USDT', '1h', { bars: hours(34, 20), fetched: span(34, 54) }, origin)
  const run = await runWorker(home, 'data_resample', params('1d'), { prepared })
  expect(completed<DataResampleResult>(run).result.datasets).toMatchObject([
    { bars: 1, last_time: '2024-06-03T00:00:00.000Z' },
  ])
})

test('hours nobody traded in complete a day once the vendor has answered for them', async () => {
  const home = makeHome()
  const archive = new BarsArchive(home)
  await archive.commit('BTC-USDT', '1h', { bars: hours(0, 46), fetched: span(0, 48) }, origin)
  const { result } = completed<DataResampleResult>(await runWorker(home, 'data_resample', params('1d')))
  expect(result.datasets).toMatchObject([{ bars: 2 }])
})

test('splits are known of the longer bars too', async () => {
  const home = makeHome()
  const archive = new BarsArchive(home)
  const actions = [{ ex_date: '2024-06-05', kind: 'split', ratio: 4 }] as const
  await archive.commit('BTC-USDT', '1h', { bars: hours(0, 96), fetched: span(0, 96), actions }, origin)
  await runWorker(home, 'data_resample', params('1d'))
  const pinned = await archive.pin('BTC-USDT', '1d', 'split')
  const bars = archive.read('BTC-USDT', '1d', pinned?.sha256 ?? '')
  // The days before 5 June in quarters, as if there had always been four for one.
  expect([...bars.close]).toEqual([124 / 4, 148 / 4, 172, 196])
})
