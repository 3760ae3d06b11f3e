import { BarsArchive } from '../src/archive/bars.ts'
import type { Timeframe } from '../src/market/timeframe.ts'
import type { DataDownloadParams, DataDownloadResult } from '../src/operations/data-download.ts'
import { rangeOf } from '../src/operations/moment.ts'
import { Problem } from '../src/problems.ts'
import { fetchAllBars } from '../src/vendors/fetch.ts'
import { vendors } from '../src/vendors/registry.ts'
import { defineWorker, type WorkerContext } from './harness.ts'

type StoredDataset = DataDownloadResult['datasets'][number]
type Wanted = { readonly symbol: string; readonly timeframe: Timeframe }

export default defineWorker(
  'data_download',
  async (params: DataDownloadParams, ctx): Promise<DataDownloadResult> => {
    const wanted = params.symbols.flatMap(symbol =>
      params.timeframes.map(timeframe => ({ symbol, timeframe })),
    )
    // Datasets that failed before a restart are tried again.
    const datasets: StoredDataset[] = [...(ctx.restored<StoredDataset[]>() ?? [])]
    const failures: Problem[] = []
    for (const dataset of wanted) {
      ctx.checkCancelled()
      const { symbol, timeframe } = dataset
      if (datasets.some(done => done.symbol === symbol && done.timeframe === timeframe)) continue
      const ended = datasets.length + failures.length
      ctx.progress(ended, wanted.length, `${symbol} ${timeframe}`, 'dataset')
      try {
        datasets.push(await fetchAndStore(dataset, params, ctx))
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        failures.push(error)
        ctx.warn(`${symbol} ${timeframe} was not stored: ${error.message}.`)
        continue
      }
      ctx.saveCheckpoint(datasets, { label: `${datasets.length} of ${wanted.length} datasets` })
    }
    const [first] = failures
    if (first !== undefined && datasets.length === 0) throw first
    ctx.progress(wanted.length, wanted.length, 'done', 'dataset')
    return { partial: failures.length > 0, datasets }
  },
)

async function fetchAndStore(dataset: Wanted, params: DataDownloadParams, ctx: WorkerContext) {
  const { symbol, timeframe } = dataset
  const startedAt = ctx.now()
  const request = { ...dataset, ...rangeOf(params), signal: ctx.signal }
  const bars = await fetchAllBars(vendors[params.vendor], request, count => {
    ctx.checkCancelled()
    ctx.metric('pages', { bars: count, bars_per_second: (count / Math.max(1, ctx.now() - startedAt)) * 1000 })
  })
  const from = { source: params.vendor, now: ctx.now(), pointer: '/body/params' }
  const { manifest } = await new BarsArchive(ctx.home).merge(symbol, timeframe, bars, from)
  const { first_time, last_time, sha256 } = manifest
  ctx.log('info', `stored ${manifest.bars} bars of ${symbol} ${timeframe}`)
  return { symbol, timeframe, bars: manifest.bars, first_time, last_time, sha256 } satisfies StoredDataset
}
