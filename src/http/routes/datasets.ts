import { rm } from 'node:fs/promises'
import type { Response } from 'express'
import { type BarsArchive, datasetOf, type Manifest } from '../../archive/bars.ts'
import { type ImportPlaces, importFile, receiveUpload } from '../../archive/import.ts'
import type { Renditions } from '../../archive/renditions.ts'
import { tableMediaTypes } from '../../archive/tables.ts'
import type { Threads } from '../../archive/threads.ts'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { Calendars } from '../../market/calendars.ts'
import { checkCalendarName } from '../../operations/data-download.ts'
import { rangeOf } from '../../operations/moment.ts'
import type { OperationQueries } from '../../operations/queries.ts'
import { Problem } from '../../problems.ts'
import { matchesETag } from '../etag.ts'
import { sendFile } from '../file-response.ts'
import { parquetBody } from '../guard.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { importBytes } from '../limits.ts'
import { chooseTableFormat, contentTypeOf } from '../table-format.ts'

type Names = 'listDatasets' | 'getDatasetBars' | 'importDataset' | 'deleteDataset'

export type DatasetRooms = {
  readonly archive: BarsArchive
  readonly renditions: Renditions
  readonly calendars: Calendars
  readonly queries: OperationQueries
  /** Imports that run at the same time share them. */
  readonly imports: Threads
  readonly places: ImportPlaces
  readonly clock: Clock
  readonly config: Pick<Config, 'archive' | 'calendars'>
}

/** Stored bars. */
export function datasetRoutes(rooms: DatasetRooms): Some<Names> {
  const { archive } = rooms
  return {
    listDatasets: async ({ query }, response) => {
      const isAsked = ({ symbol, timeframe }: { symbol: string; timeframe: string }) =>
        (query.symbol ?? symbol) === symbol && (query.timeframe ?? timeframe) === timeframe
      response.json({ items: (await archive.list()).filter(isAsked) })
    },
    getDatasetBars: (request, response) => sendBars(rooms, request, response),
    importDataset: (request, response) => rooms.places.hold(() => importBars(rooms, request, response)),
    deleteDataset: async ({ params }, response) => {
      const { symbol, timeframe } = params
      await refuseWhileInUse(rooms, params)
      if (!(await archive.remove(symbol, timeframe))) throw await archive.notFound(symbol, timeframe)
      response.status(204).end()
    },
  }
}

/** Everything comes as a file that is rendered once, a part is cut out for each request; long ones in a thread. */
async function sendBars(
  { archive, renditions, config }: DatasetRooms,
  request: ApiRequest<'getDatasetBars'>,
  response: Response,
): Promise<void> {
  const { max_points = null, adjustment = 'none' } = request.query
  const range = rangeOf(request.query, '/query')
  const format = chooseTableFormat(request)
  const { symbol, timeframe } = request.params
  const pinned = await archive.pin(symbol, timeframe, adjustment)
  if (pinned === null) throw await archive.notFound(symbol, timeframe)
  await archive.fetch(symbol, timeframe, pinned.sha256)
  const dataset = { home: config.archive, symbol, timeframe, sha256: pinned.sha256 }
  const [contentType, etag] = [contentTypeOf(tableMediaTypes[format]), `"${pinned.sha256}-${format}"`]
  if (range.start === null && range.end === null && max_points === null) {
    const path = await renditions.datasetOf({ ...dataset, format })
    const suffix = adjustment === 'none' ? '' : `_${adjustment}`
    const filename = `${symbol}_${timeframe}${suffix}.${format}`
    return sendFile(request, response, { path, contentType, filename, etag })
  }
  response.set({ ETag: etag, 'Cache-Control': 'private, no-cache', Vary: 'Accept' })
  if (matchesETag(request.get('If-None-Match'), etag)) {
    response.status(304).end()
    return
  }
  const slice = { ...dataset, ...range, maxPoints: max_points, format }
  const bytes = await renditions.sliceOf(slice, pinned.manifest.bars)
  response.set('Content-Type', contentType).end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

/** @throws {Problem} 'dataset-in-use' while an active operation reads or writes it */
async function refuseWhileInUse(
  { queries }: DatasetRooms,
  { symbol, timeframe }: { symbol: string; timeframe: string },
): Promise<void> {
  const users = await queries.usersOfDataset(symbol, timeframe)
  if (users.length === 0) return
  const named = users.slice(0, 10).join(', ')
  throw new Problem('dataset-in-use', `${symbol} ${timeframe} is being used by ${named}.`)
}

/** The body goes to disk first: a thread reads it there, whatever its size, and publishes all or nothing. */
async function importBars(
  rooms: DatasetRooms,
  request: ApiRequest<'importDataset'>,
  response: Response,
): Promise<void> {
  const { calendars, clock, config, imports } = rooms
  const { symbol, timeframe } = request.params
  const { calendar = null } = request.query
  await refuseWhileInUse(rooms, request.params)
  if (calendar !== null) checkCalendarName(calendars, calendar, '/query/calendar')
  const path = await receiveUpload(request, config.archive, { maxBytes: importBytes })
  try {
    // Long uploads leave time for an operation to begin: its bars and these would become a mixture.
    await refuseWhileInUse(rooms, request.params)
    const task = {
      home: config.archive,
      symbol,
      timeframe,
      format: request.headers['content-type'] === parquetBody ? 'parquet' : 'csv',
      path,
      calendar,
      definitions: config.calendars,
      source: 'import',
      now: clock.now(),
      pointer: '/path',
    } as const
    const { manifest, created, warnings } = await importFile(task, imports)
    response.status(created ? 201 : 200).json({ ...datasetOf(manifest), warnings })
  } finally {
    await rm(path, { force: true })
  }
}

/** @throws {Problem} 'dataset-not-found' */
export async function manifestOf(
  archive: BarsArchive,
  { symbol, timeframe }: { symbol: string; timeframe: string },
): Promise<Manifest> {
  const manifest = await archive.manifest(symbol, timeframe)
  if (manifest === null) throw await archive.notFound(symbol, timeframe)
  return manifest
}
