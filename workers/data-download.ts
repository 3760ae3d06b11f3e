import { isAnswered, planDownload } from '../src/market/download-plan.ts'
import type { DataDownloadParams, DataDownloadResult } from '../src/operations/data-download.ts'
import { rangeOf } from '../src/operations/moment.ts'
import type { Problem } from '../src/problems.ts'
import { asProblem } from '../src/system-problems.ts'
import { type DownloadState, startOf } from '../src/vendors/download.ts'
import { type DatasetName, Downloads, storedSpan } from './downloads.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

/** What a checkpoint holds. Datasets that failed are tried again by the next attempt. */
type State = {
  readonly datasets: DataDownloadResult['datasets']
  /** "Now", as the first attempt saw it: a resumed download has the same end. Epoch ms. */
  readonly end: number
  /** The dataset in the works, by its place in the list. */
  readonly current: { readonly index: number; readonly state: DownloadState } | null
}

export default defineWorker(
  'data_download',
  async (params: DataDownloadParams, ctx): Promise<DataDownloadResult> => {
    const downloads = new Downloads(ctx, params)
    const wanted = params.symbols.flatMap(symbol =>
      params.timeframes.map(timeframe => ({ symbol, timeframe })),
    )
    const restored = ctx.restored<State>()
    let state = restored === null ? firstState(params, ctx) : await stillTrue(restored, wanted, downloads)
    const save = (next: Partial<State>, label: string) => {
      const saved = { ...state, ...next }
      ctx.saveCheckpoint(saved, { label })
      state = saved
    }
    const failures: DataDownloadResult['failures'] = []
    let firstProblem: Problem | null = null
    for (const [index, dataset] of wanted.entries()) {
      ctx.checkCancelled()
      if (state.datasets.some(done => isSame(done, dataset))) continue
      const place = { done: state.datasets.length + failures.length, total: wanted.length }
      const { current } = state
      try {
        const start =
          current?.index === index ? current.state : await plan(params, dataset, state.end, downloads)
        const stored = await downloads.fetch(dataset, start, place, (now, label) =>
          save({ current: { index, state: now } }, label),
        )
        save(
          { datasets: [...state.datasets, stored], current: null },
          `${place.done + 1} of ${wanted.length} datasets`,
        )
      } catch (error) {
        const problem = asProblem(error)
        if (problem === null) throw error
        firstProblem ??= problem
        const { code, message: detail, hint = null } = problem
        failures.push({ ...dataset, code, detail, hint })
        ctx.warn(`${dataset.symbol} ${dataset.timeframe} is not complete: ${detail}.`)
      }
    }
    if (firstProblem !== null && state.datasets.length === 0) throw firstProblem
    ctx.progress(wanted.length, wanted.length, 'done', 'dataset')
    return { partial: failures.length > 0, datasets: state.datasets, failures }
  },
)

function firstState(params: DataDownloadParams, ctx: WorkerContext): State {
  const { end } = rangeOf(params)
  return { datasets: [], end: Math.min(end ?? Number.POSITIVE_INFINITY, ctx.now()), current: null }
}

/** A checkpoint without what has been deleted or replaced since: that is fetched again. */
async function stillTrue(state: State, wanted: readonly DatasetName[], downloads: Downloads): Promise<State> {
  const manifestOf = ({ symbol, timeframe }: DatasetName) => downloads.archive.manifest(symbol, timeframe)
  const present = await Promise.all(state.datasets.map(manifestOf))
  const datasets = state.datasets.filter((_, index) => present[index] !== null)
  const dataset = state.current === null ? undefined : wanted[state.current.index]
  if (state.current === null || dataset === undefined) return { ...state, datasets }
  const holds = isAnswered(state.current.state.answered, storedSpan(await manifestOf(dataset)))
  return { ...state, datasets, current: holds ? state.current : null }
}

async function plan(
  params: DataDownloadParams,
  { symbol, timeframe }: DatasetName,
  end: number,
  downloads: Downloads,
): Promise<DownloadState> {
  const stored = storedSpan(await downloads.archive.manifest(symbol, timeframe))
  return startOf(planDownload(params.mode, timeframe, { start: rangeOf(params).start, end }, stored))
}

const isSame = (a: DatasetName, b: DatasetName): boolean =>
  a.symbol === b.symbol && a.timeframe === b.timeframe
