import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'

/*
 * s3rver takes any signature of version 4 for right. This stands before it and takes only right ones, as servers of
 * the world do: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */

const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()

type Keys = { readonly id: string; readonly secret: string }

/** @returns what a server answers to a request that is not signed well, as S3 calls it; null when it is */
export function faultOf(
  { method = '', url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Uint8Array,
  { id, secret }: Keys,
): string | null {
  const found = authorizationForm.exec(headers.authorization ?? '')
  if (found === null) return 'AccessDenied'
  const [, keyId = '', day = '', region = '', signed = '', signature = ''] = found
  if (keyId !== id) return 'InvalidAccessKeyId'
  const hashed = headers['x-amz-content-sha256']
  if (hashed !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const [path = '', query = ''] = url.split('?')
  const lines = signed.split(';').map(name => `${name}:${String(headers[name]).trim()}\n`)
  const canonical = [method, path, query, lines.join(''), signed, hashed].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [region, 's3', 'aws4_request'].reduce<Uint8Array>(hmac, hmac(`AWS4${secret}`, day))
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every(name => signed.split(';').includes(name)))
    return 'AccessDenied'
  return hmac(key, text).toString('hex') === signature ? null : 'SignatureDoesNotMatch'
}

/** A server on a free port that hands on what is signed well to another. */
export class SignatureCheck {
  readonly #server: Server
  /** So many further requests are answered that the server is busy. */
  busy = 0
  /** How each further request is refused; null: it is not. */
  refuses: (method: string, path: string) => readonly [status: number, code: string] | null = () => null
  /** What was stored: the paths of requests that were handed on. */
  readonly puts: string[] = []

  /** @param port of the server behind it */
  constructor(port: number, keys: Keys) {
    this.#server = createServer((incoming, response) => {
      this.#pass(incoming, response, { port, keys }).catch(() => response.destroy())
    })
  }

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #pass(
    incoming: IncomingMessage,
    response: ServerResponse,
    { port, keys }: { readonly port: number; readonly keys: Keys },
  ): Promise<void> {
    const body = Buffer.concat(await incoming.toArray())
    // A body in chunks is refused by servers that store files.
    if (incoming.method === 'PUT' && incoming.headers['content-length'] === undefined)
      return refuse(response, 411, 'MissingContentLength')
    const fault = faultOf(incoming, body, keys)
    if (fault !== null) return refuse(response, 403, fault)
    if (this.busy > 0) {
      this.busy--
      return refuse(response, 503, 'SlowDown')
    }
    const { method = '', url = '', headers } = incoming
    const refused = this.refuses(method, url)
    if (refused !== null) return refuse(response, ...refused)
    if (method === 'PUT') this.puts.push(url)
    const forward = request({ host: '127.0.0.1', port, method, path: url, headers }, answer => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    // The one behind is down: so is this.
    forward.on('error', () => response.destroy())
    forward.end(body)
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
}
