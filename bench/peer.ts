import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { adopt } from './server.ts'

/** What the peer answers: to a GET 200 or 304, to a POST 202 after parsing the body. */
export type PeerAnswers = { readonly body: string; readonly headers: Readonly<Record<string, string>> }

/** Runs `use` with the address of a bare `node:http` server in a child process that answers the same bytes. */
export async function withPeer<T>(answers: PeerAnswers, use: (url: string) => Promise<T>): Promise<T> {
  const child = adopt(
    spawn(process.execPath, [import.meta.filename, JSON.stringify(answers)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  try {
    const [line] = await once(child.stdout, 'data')
    return await use(String(line).trim())
  } finally {
    child.kill('SIGKILL')
  }
}

function answering({
  body,
  headers,
}: PeerAnswers): (request: IncomingMessage, response: ServerResponse) => void {
  const length = Buffer.byteLength(body)
  return (request, response) => {
    if (request.method === 'POST') {
      let text = ''
      request.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      request.once('end', () => {
        JSON.parse(text)
        response.writeHead(202, { ...headers, 'content-length': length }).end(body)
      })
    } else if (headers.etag !== undefined && request.headers['if-none-match'] === headers.etag) {
      response.writeHead(304, { etag: headers.etag }).end()
    } else {
      response.writeHead(200, { ...headers, 'content-length': length }).end(body)
    }
  }
}

if (import.meta.main) {
  const server = createServer(answering(JSON.parse(process.argv[2] ?? '{}')))
  server.listen(0, '127.0.0.1', () =>
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
  )
}
