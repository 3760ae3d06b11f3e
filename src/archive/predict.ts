import type { SymbolBars } from '../features/pipeline.ts'
import type { SessionBars } from '../features/pipeline-columns.ts'
import {
  type FeatureRecipe,
  historyOf,
  referenceOf,
  resolveReference,
  timeframesOf,
} from '../features/pipeline-recipe.ts'
import { withSessions } from '../features/pipeline-sessions.ts'
import { type Bars, firstBarAt } from '../market/bars.ts'
import type { Calendars } from '../market/calendars.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { ModelSpec } from '../model/model-spec.ts'
import { Problem } from '../problems.ts'
import { decisionOf } from '../training/decision.ts'
import { loadModel, type Prediction, windowOf } from '../training/predictor.ts'
import type { ServedModel } from '../training/served-model.ts'
import { BarsArchive } from './bars.ts'
import { StoredHistory } from './bars-history.ts'
import { readModel } from './models.ts'
import { renderTable } from './render.ts'
import type { Column, Table, TableFormat } from './tables.ts'

/** A question to a stored model. The range is of open times, epoch ms, half-open; null is unbounded. */
export type PredictTask = {
  /** The data folder. */
  readonly home: string
  readonly modelId: string
  readonly start: number | null
  readonly end: number | null
  readonly format: TableFormat
} & (
  | {
      readonly kind: 'stored'
      readonly symbol: string
      /** The pinned version and the calendar of every timeframe the model reads. */
      readonly datasets: readonly PinnedTimeframe[]
    }
  | {
      readonly kind: 'posted'
      /** Of the base timeframe. */
      readonly bars: Bars
    }
)

export type PinnedTimeframe = {
  readonly timeframe: Timeframe
  readonly sha256: string
  readonly calendar: string
}

/** Bars of one timeframe that are read for one answer. */
const maxBars = 50_000

/** Multiplications for one answer: some seconds of one core. */
const maxProducts = 1e10

/** Multiplications of one row. @param parameters weights of the network */
export const productsOf = (spec: ModelSpec, parameters: number): number => parameters * windowOf(spec)

/**
 * What a model says of every base bar of a range, null where it says nothing. Blocks.
 * @throws {Problem} 'model-not-found', 'model-damaged', 'bars-missing', 'bars-invalid'; 'params-invalid' when it is too much
 */
export function answerQuestion(task: PredictTask, calendars: Calendars): Uint8Array {
  const { manifest, served } = readModel(task.home, task.modelId)
  const symbol = task.kind === 'stored' ? readSymbol(task, served, calendars) : postedSymbol(task, served)
  const base = symbol.bars[served.recipe.base]
  if (base === undefined) throw new TypeError('the bars of the base timeframe were not read')
  const from = task.start === null ? 0 : firstBarAt(base, task.start)
  const to = task.end === null ? base.length : firstBarAt(base, task.end)
  const rows = Math.max(0, to - from)
  checkWork(rows * productsOf(manifest.network, manifest.parameters))
  const prediction = loadModel(served).predict(symbol, from)
  const table = tableOf(prediction, { served, from, rows, isStored: task.kind === 'stored' })
  return renderTable(table, task.format)
}

function checkWork(products: number): void {
  if (products <= maxProducts) return
  const message = `this would take ${products.toExponential(1)} multiplications, more than ${maxProducts.toExponential(0)}`
  throw new Problem('params-invalid', message, {
    hint: 'Ask for a shorter range; a backtest with the model has no such limit.',
    errors: [{ pointer: '/body/start', code: 'too_large', message }],
  })
}

function postedSymbol({ bars }: { bars: Bars }, { recipe }: ServedModel): SymbolBars {
  return { symbol: 'posted', bars: { [recipe.base]: bars } }
}

/** Bars of every timeframe: the range, and in front of it what windows hold and what warms indicators up. */
function readSymbol(
  task: PredictTask & { kind: 'stored' },
  { recipe, model: { spec } }: ServedModel,
  calendars: Calendars,
): SymbolBars {
  const { home, symbol, start, end } = task
  const archive = new BarsArchive(home, calendars)
  const window = windowOf(spec) - 1
  const read = (timeframe: Timeframe, range: { start: number | null; end: number | null; more: number }) => {
    const pinned = task.datasets.find(dataset => dataset.timeframe === timeframe)
    if (pinned === undefined) throw new TypeError(`no bars of ${timeframe} were pinned`)
    const before = barsBefore(recipe, timeframe)
    const history = new StoredHistory(archive, { symbol, timeframe, sha256: pinned.sha256 })
    const bars = history.read({ ...range, before: before === null ? null : before + range.more, maxBars })
    const calendar = calendars.find(pinned.calendar)
    return calendar === null ? bars : withSessions(bars, calendar, timeframe)
  }
  const base = read(recipe.base, { start, end, more: window })
  const bars: Partial<Record<Timeframe, SessionBars>> = { [recipe.base]: base }
  const first = start === null ? 0 : Math.max(0, firstBarAt(base, start) - window)
  const needed = { start: base.time[first] ?? start, end: base.close_time[base.length - 1] ?? end }
  // The bar that is seen first has closed by then; the one after it is still open.
  for (const timeframe of timeframesOf(recipe).slice(1))
    bars[timeframe] = read(timeframe, { ...needed, more: 2 })
  return { symbol, bars }
}

/** Bars in front of the first one asked for after which more history changes nothing that matters; null for all. */
function barsBefore(recipe: FeatureRecipe, timeframe: Timeframe): number | null {
  let longest = 0
  for (const feature of recipe.features) {
    if (feature.timeframe !== timeframe) continue
    const { stableAfter } = historyOf(recipe, feature)
    const { spec } = resolveReference(recipe, referenceOf(recipe, feature))
    if (stableAfter === null || spec.warmUp === 'first_session') return null
    longest = Math.max(longest, stableAfter)
  }
  return longest
}

type Wanted = {
  readonly served: ServedModel
  /** Index of the first base bar, and how many follow. */
  readonly from: number
  readonly rows: number
  readonly isStored: boolean
}

function tableOf({ base, bar, outputs }: Prediction, { served, from, rows, isStored }: Wanted): Table {
  const names = namesOf(served)
  const columns = names.map(() => new Float64Array(rows).fill(Number.NaN))
  const decisions: (string | null)[] = Array.from({ length: rows }, () => null)
  const decide = decisionOf(served)
  for (let row = 0; row < bar.length; row++) {
    const at = (bar[row] as number) - from
    // Bars after the range are read for none, and before it for windows.
    if (at < 0 || at >= rows) continue
    columns.forEach((column, i) => {
      column[at] = outputs[row * names.length + i] as number
    })
    decisions[at] = decide(outputs, row * names.length)
  }
  const part = (values: Float64Array) => values.slice(from, from + rows)
  const time: Column = { name: 'time', kind: 'time', values: part(base.time) }
  // Posted bars were not asked when they closed, so nothing is said about it.
  const closes: Column[] = isStored
    ? [{ name: 'close_time', kind: 'time', values: part(base.close_time) }]
    : []
  const values = columns.map(
    (column, i): Column => ({ name: names[i] ?? '', kind: 'number', unit: 'fraction', values: column }),
  )
  return {
    rows,
    columns: [time, ...closes, ...values, { name: 'decision', kind: 'text', values: decisions }],
  }
}

const namesOf = ({ output }: ServedModel): string[] =>
  output.kind === 'classification' ? output.classes.map(name => `probability_${name}`) : ['value']
