import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLayout } from '../../src/archive/layout.ts'
import type { Bars } from '../../src/market/bars.ts'
import { backtestingSpec } from '../../src/operations/backtesting.ts'
import type { Problem } from '../../src/problems.ts'
import { backtestingParams } from './backtesting-params.ts'
import { makeRooms as makeTestRooms } from './rooms.ts'
import { sampleBars } from './sample-bars.ts'

export type Stored = readonly [symbol: string, timeframe: string, bars: Bars]

/** Those of Apple that ship with the server. */
export const bars = sampleBars()

/** Rooms over a folder with the datasets given, and their hashes in that order. */
export async function makeRooms(datasets: readonly Stored[] = [['AAPL', '1d', bars]]) {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-backtesting-'))
  createLayout(home)
  const rooms = makeTestRooms(home)
  const sha256s: string[] = []
  for (const [symbol, timeframe, bars] of datasets) {
    const origin = { source: 'sample', now: 0, calendar: 'XNYS' }
    sha256s.push((await rooms.bars.publish(symbol, timeframe, bars, origin)).manifest.sha256)
  }
  return { rooms, sha256s }
}

type Rooms = Awaited<ReturnType<typeof makeRooms>>['rooms']

/** What a backtest with these parameters would be accepted with; those left out have their defaults. */
export const run = (params: object, rooms: Rooms) => backtestingSpec.prepare(backtestingParams(params), rooms)

/** The pointers and codes of the faults, in their order. */
export async function faultsOf(params: object, rooms: Rooms): Promise<string[]> {
  const refused = await run(params, rooms).then(
    () => null,
    (problem: Problem) => problem,
  )
  return (refused?.errors ?? []).map(({ pointer, code }) => `${pointer.replace('/body/params/', '')} ${code}`)
}
