import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const startLimitMs = 120_000

type Environment = Readonly<Record<string, string>>

const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Remembers a child so that it ends with the bench, however that ends. */
export function adopt<T extends ChildProcess>(child: T): T {
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  return child
}

/** The real program as a child process, on a free port. Its log goes to a file in the data folder, as it would in earnest. */
export class BenchServer {
  readonly home: string
  readonly #environment: Environment
  #child: ChildProcess | null = null
  url = ''

  constructor(home: string, environment: Environment = {}) {
    this.home = home
    this.#environment = environment
  }

  /** Starts (again) on the same data folder. @returns milliseconds from spawn to the ready line */
  async start(): Promise<number> {
    const log = openSync(join(this.home, 'bench.log'), 'a')
    const startedAt = performance.now()
    const child = adopt(
      spawn(process.execPath, ['launch.mjs'], {
        cwd: root,
        env: {
          PATH: process.env.PATH ?? '',
          KTRDR_HOME: this.home,
          KTRDR_PORT: '0',
          KTRDR_THREADS: '2',
          KTRDR_ENABLE_EXERCISE: 'true',
          ...this.#environment,
        },
        stdio: ['ignore', log, 'pipe'],
      }),
    )
    closeSync(log)
    this.#child = child
    this.url = await readyUrl(child)
    return performance.now() - startedAt
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** kill -9, at once. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
}

/** The address of the ready line. @throws with everything it wrote when it ends, or is not ready in time */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const giveUp = setTimeout(
      () => reject(new Error(`the server is not ready after ${startLimitMs} ms: ${said}`)),
      startLimitMs,
    )
    child.stderr?.on('data', chunk => {
      said += chunk
      const url = /ktrdr is ready at (\S+)\n/.exec(said)?.[1]
      if (url === undefined) return
      clearTimeout(giveUp)
      resolve(url)
    })
    child.once('exit', code => {
      clearTimeout(giveUp)
      reject(new Error(`the server ended with code ${code}: ${said}`))
    })
  })
}

/** Runs `use` with a data folder of its own, which is removed afterwards. */
export async function withHome<T>(use: (home: string) => Promise<T>): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'ktrdr-bench-'))
  try {
    return await use(home)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Runs `use` with a fresh server, which is killed afterwards. */
export function withServer<T>(
  environment: Environment,
  use: (server: BenchServer) => Promise<T>,
): Promise<T> {
  return withHome(async home => {
    const server = new BenchServer(home, environment)
    try {
      await server.start()
      return await use(server)
    } finally {
      await server.kill()
    }
  })
}
