import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import type { BarsArchive, Manifest } from '../../archive/bars.ts'
import type { Renditions } from '../../archive/renditions.ts'
import { tableMediaTypes } from '../../archive/tables.ts'
import type { Clock } from '../../clock.ts'
import type { Bars } from '../../market/bars.ts'
import { CsvBarsReader } from '../../market/csv.ts'
import { type Timeframe, timeframeNames, timeframes } from '../../market/timeframe.ts'
import { momentMs } from '../../operations/moment.ts'
import { Problem } from '../../problems.ts'
import { vendors } from '../../vendors/registry.ts'
import { matchesETag } from '../etag.ts'
import { sendFile } from '../file-response.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { importBytes } from '../limits.ts'
import { chooseTableFormat, contentTypeOf } from '../table-format.ts'

type Names = 'listDatasets' | 'getDatasetBars' | 'importDataset' | 'listVendors' | 'listTimeframes'

/** Stored bars, and where bars can come from. */
export function datasetRoutes(archive: BarsArchive, renditions: Renditions, clock: Clock): Some<Names> {
  return {
    listDatasets: async (_request, response) => {
      response.json({ items: await archive.list() })
    },
    getDatasetBars: (request, response) => sendBars(archive, renditions, request, response),
    importDataset: async (request, response) => {
      const { symbol, timeframe } = request.params
      const bars = await readCsv(request, timeframe)
      const { manifest, created } = await archive.publish(symbol, timeframe, bars, {
        source: 'import',
        now: clock.now(),
        pointer: '/path',
      })
      response.status(created ? 201 : 200).json(manifest)
    },
    listVendors: (_request, response) => {
      response.json({
        items: Object.values(vendors).map(({ name: vendor, description, network }) => ({
          vendor,
          description,
          network,
        })),
      })
    },
    listTimeframes: (_request, response) => {
      const items = timeframeNames.map(timeframe => ({
        timeframe,
        durationMs: timeframes[timeframe].durationMs,
      }))
      response.json({
        items: items.map(({ timeframe, durationMs }) => ({
          timeframe,
          seconds: durationMs === null ? null : durationMs / 1000,
        })),
      })
    },
  }
}

/** Everything comes as a file that is rendered once, a part is cut out for each request; long ones in a thread. */
async function sendBars(
  archive: BarsArchive,
  renditions: Renditions,
  request: ApiRequest<'getDatasetBars'>,
  response: Response,
): Promise<void> {
  const range = readRange(request.query)
  const format = chooseTableFormat(request)
  const { symbol, timeframe, sha256, bars } = await manifestOf(archive, request.params)
  const [contentType, etag] = [contentTypeOf(tableMediaTypes[format]), `"${sha256}-${format}"`]
  if (range.start === null && range.end === null) {
    const path = await renditions.renditionOf(archive.segmentPath(symbol, timeframe, sha256), format)
    return sendFile(request, response, {
      path,
      contentType,
      filename: `${symbol}_${timeframe}.${format}`,
      etag,
    })
  }
  response.set({ ETag: etag, 'Cache-Control': 'private, no-cache', Vary: 'Accept' })
  if (matchesETag(request.get('If-None-Match'), etag)) {
    response.status(304).end()
    return
  }
  const segment = archive.segment(symbol, timeframe, sha256)
  const bytes = await renditions.sliceOf({ segment, ...range, format }, bars)
  response.set('Content-Type', contentType).end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

async function manifestOf(
  archive: BarsArchive,
  { symbol, timeframe }: { symbol: string; timeframe: string },
): Promise<Manifest> {
  const manifest = await archive.manifest(symbol, timeframe)
  if (manifest === null)
    throw new Problem('dataset-not-found', `There are no bars of ${symbol} ${timeframe}.`)
  return manifest
}

/** Reads while the body arrives: what is kept in memory are the bars, not the text. */
async function readCsv(request: IncomingMessage, timeframe: Timeframe): Promise<Bars> {
  const tooLarge = () => new Problem('body-too-large', `An import may have at most ${importBytes} bytes.`)
  const reader = new CsvBarsReader({ timeframe })
  let received = 0
  // Left early, the iterator would destroy the connection before the client has read what is wrong.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    received += chunk.length
    if (received > importBytes) throw tooLarge()
    reader.write(chunk)
  }
  return reader.end()
}

type Range = { readonly start: number | null; readonly end: number | null }

/** @throws {Problem} 'params-invalid' unless both exist in the calendar and start < end */
function readRange(query: ApiRequest<'getDatasetBars'>['query']): Range {
  const start = momentMs(query.start, '/query/start')
  const end = momentMs(query.end, '/query/end')
  if (start !== null && end !== null && start >= end) {
    const message = `start (${query.start}) must be before end (${query.end})`
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: '/query/start', code: 'range', message }],
    })
  }
  return { start, end }
}
