import { isUtf8 } from 'node:buffer'
import express, { type RequestHandler } from 'express'
import { Problem } from '../problems.ts'
import { hasBody, parquetBody, unknownBody } from './guard.ts'
import { bodyBytes, importBytes } from './limits.ts'

/** A body other than an import must arrive within this time. */
const bodyTimeoutMs = 30_000

/** Reads JSON and YAML bodies. An import stays a stream: its handler reads it. */
export function bodies(): RequestHandler[] {
  const check: RequestHandler = (request, _response, next) => {
    if (!hasBody(request)) return next()
    const { 'content-type': contentType, 'content-encoding': encoding = 'identity' } = request.headers
    if (contentType === unknownBody) {
      throw new Problem(
        'unsupported-media-type',
        'The body must be application/json, application/yaml or text/csv in UTF-8, or Parquet, as the contract says for this address.',
      )
    }
    if (
      request.method === 'PUT' &&
      request.path.startsWith('/api/v1/datasets/') &&
      /json|yaml/.test(contentType ?? '')
    )
      throw new Problem('unsupported-media-type', `An import must be text/csv or ${parquetBody}.`)
    const isImport = contentType === 'text/csv' || contentType === parquetBody
    if (isImport && encoding.toLowerCase() !== 'identity')
      throw new Problem('unsupported-media-type', `An import cannot be ${encoding}: send it uncompressed.`)
    checkLength(Number(request.headers['content-length'] ?? 0), isImport ? importBytes : bodyBytes)
    if (!isImport) {
      const late = () =>
        next(new Problem('request-timeout', `The body did not arrive within ${bodyTimeoutMs / 1000} s.`))
      const timer = setTimeout(late, bodyTimeoutMs)
      request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer))
    }
    next()
  }
  return [
    check,
    express.json({ limit: bodyBytes, strict: false, verify: checkJson }),
    express.raw({ limit: bodyBytes, type: 'application/yaml' }),
    decodeYaml,
  ]
}

const checkJson = (_request: unknown, _response: unknown, bytes: Buffer): void =>
  checkUtf8(bytes, 'malformed-json')

const decodeYaml: RequestHandler = (request, _response, next) => {
  if (!Buffer.isBuffer(request.body)) return next()
  checkUtf8(request.body, 'invalid-request')
  request.body = new TextDecoder().decode(request.body)
  next()
}

/** A parser of texts would put other characters in place of bytes that are none, and they would be stored. */
function checkUtf8(bytes: Buffer, code: 'malformed-json' | 'invalid-request'): void {
  if (isUtf8(bytes)) return
  const message = 'the text is not UTF-8'
  throw new Problem(code, `The body cannot be read: ${message}.`, {
    errors: [{ pointer: '/body', code: 'encoding', message }],
    hint: 'Save the text in UTF-8 and send it again.',
  })
}

/** The parsers would take all of a body before they refuse it. */
function checkLength(length: number, limit: number): void {
  if (length > limit)
    throw new Problem('body-too-large', `The body has ${length} bytes; at most ${limit} are taken here.`)
}
