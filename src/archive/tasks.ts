import { readFileSync } from 'node:fs'
import type { Bars } from '../market/bars.ts'
import { shareBars } from '../market/bars-builder.ts'
import type { Calendars } from '../market/calendars.ts'
import type { CorporateAction } from '../market/corporate-action.ts'
import { downsampleBars } from '../market/downsample.ts'
import { findGaps, type GapOptions, type GapReport } from '../market/gaps.ts'
import type { Interval } from '../market/intervals.ts'
import { checkQuality, type QualityReport } from '../market/quality.ts'
import type { Timeframe } from '../market/timeframe.ts'
import { writeFileAtomicallySync } from './atomic.ts'
import { BarsArchive, type BarsRange } from './bars.ts'
import { barsTable } from './bars-table.ts'
import { answerQuestion, type PredictTask } from './predict.ts'
import { renderTable } from './render.ts'
import { decodeTable, type TableFormat } from './tables.ts'

/** One version of a dataset, as `BarsArchive.read` names it. */
export type DatasetVersion = {
  /** The data folder. */
  readonly home: string
  readonly symbol: string
  readonly timeframe: string
  readonly sha256: string
}

/** A stored table and the file that shall show it in a format. */
export type FileTask = { readonly source: string; readonly target: string; readonly format: TableFormat }

/** A whole version and the file that shall show it in a format. */
export type DatasetTask = DatasetVersion & { readonly target: string; readonly format: TableFormat }

/** A part of a version, in at most so many rows. */
export type SliceTask = DatasetVersion &
  BarsRange & { readonly maxPoints: number | null; readonly format: TableFormat }

/** What bars of a version to judge, and by which calendar. */
type JudgedBars = DatasetVersion &
  Interval & { readonly timeframe: Timeframe; readonly calendar: string; readonly limit: number }

export type GapsTask = JudgedBars & Pick<GapOptions, 'fetched' | 'failed' | 'includeExpected'>
export type QualityTask = JudgedBars & { readonly actions: readonly CorporateAction[] }

/** THE list of what is done in a thread of its own when there are many rows: what it is told and what it answers. */
export type TaskShapes = {
  file: { data: FileTask; result: null }
  dataset: { data: DatasetTask; result: null }
  slice: { data: SliceTask; result: Uint8Array }
  gaps: { data: GapsTask; result: GapReport }
  quality: { data: QualityTask; result: QualityReport }
  predict: { data: PredictTask; result: Uint8Array }
  /** All bars of a version, in shared memory. */
  shared: { data: DatasetVersion; result: Bars }
}

export type TaskKind = keyof TaskShapes

type Tasks = {
  readonly [K in TaskKind]: (data: TaskShapes[K]['data'], calendars: Calendars) => TaskShapes[K]['result']
}

const tasks: Tasks = {
  file: ({ source, target, format }) => {
    writeFileAtomicallySync(target, renderTable(decodeTable(readFileSync(source)), format))
    return null
  },
  dataset: ({ target, format, ...version }, calendars) => {
    writeFileAtomicallySync(target, renderTable(barsTable(readBars(version, calendars)), format))
    return null
  },
  slice: ({ start, end, maxPoints, format, ...version }, calendars) => {
    const bars = readBars(version, calendars, { start, end })
    return renderTable(barsTable(maxPoints === null ? bars : downsampleBars(bars, maxPoints)), format)
  },
  gaps: ({ calendar, ...task }, calendars) =>
    findGaps(readBars(task, calendars, task), { ...task, calendar: calendars.get(calendar) }),
  quality: ({ calendar, ...task }, calendars) =>
    checkQuality(readBars(task, calendars, task), { ...task, calendar: calendars.get(calendar) }),
  predict: answerQuestion,
  shared: ({ home, symbol, timeframe, sha256 }, calendars) => {
    const archive = new BarsArchive(home, calendars)
    return shareBars(
      archive.read(symbol, timeframe, sha256, undefined, bytes => new SharedArrayBuffer(bytes)),
    )
  },
}

/** Does one task; blocks. @throws {Problem} 'bars-missing', 'bars-invalid' when bars it needs cannot be read, and as `answerQuestion` */
export function doTask<K extends TaskKind>(
  kind: K,
  data: TaskShapes[K]['data'],
  calendars: Calendars,
): TaskShapes[K]['result'] {
  return tasks[kind](data, calendars)
}

function readBars(
  { home, symbol, timeframe, sha256 }: DatasetVersion,
  calendars: Calendars,
  range?: BarsRange,
) {
  return new BarsArchive(home, calendars).read(symbol, timeframe, sha256, range)
}
