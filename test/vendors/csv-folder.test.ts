import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Calendars } from '../../src/market/calendars.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { csvVendor } from '../../src/vendors/csv-folder.ts'
import type { BarsPage, BarsRequest, VendorContext } from '../../src/vendors/vendor.ts'
import { makeContext, makeSettings } from './vendor-server.ts'

const offline = 'http://127.0.0.1:9'
let home: string
let folder: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ktrdr-csv-'))
  folder = join(home, 'csv')
  await mkdir(folder)
})
afterEach(() => rm(home, { recursive: true, force: true }))

const minuteMs = 60_000
const first = Date.UTC(2024, 0, 1)
const now = Date.UTC(2026, 0, 5)
const put = (name: string, text: string) => writeFile(join(folder, name), text)
const header = 'Time,Open,High,Low,Close,Volume'
const row = (time: number) => `${new Date(time).toISOString()},10,12,9,11,100`
const minutes = (count: number) => Array.from({ length: count }, (_, i) => first + i * minuteMs)
const fileOf = (times: readonly number[]) => `${[header, ...times.map(row)].join('\n')}\n`

const context = (
  change: Parameters<typeof makeContext>[1] = {},
  csvFolder: string | null = folder,
): VendorContext =>
  makeContext(offline, { now: () => now, settings: makeSettings(offline, { csvFolder }), ...change })

function fetchPages(change: Partial<BarsRequest> = {}, vendorContext = context()): Promise<BarsPage[]> {
  const request: BarsRequest = {
    symbol: 'AAPL',
    timeframe: '1m',
    start: null,
    end: now,
    calendar: new Calendars().get('24-7'),
    exchange: null,
    ...change,
  }
  return Array.fromAsync(csvVendor.fetchBars(request, vendorContext))
}
const timesOf = (pages: readonly BarsPage[]) => pages.flatMap(page => [...page.bars.time])

describe('a file', () => {
  test('is found as SYMBOL_timeframe.csv and as SYMBOL/timeframe.csv', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(3)))
    await mkdir(join(folder, 'BRK.B'))
    await put('BRK.B/1d.csv', 'Date;Open;High;Low;Close\n2024-01-02;1,5;2,5;1,25;2,0\n')
    expect(timesOf(await fetchPages())).toEqual(minutes(3))
    const [page] = await fetchPages({
      symbol: 'BRK.B',
      timeframe: '1d',
      calendar: new Calendars().get('XNYS'),
    })
    expect([page?.bars.open[0], page?.bars.close_time[0]]).toEqual([1.5, Date.UTC(2024, 0, 2, 21)])
    expect(page?.remarks).toEqual([expect.stringContaining('no volume column')])
  })

  test.each(['oldest first', 'newest first'])(
    'of 120,000 bars, %s, comes in pages of 50,000 at most',
    async order => {
      const times = minutes(120_000)
      await put('AAPL_1m.csv', fileOf(order === 'oldest first' ? times : times.toReversed()))
      const pages = await fetchPages()
      expect(pages.map(page => page.bars.length)).toEqual([50_000, 50_000, 20_000])
      expect(timesOf(pages)).toEqual(times)
      expect(pages.map(page => page.until)).toEqual([50_000, 100_000, 120_000].map(n => first + n * minuteMs))
    },
  )

  test.each(['oldest first', 'newest first'])(
    '%s, gives the bars of a half-open range as all there are',
    async order => {
      const times = minutes(60_000)
      await put('AAPL_1m.csv', fileOf(order === 'oldest first' ? times : times.toReversed()))
      const change = { start: first + 49_990 * minuteMs, end: first + 50_010 * minuteMs }
      const pages = await fetchPages(change)
      expect(timesOf(pages)).toEqual(times.slice(49_990, 50_010))
      expect(pages.at(-1)?.until).toBe(change.end)
    },
  )

  test('says nothing about the time after its last bar: it may grow', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(3)))
    const later = first + 10 * minuteMs
    const [page] = await fetchPages({ start: later })
    expect([page?.bars.length, page?.until]).toEqual([0, later])
    expect(page?.remarks).toEqual([expect.stringContaining('2024-01-01T00:02:00.000Z')])
  })

  test('says of the time before its first bar that there is nothing', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(3)))
    const [page] = await fetchPages({ end: first })
    expect([page?.bars.length, page?.until]).toEqual([0, first])
  })

  test('with an unfinished last bar gives the others, and that one when it is over', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(3)))
    let clock = first + 2.5 * minuteMs
    const clocked = context({ now: () => clock })
    const [page] = await fetchPages({}, clocked)
    expect([timesOf([page as BarsPage]), page?.until]).toEqual([minutes(2), first + 2 * minuteMs])
    clock += minuteMs
    expect(timesOf(await fetchPages({}, clocked))).toEqual(minutes(3))
  })

  test('with a fault in its last line gives no bar at all, and the line', async () => {
    await put('AAPL_1m.csv', `${fileOf(minutes(60_000))}${new Date(now).toISOString()},10,9,11,10,1\n`)
    const pages: BarsPage[] = []
    const read = async () => {
      const request = { symbol: 'AAPL', timeframe: '1m' as Timeframe, start: null, end: now, exchange: null }
      const all = csvVendor.fetchBars({ ...request, calendar: new Calendars().get('24-7') }, context())
      for await (const page of all) pages.push(page)
    }
    await expect(read()).rejects.toMatchObject({
      code: 'bars-invalid',
      message: expect.stringContaining('line 60002'),
    })
    expect(pages).toEqual([])
  })

  test('that is changed while it is read is refused', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(60_000)))
    const changing = async () => {
      const request = { symbol: 'AAPL', timeframe: '1m' as Timeframe, start: null, end: now, exchange: null }
      const all = csvVendor.fetchBars({ ...request, calendar: new Calendars().get('24-7') }, context())
      for await (const _page of all) await put('AAPL_1m.csv', fileOf(minutes(70_000)))
    }
    await expect(changing()).rejects.toMatchObject({
      code: 'bars-invalid',
      hint: expect.stringContaining('renaming'),
    })
  })

  test('is left at once when the operation is to stop', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(3)))
    const stopped = context({ signal: AbortSignal.abort() })
    await expect(fetchPages({}, stopped)).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('the folder', () => {
  test('is to be set by the operator', async () => {
    await expect(fetchPages({}, context({}, null))).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining('KTRDR_CSV_FOLDER'),
    })
    await expect(fetchPages({}, context({}, join(home, 'nowhere')))).rejects.toMatchObject({
      code: 'vendor-unavailable',
      message: expect.stringContaining('ENOENT'),
    })
  })

  test('tells a minute from a month and upper from lower case, on every disk', async () => {
    await put('AAPL_1M.csv', fileOf([first]))
    await put('msft_1m.csv', fileOf(minutes(1)))
    await expect(fetchPages()).rejects.toMatchObject({
      code: 'bars-missing',
      hint: expect.stringContaining('Of AAPL it has 1M'),
    })
    await expect(fetchPages({ symbol: 'MSFT' })).rejects.toMatchObject({ code: 'bars-missing' })
    expect(timesOf(await fetchPages({ timeframe: '1M' }))).toEqual([first])
  })

  test('may hold links, but none that leave it', async () => {
    await writeFile(join(home, 'secret.csv'), fileOf(minutes(3)))
    await symlink('../secret.csv', join(folder, 'AAPL_1m.csv'))
    await mkdir(join(home, 'MSFT'))
    await writeFile(join(home, 'MSFT', '1m.csv'), fileOf(minutes(3)))
    await symlink(join(home, 'MSFT'), join(folder, 'MSFT'))
    for (const symbol of ['AAPL', 'MSFT']) {
      await expect(fetchPages({ symbol })).rejects.toMatchObject({
        code: 'vendor-unavailable',
        message: expect.stringContaining('leaves the folder'),
      })
    }
    await put('real.csv', fileOf(minutes(3)))
    await symlink('real.csv', join(folder, 'GOOG_1m.csv'))
    expect(timesOf(await fetchPages({ symbol: 'GOOG' }))).toEqual(minutes(3))
  })

  test('with two files of one dataset is refused', async () => {
    await put('AAPL_1m.csv', fileOf(minutes(3)))
    await mkdir(join(folder, 'AAPL'))
    await put('AAPL/1m.csv', fileOf(minutes(2)))
    await expect(fetchPages()).rejects.toMatchObject({
      code: 'bars-invalid',
      message: expect.stringContaining('AAPL/1m.csv'),
    })
  })

  test('lists its symbols with their timeframes and passes over what is none', async () => {
    for (const name of [
      'AAPL_1d.csv',
      'AAPL_1h.csv',
      'notes.txt',
      'AAPL_5d.csv',
      '_1d.csv',
      '.hidden_1d.csv',
    ])
      await put(name, '')
    await mkdir(join(folder, 'BTC-USD'))
    await put('BTC-USD/1M.csv', '')
    expect(await csvVendor.listSymbols?.(null, context())).toEqual([
      { symbol: 'AAPL', description: '1d, 1h' },
      { symbol: 'BTC-USD', description: '1M' },
    ])
  })
})
