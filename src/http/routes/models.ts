import type { Response } from 'express'
import type { BarsArchive } from '../../archive/bars.ts'
import type { KnownModel, ModelLibrary, ModelSummary } from '../../archive/model-library.ts'
import { type PinnedTimeframe, type PredictTask, productsOf } from '../../archive/predict.ts'
import { tableMediaTypes } from '../../archive/tables.ts'
import type { TaskRunner } from '../../archive/task-runner.ts'
import type { Config } from '../../config.ts'
import type { components } from '../../openapi.gen.ts'
import { decodeCursor, encodeCursor } from '../../operations/cursor.ts'
import { rangeOf } from '../../operations/moment.ts'
import type { OperationQueries } from '../../operations/queries.ts'
import { Problem } from '../../problems.ts'
import { matchesETag } from '../etag.ts'
import { sendFile } from '../file-response.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { chooseTableFormat, contentTypeOf } from '../table-format.ts'
import { postedBars, refuse } from './calculation-bars.ts'

type Api = components['schemas']
type Names = 'listModels' | 'getModel' | 'deleteModel' | 'getModelFile' | 'predictWithModel'

export type ModelRooms = {
  readonly models: ModelLibrary
  readonly bars: BarsArchive
  readonly queries: OperationQueries
  readonly tasks: TaskRunner
  readonly config: Pick<Config, 'archive'>
}

/** What is answered at once instead of in a thread, which takes longer to start than this to calculate: some milliseconds. */
const inline = { bars: 1_500, products: 1e7 }

/** Trained models. */
export function modelRoutes(rooms: ModelRooms): Some<Names> {
  const { models, queries, config } = rooms
  return {
    listModels: async ({ query }, response) => {
      const isAsked = ({ strategy }: ModelSummary) => (query.strategy ?? strategy) === strategy
      response.json(pageOf((await models.list()).filter(isAsked), query) satisfies Api['ModelPage'])
    },
    getModel: async (request, response) => {
      const { manifest, ...model } = await models.get(request.params.model_id)
      const etag = `"${model.sha256}"`
      response.set({ ETag: etag, 'Cache-Control': 'private, no-cache' })
      if (matchesETag(request.get('If-None-Match'), etag)) response.status(304).end()
      else response.json({ ...model, content: manifest })
    },
    deleteModel: async ({ params: { model_id: id } }, response) => {
      await models.remove(id, await queries.usersOfModel(id))
      response.status(204).end()
    },
    getModelFile: async (request, response) => {
      const { model_id: id, name } = request.params
      const { path, media_type, sha256 } = await models.file(id, name)
      const named = { contentType: contentTypeOf(media_type), filename: `${id}_${name}`, etag: `"${sha256}"` }
      await sendFile(request, response, { path, ...named })
    },
    predictWithModel: (request, response) => predict(rooms, config.archive, request, response),
  }
}

/** Models never change, so that a page begins behind the last one of the page before. */
function pageOf(
  found: readonly ModelSummary[],
  { limit, cursor, strategy }: ApiRequest<'listModels'>['query'],
): Api['ModelPage'] {
  const filter = { models: strategy ?? null }
  const after = cursor === undefined ? null : decodeCursor(cursor, filter)
  const isBehind = ({ created_at, model_id }: ModelSummary) => {
    if (after === null) return true
    const createdAt = Date.parse(created_at)
    return createdAt < after.created_at || (createdAt === after.created_at && model_id < after.operation_id)
  }
  const behind = found.filter(isBehind)
  const items = behind.slice(0, limit)
  const last = items.at(-1)
  if (last === undefined || behind.length === items.length) return { items, next_cursor: null }
  const position = { created_at: Date.parse(last.created_at), operation_id: last.model_id }
  return { items, next_cursor: encodeCursor(position, filter) }
}

async function predict(
  rooms: ModelRooms,
  home: string,
  request: ApiRequest<'predictWithModel'>,
  response: Response,
): Promise<void> {
  const { body } = request
  const format = chooseTableFormat(request)
  const known = await rooms.models.get(request.params.model_id)
  await rooms.models.fetch(known.model_id)
  checkTimeframe(known, body)
  const common = { home, modelId: known.model_id, ...rangeOf(body, '/body'), format }
  const { task, bars } = await taskOf(rooms, known, { body, common })
  const bytes = await rooms.tasks.run('predict', task, isSmall(bars, known) ? 0 : Number.POSITIVE_INFINITY)
  response.set({ Vary: 'Accept', 'Content-Type': contentTypeOf(tableMediaTypes[format]) })
  response.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

type Asked = {
  readonly body: Api['ModelQuestion']
  readonly common: Pick<PredictTask, 'home' | 'modelId' | 'start' | 'end' | 'format'>
}

/** What to calculate, and how many bars may have to be read for it. */
async function taskOf(
  rooms: ModelRooms,
  known: KnownModel,
  { body, common }: Asked,
): Promise<{ readonly task: PredictTask; readonly bars: number }> {
  if (body.bars !== undefined) {
    const bars = posted(known, body.bars, body)
    return { task: { kind: 'posted', ...common, bars }, bars: bars.length }
  }
  const { bars, ...pinned } = await pinStored(rooms, known, body)
  return { task: { kind: 'stored', ...common, ...pinned }, bars }
}

/** @param bars that may be read for the answer */
function isSmall(bars: number, { manifest }: KnownModel): boolean {
  const products = productsOf(manifest.network, manifest.parameters)
  return bars <= inline.bars && Math.max(bars, 100) * products <= inline.products
}

function checkTimeframe({ manifest }: KnownModel, { timeframe }: Api['ModelQuestion']): void {
  const base = manifest.pipeline.base_timeframe
  if (timeframe === undefined || timeframe === base) return
  throw refuse('/body/timeframe', 'conflict', `the model answers on bars of ${base}, not of ${timeframe}`)
}

/** Pins the bars of every timeframe the model reads. @throws {Problem} 'params-invalid', 'dataset-not-found' */
async function pinStored(
  { bars: archive }: ModelRooms,
  { manifest }: KnownModel,
  { symbol, adjustment = manifest.adjustment }: Api['ModelQuestion'],
): Promise<{
  readonly symbol: string
  readonly datasets: readonly PinnedTimeframe[]
  readonly bars: number
}> {
  if (symbol === undefined) throw refuse('/body/symbol', 'required', 'give a symbol, or bars')
  const datasets: PinnedTimeframe[] = []
  let bars = 0
  for (const timeframe of manifest.timeframes) {
    const pinned = await archive.pin(symbol, timeframe, adjustment)
    if (pinned === null) throw await archive.notFound(symbol, timeframe)
    await archive.fetch(symbol, timeframe, pinned.sha256)
    datasets.push({ timeframe, sha256: pinned.sha256, calendar: pinned.manifest.calendar })
    bars += pinned.manifest.bars
  }
  return { symbol, datasets, bars }
}

/** @throws {Problem} as `postedBars`; 'params-invalid' for a model of several timeframes */
function posted({ manifest }: KnownModel, bars: Api['PostedBars'], body: Api['ModelQuestion']) {
  const { timeframes } = manifest
  if (timeframes.length > 1) {
    const message = `the model reads bars of ${timeframes.join(' and ')}, and bars are posted of one timeframe`
    throw new Problem('params-invalid', message, {
      hint: 'Import the bars, PUT /api/v1/datasets/{symbol}/{timeframe}, and give their symbol.',
      errors: [{ pointer: '/body/bars', code: 'not_allowed', message }],
    })
  }
  return postedBars(bars, { ...body, timeframe: manifest.pipeline.base_timeframe })
}
