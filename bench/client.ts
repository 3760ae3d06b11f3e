import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { components } from '../src/openapi.gen.ts'

export type Operation = components['schemas']['Operation']

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** From the call to the last byte. */
  readonly elapsedMs: number
}

export type Event = { readonly name: string; readonly data: unknown; readonly atMs: number }

type Asked = { readonly method?: string; readonly body?: object; readonly headers?: OutgoingHttpHeaders }

const operations = '/api/v1/operations'

/** A client with keep-alive connections that costs as little as possible. Times are those of `performance.now`. */
export class Client {
  readonly #base: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 })

  constructor(base: string) {
    this.#base = base
  }

  send(path: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<Answer> {
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body))
    const content =
      bytes === null ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }
    const startedAt = performance.now()
    return new Promise((resolve, reject) => {
      const asking = request(
        `${this.#base}${path}`,
        { method, agent: this.#agent, headers: { ...content, ...headers } },
        response => {
          let text = ''
          response.setEncoding('utf8').on('data', chunk => {
            text += chunk
          })
          response.once('error', reject).once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text,
              elapsedMs: performance.now() - startedAt,
            }),
          )
        },
      )
      asking.once('error', reject)
      asking.setNoDelay(true)
      asking.end(bytes ?? undefined)
    })
  }

  /** @throws unless it is answered with 200 or 202 */
  async json<T>(path: string, asked: Asked = {}): Promise<T> {
    const { status, text } = await this.send(path, asked)
    if (status !== 200 && status !== 202)
      throw new Error(`${asked.method ?? 'GET'} ${path} answered ${status}: ${text}`)
    return JSON.parse(text)
  }

  submit(type: string, params: object, headers: OutgoingHttpHeaders = {}): Promise<Operation> {
    return this.json(operations, { method: 'POST', body: { type, params }, headers })
  }

  /** Starts an operation and waits for its end. @throws unless it completed */
  async complete(type: string, params: object): Promise<Operation> {
    const operation = await this.submit(type, params, { prefer: 'wait=30' })
    if (operation.status !== 'completed')
      throw new Error(`${type} did not complete: ${JSON.stringify(operation)}`)
    return operation
  }

  /** Asks until `done` says so. @throws after `limitMs` */
  async until(id: string, done: (operation: Operation) => boolean, limitMs = 60_000): Promise<Operation> {
    const deadline = performance.now() + limitMs
    for (;;) {
      const operation = await this.json<Operation>(`${operations}/${id}`)
      if (done(operation)) return operation
      if (performance.now() > deadline) throw new Error(`${id} is still ${operation.status}`)
      await sleep(2)
    }
  }

  /**
   * Follows an operation by server-sent events.
   * @param fail told when the stream is refused or breaks
   * @returns a function that leaves
   */
  follow(id: string, hear: (event: Event) => void, fail: (error: Error) => void): () => void {
    return this.followPath(`${operations}/${id}/events`, hear, fail)
  }

  /** As `follow`, any event stream. */
  followPath(path: string, hear: (event: Event) => void, fail: (error: Error) => void): () => void {
    let hasLeft = false
    const failUnlessLeft = (error: Error) => {
      if (!hasLeft) fail(error)
    }
    const asking = request(`${this.#base}${path}`, { agent: false }, response => {
      if (response.statusCode !== 200) fail(new Error(`${path} answered ${response.statusCode}`))
      response.on('error', failUnlessLeft)
      hearEvents(response, hear)
    })
    asking.on('error', failUnlessLeft)
    asking.end()
    return () => {
      hasLeft = true
      asking.destroy()
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

function hearEvents(response: IncomingMessage, hear: (event: Event) => void): void {
  let buffer = ''
  response.setEncoding('utf8').on('data', chunk => {
    const atMs = performance.now()
    const blocks = (buffer + chunk).split('\n\n')
    buffer = blocks.pop() ?? ''
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (name !== undefined && data !== undefined) hear({ name, data: JSON.parse(data), atMs })
    }
  })
}

export const operationPath = (id: string): string => `${operations}/${id}`
export const operationsPath = operations
