import { isSharedArrayBuffer } from 'node:util/types'
import { expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import { TaskRunner } from '../../src/archive/task-runner.ts'
import { SharedBars } from '../../src/execution/shared-bars.ts'
import { type Bars, barFields } from '../../src/market/bars.ts'
import { Calendars } from '../../src/market/calendars.ts'
import { makeMinuteBars } from '../archive/folder.ts'
import { makeHome } from '../support/worker.ts'

const origin = { source: 'import', calendar: '24-7', now: Date.UTC(2024, 5, 1) }

async function storeMinutes(length: number) {
  const home = makeHome()
  const archive = new BarsArchive(home, new Calendars())
  const make = () => makeMinuteBars(length, Date.UTC(2024, 0, 1))
  const bars = make()
  await archive.publish('BTC', '1m', make(), origin)
  const pinned = await archive.pin('BTC', '1m', 'none')
  if (pinned === null) throw new Error('nothing was stored')
  const dataset = { symbol: 'BTC', timeframe: '1m', sha256: pinned.sha256 }
  return { bars, dataset, shared: new SharedBars(archive, new TaskRunner(), home) }
}

const only = (datasets: readonly { readonly bars: Bars }[]): Bars => {
  const [first] = datasets
  if (first === undefined) throw new Error('nothing was lent')
  return first.bars
}

test.each([500, 30_000])('%d bars are the stored ones, in memory that threads share', async length => {
  const { bars, dataset, shared } = await storeMinutes(length)
  await shared.lend([dataset], async datasets => {
    const lent = only(datasets)
    for (const field of barFields) {
      expect(isSharedArrayBuffer(lent[field].buffer)).toBe(true)
      expect(Buffer.from(lent[field].slice().buffer).equals(Buffer.from(bars[field].slice().buffer))).toBe(
        true,
      )
    }
  })
})

test('users at the same time, and the next one, get the very same memory', async () => {
  const { dataset, shared } = await storeMinutes(500)
  const buffers = await Promise.all(
    [1, 2, 3].map(() => shared.lend([dataset], async datasets => only(datasets).close.buffer)),
  )
  const later = await shared.lend([dataset], async datasets => only(datasets).close.buffer)
  expect(new Set([...buffers, later]).size).toBe(1)
})

test('a version that is not stored is refused, and another is lent after that', async () => {
  const { dataset, shared } = await storeMinutes(500)
  const gone = { ...dataset, sha256: '0'.repeat(64) }
  await expect(shared.lend([dataset, gone], async () => null)).rejects.toMatchObject({ code: 'bars-missing' })
  await expect(shared.lend([dataset], async datasets => only(datasets).length)).resolves.toBe(500)
})
