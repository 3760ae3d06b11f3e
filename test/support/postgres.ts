import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'

export type PostgresSettings = {
  /** Off by default: nothing in a test has to survive a power cut. */
  readonly fsync?: boolean
  /** Further settings of the server, e.g. `{ log_min_messages: 'warning' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

type Suite = (name: string, body: () => void) => void

/** What asks `sh` to run Postgres and to stop it when whoever started it is gone, however that ended. */
const guard = '"$@" </dev/null & server=$!; cat >/dev/null; kill -INT $server 2>/dev/null; wait $server'

let shared: Promise<PostgresServer> | null = null
let databases = 0

/** The folder of the newest installed Postgres: PG_BIN, PATH, then Debian's place. null: there is none. */
export function findPostgres(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = foldersOf(debian).sort((a, b) => Number(b) - Number(a))
  const places = [
    ...(process.env.PG_BIN === undefined ? [] : [process.env.PG_BIN]),
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map(version => join(debian, version, 'bin')),
  ]
  return places.find(place => isProgram(join(place, 'initdb')) && isProgram(join(place, 'postgres'))) ?? null
}

/**
 * `describe` where Postgres is installed. Elsewhere the suite is skipped, loudly; with `CI` set it fails instead.
 * @param describe jest's, so that this file can be used outside of jest too
 */
export function withPostgres(describe: Suite & { readonly skip: Suite }): Suite {
  if (findPostgres() !== null) return describe
  const missing = 'Postgres is not installed (set PG_BIN, or install it): the cluster is NOT tested.'
  if (process.env.CI !== undefined) throw new Error(missing)
  process.stderr.write(`\n*** ${missing} ***\n\n`)
  return describe.skip
}

/** The server of this process, started at the first call. */
export function startPostgres(settings: PostgresSettings = {}): Promise<PostgresServer> {
  shared ??= PostgresServer.make(settings)
  return shared
}

/** For `afterAll`: ends the server of this process and removes its folder. */
export async function stopPostgres(): Promise<void> {
  const server = await shared
  shared = null
  await server?.remove()
}

/** @returns the URL of a new, empty database of the server of this process */
export async function freshDatabase(): Promise<string> {
  return (await startPostgres()).freshDatabase()
}

/** A real Postgres in a temporary folder, on a free port of this machine. It ends with the process that started it. */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  readonly #bin: string
  readonly #arguments: readonly string[]
  #process: ChildProcess | null = null

  static async make(settings: PostgresSettings): Promise<PostgresServer> {
    const bin = findPostgres()
    if (bin === null) throw new Error('Postgres is not installed: set PG_BIN to the folder of its programs')
    const folder = mkdtempSync(join(tmpdir(), 'ktrdr-postgres-'))
    const owner = unprivileged()
    if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid)
    const initdb = spawnSync(
      join(bin, 'initdb'),
      ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...owner, cwd: folder, encoding: 'utf8' },
    )
    if (initdb.status !== 0) throw new Error(`initdb failed: ${initdb.stderr}`)
    const server = new PostgresServer(bin, folder, await freePort(), settings)
    await server.start()
    return server
  }

  private constructor(bin: string, folder: string, port: number, { fsync, settings }: PostgresSettings) {
    this.#bin = bin
    this.#folder = folder
    this.port = port
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '200',
      shared_buffers: '64MB',
      fsync: fsync === true ? 'on' : 'off',
      full_page_writes: fsync === true ? 'on' : 'off',
      timezone: 'UTC',
      ...settings,
    }
    this.#arguments = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  }

  /** The URL of one of its databases. */
  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`
  }

  /** Starts it (again) on the same port with what it holds; resolves when it takes connections. */
  async start(): Promise<void> {
    const program = join(this.#bin, 'postgres')
    const child = spawn('sh', ['-c', guard, 'sh', program, '-D', this.#data, ...this.#arguments], {
      ...unprivileged(),
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      let output = ''
      child.stderr.on('data', chunk => {
        if (output.length > 100_000) return
        output += chunk
        if (output.includes('database system is ready to accept connections')) resolve()
      })
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`postgres ended: ${output}`)))
    })
  }

  /** @param how fast: breaks every connection; immediate: as if it had crashed. */
  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    process.kill(this.pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    child.stdin?.end()
    await gone
    this.#process = null
  }

  /** The process id of the running server. */
  get pid(): number {
    return Number(readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n')[0])
  }

  /** @returns the URL of a new, empty database */
  async freshDatabase(): Promise<string> {
    databases += 1
    const name = `ktrdr_${process.pid}_${databases}`
    const client = new pg.Client(this.url())
    await client.connect()
    await client.query(`create database ${name} template template0`)
    await client.end()
    return this.url(name)
  }

  /** Stops it and removes its folder. */
  async remove(): Promise<void> {
    await this.stop('immediate')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }
}

/** Postgres refuses to run as root: it is given to the user of its package, else to nobody. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
  const user = ['postgres', 'nobody'].map(name => users.find(([known]) => known === name)).find(Boolean)
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) }
}

function foldersOf(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    // Not Debian.
    return []
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
