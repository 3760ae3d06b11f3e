import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { components } from '../../src/openapi.gen.ts'
import { eventsOf, type ServerEvent } from './event-stream.ts'

export type Operation = components['schemas']['Operation']
export type Problem = components['schemas']['Problem']
type Environment = Record<string, string>

/** Shared by all programs of the tests: each has a data folder of its own, which would be compiled for anew. */
export const compileCache = join(tmpdir(), 'ktrdr-test-compile-cache')
const root = fileURLToPath(new URL('../..', import.meta.url))
const terminal = ['completed', 'failed', 'cancelled']

/** An answer with its body read: JSON where it is JSON, text otherwise. */
export type Answer<T> = {
  readonly status: number
  readonly headers: Headers
  readonly body: T
  readonly text: string
}

/** Where the tests that start programs keep operations: the same tests hold for both. */
const inPostgres = process.env.KTRDR_TEST_DATABASE === 'postgres'

/**
 * The first program of a test file holds its answers to the contract. The others, and it when it is started again, do
 * not: each would compile the same schemas for two seconds of a core.
 */
let startedOne = false

const programs: Program[] = []
const folders: string[] = []

/** Where their files are: KTRDR_TEST_ARCHIVE=bucket puts them into one, with no folder that nodes share. */
const inBucket = process.env.KTRDR_TEST_ARCHIVE === 'bucket'

let stopServers: () => Promise<void> = async () => {}

let stopDatabases: () => Promise<void> = async () => {}

/** Loads what Postgres needs where it is needed. */
async function newDatabase(): Promise<string> {
  const { freshDatabase, stopPostgres } = await import('./postgres.ts')
  stopDatabases = stopPostgres
  return freshDatabase()
}

/** A place of its own in the bucket of this process. */
async function newBucket(): Promise<Environment> {
  const { sharedBucket, stopBuckets } = await import('./bucket.ts')
  stopServers = stopBuckets
  return (await sharedBucket()).environment()
}

const newFolder = (kind: string) => {
  const folder = mkdtempSync(join(tmpdir(), `ktrdr-${kind}-`))
  folders.push(folder)
  return folder
}

/**
 * Starts the real program on a free port with a data folder of its own; it ends with the test file. With
 * KTRDR_TEST_DATABASE=postgres it is the only node of a cluster with a database of its own; with KTRDR_TEST_ARCHIVE=bucket,
 * too, it is an API node, and a worker beside it shares no folder with it.
 * @param entry the file that runs: only a test that sets the clock gives another
 */
export async function startProgram(environment: Environment = {}, entry = 'src/main.ts'): Promise<Program> {
  const database: Environment = inPostgres ? { KTRDR_DATABASE_URL: await newDatabase() } : {}
  if (inPostgres && inBucket) return startPair({ ...database, ...(await newBucket()), ...environment }, entry)
  const program = new Program(newFolder('test'), { ...database, ...environment }, entry)
  programs.push(program)
  await program.start()
  return program
}

/** An API node and the worker that runs what it accepts. @returns the former */
async function startPair(environment: Environment, entry: string): Promise<Program> {
  const [program, worker] = (['api', 'worker'] as const).map(
    role => new Program(newFolder('test'), { ...environment, KTRDR_ROLE: role }, entry),
  )
  if (program === undefined || worker === undefined) throw new Error('there are two')
  programs.push(program, worker)
  await Promise.all([program.start(), worker.start()])
  return program
}

/** What the nodes of one cluster share. */
export type Cluster = {
  /** URL of its Postgres database. */
  readonly database: string
  /** Where its archive is: a folder, or a bucket. */
  readonly archive: Environment
}

/** A cluster without nodes: an empty database and an empty archive. @param archive variables that name another one */
export async function newCluster(archive: Environment | null = null): Promise<Cluster> {
  const folder = () => ({ KTRDR_ARCHIVE_URL: pathToFileURL(newFolder('archive')).href })
  return { database: await newDatabase(), archive: archive ?? (inBucket ? await newBucket() : folder()) }
}

/** Starts a node of a cluster, named after its role. @param environment wins over what a node is given */
export async function startNode(
  { database, archive }: Cluster,
  role: 'all' | 'api' | 'worker',
  environment: Environment = {},
): Promise<Program> {
  const program = new Program(
    newFolder('node'),
    {
      KTRDR_DATABASE_URL: database,
      ...archive,
      KTRDR_ROLE: role,
      KTRDR_NODE: role,
      ...environment,
    },
    'src/main.ts',
  )
  programs.push(program)
  await program.start()
  return program
}

/** For `afterAll`: stops every program of this file, removes its data folder, and fails on any warning of Node. */
export async function stopPrograms(): Promise<void> {
  const complaints: string[] = []
  for (const program of programs.splice(0)) {
    await program.kill()
    complaints.push(...program.output.split('\n').filter(line => /^\(node:\d+\)/.test(line)))
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  await stopDatabases()
  await stopServers()
  if (complaints.length > 0) throw new Error(`Node complained: ${complaints.join('\n')}`)
}

export class Program {
  readonly home: string
  readonly #environment: Environment
  readonly #entry: string
  #process: ChildProcess | null = null
  url = ''
  /** Everything it wrote to standard output and standard error. */
  output = ''

  constructor(home: string, environment: Environment, entry: string) {
    this.home = home
    this.#environment = { ...environment }
    this.#entry = entry
  }

  /** Starts (again) on the same data folder. @param more variables besides, from now on */
  async start(more: Environment = {}): Promise<void> {
    Object.assign(this.#environment, more)
    const checksAnswers = !startedOne
    startedOne = true
    const child = spawn(process.execPath, [this.#entry], {
      cwd: root,
      env: {
        PATH: process.env.PATH ?? '',
        KTRDR_HOME: this.home,
        KTRDR_PORT: '0',
        KTRDR_THREADS: '2',
        KTRDR_ENABLE_EXERCISE: 'true',
        KTRDR_VALIDATE_RESPONSES: String(checksAnswers),
        // On a crowded machine a thread may need long to hear of a cancel: tests of the grace itself set their own.
        KTRDR_CANCEL_GRACE_MS: '60000',
        NODE_COMPILE_CACHE: compileCache,
        ...this.#environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    child.stdout.on('data', chunk => {
      this.output += chunk
    })
    this.url = await new Promise((resolve, reject) => {
      let errors = ''
      child.stderr.on('data', chunk => {
        errors += chunk
        this.output += chunk
        const ready = /ktrdr is ready at (\S+)[\s\S]*stop {9}/.exec(errors)
        if (ready?.[1] !== undefined) resolve(ready[1])
      })
      child.once('exit', code => reject(new Error(`the program ended with code ${code}: ${this.output}`)))
    })
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** kill -9, at once. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Sends a signal and @returns the exit code. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process
    if (child === null) return null
    const exit = once(child, 'exit')
    child.kill(signal)
    const [code] = await exit
    return code
  }

  sendSignal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  async exit(): Promise<number | null> {
    const child = this.#process
    if (child === null || child.exitCode !== null) return child?.exitCode ?? null
    const [code] = await once(child, 'exit')
    return code
  }

  async request<T = unknown>(
    method: string,
    path: string,
    options: {
      body?: unknown
      raw?: string | Uint8Array | ReadableStream
      headers?: Record<string, string>
      signal?: AbortSignal
    } = {},
  ): Promise<Answer<T>> {
    const json = options.body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...json, ...options.headers },
      redirect: 'manual',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.raw !== undefined
        ? { body: options.raw }
        : options.body === undefined
          ? {}
          : { body: JSON.stringify(options.body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    }
  }

  get<T = unknown>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.request<T>('GET', path, { headers })
  }

  /** Starts an operation; fails the test when it is refused. */
  async submit(
    type: string,
    params: object,
    more: object = {},
    headers: Record<string, string> = {},
  ): Promise<Operation> {
    const answer = await this.request<Operation>('POST', '/api/v1/operations', {
      body: { type, params, ...more },
      headers,
    })
    if (answer.status !== 202) throw new Error(`submit answered ${answer.status}: ${answer.text}`)
    return answer.body
  }

  async operation(id: string): Promise<Operation> {
    return (await this.get<Operation>(`/api/v1/operations/${id}`)).body
  }

  cancel(id: string, reason?: string): Promise<Answer<Operation>> {
    return this.request<Operation>(
      'DELETE',
      `/api/v1/operations/${id}/cancel`,
      reason === undefined ? {} : { body: { reason } },
    )
  }

  /** Waits by long-poll until `done` says so. */
  async until(id: string, done: (operation: Operation) => boolean, seconds = 100): Promise<Operation> {
    const deadline = Date.now() + seconds * 1000
    let operation = await this.operation(id)
    while (!done(operation)) {
      if (Date.now() > deadline)
        throw new Error(
          `${id} is still ${operation.status} at ${operation.progress} %: ${JSON.stringify(operation)}`,
        )
      const { body } = await this.get<Operation>(
        `/api/v1/operations/${id}?wait=5&revision=${operation.revision}`,
      )
      operation = body
    }
    return operation
  }

  /** Waits for its end. */
  end(id: string, seconds = 100): Promise<Operation> {
    return this.until(id, operation => terminal.includes(operation.status), seconds)
  }

  /** Follows it by server-sent events. */
  events(path: string, headers: Record<string, string> = {}): AsyncGenerator<ServerEvent> {
    return eventsOf(`${this.url}${path}`, headers)
  }
}
