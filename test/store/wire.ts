import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** How the connection of the next COMMIT breaks. */
type Cut =
  /** Before the server gets it. */
  | 'before'
  /** After the server has done it, and before whoever asked hears of it. */
  | 'after'

const open = new Set<Wire>()

/** For `afterAll`: closes what a failed test left. */
export function closeWires(): void {
  for (const wire of open) wire.close()
}

/** A wire between a store and its Postgres, which can be cut at the worst moments. */
export class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut: Cut | null = null
  /** How often it was cut. */
  cuts = 0

  /** @param url of the database behind the wire */
  static async to(url: string): Promise<{ wire: Wire; url: string }> {
    const target = new URL(url)
    const wire = new Wire(Number(target.port))
    open.add(wire)
    await once(wire.#server.listen(0, '127.0.0.1'), 'listening')
    const address = wire.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    target.port = String(address.port)
    return { wire, url: target.href }
  }

  private constructor(port: number) {
    this.#server = createServer(near => {
      const far = connect(port, '127.0.0.1')
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          near.destroy()
          far.destroy()
        })
      }
      this.#join(near, far)
    })
  }

  cutAtCommit(cut: Cut): void {
    this.#cut = cut
  }

  close(): void {
    open.delete(this)
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(near: Socket, far: Socket): void {
    let isDeaf = false
    near.on('data', chunk => {
      const cut = chunk.includes('commit\0') ? this.#cut : null
      if (cut !== null) {
        this.cuts += 1
        this.#cut = null
      }
      isDeaf ||= cut === 'after'
      if (cut === 'before') {
        near.destroy()
        return
      }
      if (!far.destroyed) far.write(chunk)
    })
    far.on('data', chunk => {
      if (isDeaf) near.destroy()
      else near.write(chunk)
    })
  }
}
