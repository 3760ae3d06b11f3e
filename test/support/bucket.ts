import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Dirent, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isMissing } from '../../src/archive/folder.ts'
import { freePort } from './free-port.ts'
import { SignatureCheck } from './signature-check.ts'

const program = join(
  dirname(createRequire(import.meta.url).resolve('s3rver/package.json')),
  'bin',
  's3rver.js',
)

/** What asks `sh` to run the server and to stop it when whoever started it is gone, however that ended. */
const guard = '"$@" </dev/null & server=$!; cat >/dev/null; kill -KILL $server 2>/dev/null; wait $server'

const servers: BucketServer[] = []
let prefixes = 0

/** Starts a server that speaks S3, with a bucket `ktrdr`, on a free port of this machine. */
export async function startBucket(): Promise<BucketServer> {
  const server = new BucketServer(mkdtempSync(join(tmpdir(), 'ktrdr-bucket-')), await freePort())
  servers.push(server)
  await server.start()
  return server
}

/** For `afterAll`: ends the servers of this process and removes their folders. */
export async function stopBuckets(): Promise<void> {
  for (const server of servers.splice(0)) {
    await server.end()
    rmSync(server.folder, { recursive: true, force: true })
  }
}

/** The server of this process, started at the first call. */
export async function sharedBucket(): Promise<BucketServer> {
  return servers[0] ?? startBucket()
}

/** A server of its own process that keeps objects as files and forgets nothing when it is killed; signatures are checked before it. */
export class BucketServer {
  readonly folder: string
  /** What stands before it. */
  readonly front: SignatureCheck
  readonly #port: number
  #frontPort: number | null = null
  #process: ChildProcess | null = null

  constructor(folder: string, port: number) {
    this.folder = folder
    this.#port = port
    this.front = new SignatureCheck(port, { id: 'S3RVER', secret: 'S3RVER' })
  }

  /** Starts it (again). */
  async start(): Promise<void> {
    this.#frontPort ??= await this.front.start()
    const of = [
      '-d',
      this.folder,
      '-a',
      '127.0.0.1',
      '-p',
      String(this.#port),
      '--no-vhost-buckets',
      '--silent',
    ]
    const child = spawn(
      'sh',
      ['-c', guard, 'sh', process.execPath, program, ...of, '--configure-bucket', 'ktrdr'],
      { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, NODE_OPTIONS: '--no-warnings' } },
    )
    this.#process = child
    for await (const chunk of child.stdout) if (String(chunk).includes('listening')) return
    throw new Error('the server of the bucket ended')
  }

  /** kill -9: connections break, and new ones are refused until it is started again. */
  async stop(): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.stdin?.end()
    await gone
  }

  /** Stops it for good. */
  async end(): Promise<void> {
    await this.stop()
    if (this.#frontPort !== null) await this.front.stop()
    this.#frontPort = null
  }

  /** What a node needs to know. @param prefix where in the bucket; a new place when left out */
  environment(prefix = `cluster-${++prefixes}`): Record<string, string> {
    return {
      KTRDR_ARCHIVE_URL: `s3://ktrdr/${prefix}`,
      KTRDR_S3_ENDPOINT: `http://127.0.0.1:${this.#frontPort}`,
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
    }
  }

  /** The files that hold the bytes of objects whose key contains `part`. */
  objects(part: string): string[] {
    return this.#entries()
      .filter(entry => entry.isFile() && entry.name.endsWith('._S3rver_object'))
      .map(entry => join(entry.parentPath, entry.name))
      .filter(path => path.includes(part))
  }

  /** Read again when the server removes a folder meanwhile. */
  #entries(): Dirent[] {
    for (;;) {
      try {
        return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
  }
}
