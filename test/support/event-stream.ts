/** One server-sent event, its data parsed. */
export type ServerEvent = {
  readonly id: string | null
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Reads a stream of server-sent events; ends with the stream, or when the consumer leaves the loop. */
export async function* eventsOf(
  url: string,
  headers: Record<string, string> = {},
): AsyncGenerator<ServerEvent> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers, signal: leaving.signal })
  if (response.status === 204) return
  if (response.status !== 200 || response.body === null)
    throw new Error(`the stream answered ${response.status}: ${await response.text()}`)
  const decoder = new TextDecoder()
  let buffer = ''
  try {
    for await (const chunk of response.body) {
      buffer += decoder.decode(chunk, { stream: true })
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
        const event = parse(buffer.slice(0, end))
        buffer = buffer.slice(end + 2)
        if (event !== null) yield event
      }
    }
  } finally {
    leaving.abort()
  }
}

function parse(block: string): ServerEvent | null {
  const field = (name: string) =>
    block
      .split('\n')
      .filter(line => line.startsWith(`${name}:`))
      .map(line => line.slice(name.length + 1).replace(/^ /, ''))
  const data = field('data')
  if (data.length === 0) return null
  return {
    id: field('id')[0] ?? null,
    event: field('event')[0] ?? 'message',
    data: JSON.parse(data.join('\n')),
  }
}
