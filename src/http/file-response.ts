import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { parseRange } from './byte-range.ts'
import { matchesETag } from './etag.ts'

/** A file as it is answered. `etag` is strong: it changes with the bytes. */
export type FileAnswer = {
  readonly path: string
  readonly contentType: string
  readonly filename: string
  readonly etag: string
}

/** The part of a request that is read here, whatever its parameters are. */
type Asking = Pick<Request, 'get' | 'headOnly'>

/**
 * Sends a file, or the one range of it that was asked for, as fast as the client reads.
 * @throws {Problem} 'range-not-satisfiable'
 */
export async function sendFile(request: Asking, response: Response, file: FileAnswer): Promise<void> {
  // Compressed bytes would be other bytes than those that ranges and tags speak of.
  response.set({
    ETag: file.etag,
    'Cache-Control': 'private, no-cache, no-transform',
    Vary: 'Accept',
    'Accept-Ranges': 'bytes',
  })
  if (matchesETag(request.get('If-None-Match'), file.etag)) {
    response.status(304).end()
    return
  }
  const { size } = await stat(file.path)
  const range = readRange(request, response, file.etag, size)
  const { start, end } = range ?? { start: 0, end: size - 1 }
  response.status(range === null ? 200 : 206).set({
    'Content-Type': file.contentType,
    'Content-Length': String(end - start + 1),
    'Content-Disposition': `inline; filename="${file.filename}"`,
    ...(range === null ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` }),
  })
  if (request.headOnly || size === 0) {
    response.end()
    return
  }
  await pipeline(createReadStream(file.path, { start, end }), response).catch((error: unknown) => {
    // A client that leaves in the middle is not an error of ours.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'))
      throw error
  })
}

/** `If-Range` with another tag means: if the bytes changed, send everything. */
function readRange(request: Asking, response: Response, etag: string, size: number) {
  const condition = request.get('If-Range')
  if (condition !== undefined && condition.trim() !== etag) return null
  try {
    return parseRange(request.get('Range'), size)
  } catch (error) {
    response.set('Content-Range', `bytes */${size}`).removeHeader('ETag')
    throw error
  }
}
