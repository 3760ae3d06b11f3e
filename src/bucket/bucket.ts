import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, openAsBlob } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as setTimeoutAsync } from 'node:timers/promises'
import { AwsV4Signer } from 'aws4fetch'
import { makeFolder } from '../archive/atomic.ts'
import type { BucketSettings } from '../config.ts'
import { errorFields, type Log } from '../log.ts'
import { Problem } from '../problems.ts'

/** What a file is by its bytes. */
export type Digest = { readonly sha256: string; readonly size_bytes: number }

/** For how long a bucket that does not answer is asked again. */
const patienceMs = 30_000
const firstPauseMs = 100
const longestPauseMs = 3_000
/** For an answer, and a second more for each MiB that goes over the wire. */
const timeoutMs = 20_000
/** Requests at the same time. */
const maxRequests = 8

const emptySha256 = createHash('sha256').digest('hex')

/** Answers after which the same request may be taken: too many, busy, or an error of the server's own. */
const passing = new Set([408, 429, 500, 502, 503, 504])
const passingCodes = new Set(['SlowDown', 'RequestTimeout', 'InternalError', 'ServiceUnavailable'])

type Request = {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  readonly key: string
  readonly sha256: string
  readonly body: Blob | null
  readonly bytes: number
}

/** An answer that is not going to change by asking again. */
export class BucketRefusal extends Error {
  readonly status: number
  /** As the server calls it, e.g. `NoSuchBucket`; empty when it did not say. */
  readonly code: string

  /** The bucket does not take this object, now or later. */
  readonly isFinal: boolean

  constructor(request: Pick<Request, 'method' | 'key'>, status: number, code: string) {
    const what = `${request.method} of ${request.key}`
    const isUpload = request.method === 'PUT'
    super(`${what} was answered ${status}${code === '' ? '' : ` ${code}`}`)
    this.name = 'BucketRefusal'
    this.status = status
    this.code = code
    this.isFinal =
      isUpload && (limits.test(code) || (status >= 400 && status < 500 && !curable(status, code)))
  }
}

/** What a bucket says when it takes no such object, or nothing more. */
const limits = /Quota|TooLarge|EntityTooSmall/
/** Refusals that end when somebody corrects a right, a key or a clock, or when the same is sent once more. */
const curable = (status: number, code: string): boolean =>
  [401, 403, 404, 409, 412].includes(status) || /Token|Digest|SHA256|Incomplete|Authorization|Time/.test(code)

/** Something that passes: a broken connection, a busy server. */
class Passing extends Error {}

/** The objects of a bucket that speaks S3. Addresses are `{endpoint}/{bucket}/{key}`, which every such server understands. */
export class Bucket {
  readonly #settings: BucketSettings
  readonly #log: Log
  readonly #closing = new AbortController()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(settings: BucketSettings, log: Log) {
    this.#settings = settings
    this.#log = log
  }

  /** The key of an object that belongs to the archive. */
  keyOf(name: string): string {
    const { prefix } = this.#settings
    return prefix === '' ? name : `${prefix}/${name}`
  }

  /**
   * Writes, reads and deletes an object of its own. @param path of a file that is not there, nor is it afterwards
   * @throws {BucketRefusal} when one of them is not allowed  @throws {Problem} 'archive-unavailable'
   */
  async tryOut(path: string): Promise<void> {
    const key = this.keyOf(`probe~${randomUUID()}`)
    const bytes = Buffer.from('ktrdr')
    await this.putBytes(key, bytes)
    const received = await this.#receive(key, path, bytes.length).finally(() => rm(path, { force: true }))
    if (received.sha256 !== createHash('sha256').update(bytes).digest('hex'))
      throw unavailable(this.#settings, 'an object that was just stored cannot be read')
    await this.remove(key)
  }

  /** Uploads a file; the server compares what arrives with the hash. @throws {Problem} 'archive-unavailable' */
  async put(key: string, path: string, { sha256, size_bytes }: Digest): Promise<void> {
    // Read from the disk as it is sent, from the start at each try.
    const body = await openAsBlob(path)
    await this.#send({ method: 'PUT', key, sha256, body, bytes: size_bytes }, async response => {
      await response.body?.cancel()
    })
  }

  /** Uploads a few bytes. @returns what they are  @throws {Problem} 'archive-unavailable' */
  async putBytes(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<Digest> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const body = new Blob([bytes])
    await this.#send({ method: 'PUT', key, sha256, body, bytes: bytes.length }, async response => {
      await response.body?.cancel()
    })
    return { sha256, size_bytes: bytes.length }
  }

  /**
   * Writes an object into a file that is not there yet, and is on the disk when this resolves.
   * @returns what was received; null when there is no such object  @throws {Problem} 'archive-unavailable'
   */
  async get(key: string, path: string, expectedBytes: number): Promise<Digest | null> {
    try {
      return await this.#receive(key, path, expectedBytes)
    } catch (error) {
      await rm(path, { force: true })
      if (isMissingObject(error)) return null
      // Amazon denies what is not there to a key that may not list objects, though it may read what is there.
      const mayRead = isDenied(error) && (await this.tryOut(path).then(...answersWhether))
      if (mayRead) return null
      throw error
    }
  }

  #receive(key: string, path: string, bytes: number): Promise<Digest> {
    const request: Request = { method: 'GET', key, sha256: emptySha256, body: null, bytes }
    return this.#send(request, response => receive(response, path))
  }

  /** Deletes an object; one that is gone is deleted. @throws {Problem} 'archive-unavailable' */
  async remove(key: string): Promise<void> {
    try {
      await this.#send(
        { method: 'DELETE', key, sha256: emptySha256, body: null, bytes: 0 },
        async response => {
          await response.body?.cancel()
        },
      )
    } catch (error) {
      if (!isMissingObject(error)) throw error
    }
  }

  /** Gives up whatever is under way. */
  close(): void {
    this.#closing.abort()
  }

  async #send<T>(request: Request, read: (response: Response) => Promise<T>): Promise<T> {
    let until = Number.POSITIVE_INFINITY
    // Patience is with the bucket, not with those that came before.
    const begin = () => {
      if (until === Number.POSITIVE_INFINITY) until = performance.now() + patienceMs
      return this.#try(request, read)
    }
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      try {
        return await this.#inTurn(begin)
      } catch (error) {
        if (!(error instanceof Passing)) throw this.#closing.signal.aborted ? closed() : error
        if (performance.now() + pauseMs > until) throw unavailable(this.#settings, error.message)
        if (pauseMs === firstPauseMs)
          this.#log.warn('bucket.delayed', { method: request.method, key: request.key, error: error.message })
      }
      await setTimeoutAsync(pauseMs, null, { signal: this.#closing.signal }).catch(() => {
        throw closed()
      })
    }
  }

  async #try<T>(request: Request, read: (response: Response) => Promise<T>): Promise<T> {
    const { method, body, bytes } = request
    const { url, headers } = await this.#sign(request)
    const timeout = AbortSignal.timeout(timeoutMs + Math.ceil(bytes / 1_048.576))
    const signal = AbortSignal.any([this.#closing.signal, timeout])
    let response: Response
    try {
      response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
      if (response.ok) return await read(response)
    } catch (error) {
      if (this.#closing.signal.aborted || isLocal(error)) throw error
      throw new Passing(errorFields(error).error, { cause: error })
    }
    const code = await codeIn(response)
    if (passing.has(response.status) || passingCodes.has(code))
      throw new Passing(`${response.status} ${code}`.trim())
    throw new BucketRefusal(request, response.status, code)
  }

  #sign({ method, key, sha256 }: Request): Promise<{ url: URL; headers: Headers }> {
    const { endpoint, bucket, region, accessKeyId, secretAccessKey, sessionToken } = this.#settings
    const path = key.split('/').map(encodeURIComponent).join('/')
    return new AwsV4Signer({
      method,
      url: `${endpoint}/${bucket}/${path}`,
      headers: { 'x-amz-content-sha256': sha256 },
      ...{ accessKeyId, secretAccessKey, region, service: 's3' },
      ...(sessionToken === null ? {} : { sessionToken }),
    }).sign()
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxRequests) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

/** What a file is by its bytes. */
export async function digestOf(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  let size_bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) {
    hash.update(chunk)
    size_bytes += chunk.length
  }
  return { sha256: hash.digest('hex'), size_bytes }
}

/** Where a bucket is, without any key. */
export const describeBucket = ({ endpoint, bucket, prefix }: BucketSettings): string =>
  `s3://${[bucket, prefix].filter(part => part !== '').join('/')} at ${endpoint}`

async function receive(response: Response, path: string): Promise<Digest> {
  await makeFolder(dirname(path))
  const hash = createHash('sha256')
  let size_bytes = 0
  const file = await open(path, 'w', 0o600)
  try {
    for await (const chunk of response.body ?? []) {
      hash.update(chunk)
      size_bytes += chunk.length
      await file.writeFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { sha256: hash.digest('hex'), size_bytes }
}

const isMissingObject = (error: unknown): boolean =>
  error instanceof BucketRefusal && error.status === 404 && error.code !== 'NoSuchBucket'

const answersWhether = [() => true, () => false] as const

const isDenied = (error: unknown): boolean =>
  error instanceof BucketRefusal && error.status === 403 && error.code === 'AccessDenied'

/** What the operating system calls a disk that does not take or give what is asked. */
const diskCodes = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES'])

/** An error of the disk, which asking again does not cure. */
export function isLocal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('name' in error && error.name === 'NotReadableError') return true
  // Of an open file it has no path.
  if ('code' in error && diskCodes.has(String(error.code))) return true
  return (
    'syscall' in error &&
    ['open', 'write', 'fsync', 'read', 'mkdir'].includes(String(error.syscall)) &&
    'path' in error
  )
}

async function codeIn(response: Response): Promise<string> {
  const text = await response.text().catch(() => '')
  return /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1] ?? ''
}

/** @param why never holds a key */
export function unavailable(settings: BucketSettings, why: string): Problem {
  return new Problem(
    'archive-unavailable',
    `The bucket ${describeBucket(settings)} cannot be used: ${why}.`,
    {
      hint: 'Try again in a moment. If it stays so, look at the bucket, at KTRDR_S3_ENDPOINT and at the keys.',
    },
  )
}

/** To who asks while a node stops. */
export const closed = (): Problem => new Problem('draining', 'The server is stopping.')
