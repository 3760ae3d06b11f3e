import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createLayout } from '../../src/archive/layout.ts'
import type { Bars } from '../../src/market/bars.ts'

/** A data folder of its own. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-archive-'))
  createLayout(home)
  return home
}

/** Valid daily bars from 2020-01-01, or from `firstDay` days later. */
export function makeBars(length: number, firstDay = 0): Bars {
  const column = (value: (i: number) => number) =>
    Float64Array.from({ length }, (_, i) => value(i + firstDay))
  const dayMs = 86_400_000
  const start = Date.UTC(2020, 0, 1)
  return {
    length,
    time: column(i => start + i * dayMs),
    close_time: column(i => start + (i + 1) * dayMs),
    open: column(i => 100 + Math.sin(i)),
    high: column(i => 103 + Math.sin(i)),
    low: column(i => 97 + Math.sin(i)),
    close: column(i => 101 + Math.sin(i)),
    volume: column(i => i * 10),
  }
}

/** Valid minute bars from `startMs`, one every `stepMinutes`. */
export function makeMinuteBars(length: number, startMs: number, stepMinutes = 1): Bars {
  const minuteMs = 60_000
  const days = makeBars(length)
  const time = days.time.map((_, i) => startMs + i * stepMinutes * minuteMs)
  return { ...days, time, close_time: time.map(open => open + minuteMs) }
}

/** The bars whose number is chosen, in their order. */
export function pickBars(bars: Bars, isChosen: (i: number) => boolean): Bars {
  const pick = (column: Float64Array) => column.filter((_, i) => isChosen(i))
  const time = pick(bars.time)
  return {
    length: time.length,
    time,
    close_time: pick(bars.close_time),
    open: pick(bars.open),
    high: pick(bars.high),
    low: pick(bars.low),
    close: pick(bars.close),
    volume: pick(bars.volume),
  }
}

/** The files below a folder as paths from it, sorted. */
export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

export const operationId = 'op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'
