import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { distance } from 'fastest-levenshtein'
import type { LogLevel } from './log.ts'
import type { CalendarDefinition } from './market/calendar.ts'
import { type Variable, variables } from './variables.ts'
import type { VendorsSettings } from './vendors/vendor.ts'

/** What a node does: `api` answers clients, `worker` runs operations. A server by itself does both. */
export type Role = 'all' | 'api' | 'worker'

/** Everything that can be configured, with units in the names. Frozen after start. */
export type Config = {
  readonly host: string
  readonly port: number
  /** The data folder of this server. */
  readonly home: string
  /** The Postgres of a cluster; null: SQLite in `home`. */
  readonly databaseUrl: string | null
  /** The folder of bars, artifacts, checkpoints, models and strategies: shared by the nodes, or `home`, or a copy of `bucket`. */
  readonly archive: string
  /** Where the archive is that `archive` is only a copy of; null: `archive` is it. */
  readonly bucket: BucketSettings | null
  readonly role: Role
  readonly node: string
  readonly threads: number
  readonly workerMemoryMb: number
  readonly queueMax: number
  readonly maxAttempts: number
  readonly cancelGraceMs: number
  readonly shutdownGraceMs: number
  readonly retentionDays: number
  readonly apiKey: string | null
  readonly rateLimitPerMinute: number
  readonly eventStreamsMax: number
  /** The operator's own trading calendars. */
  readonly calendars: readonly CalendarDefinition[]
  readonly vendors: VendorsSettings
  readonly logLevel: LogLevel
  readonly enableExercise: boolean
  readonly validateResponses: boolean
}

/** A bucket that speaks S3, and the key to it. */
export type BucketSettings = {
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly bucket: string
  /** Of every key, without slashes at its ends; may be empty. */
  readonly prefix: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | null
}

type VariableName = keyof typeof variables
type Value<K extends VariableName> = ReturnType<(typeof variables)[K]['parse']>
type Environment = Readonly<Record<string, string | undefined>>

/** Start is refused: every fault in the environment at once. */
export class ConfigError extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * Reads the environment. Each variable `X` may be given as `X_FILE`, the path of a file that holds the value.
 * @returns the configuration, and warnings about `KTRDR_*` names that do not exist
 * @throws {ConfigError} listing every invalid value
 */
export function readConfig(environment: Environment): { config: Config; warnings: readonly string[] } {
  const faults: string[] = []
  const read = <K extends VariableName>(name: K): Value<K> => {
    const variable: Variable<unknown> = variables[name]
    try {
      return variable.parse(rawValue(environment, name) ?? variable.default) as Value<K>
    } catch (error) {
      faults.push(`${name} ${error instanceof Error ? error.message : String(error)}`)
      return variable.parse(variable.default) as Value<K>
    }
  }
  const home = read('KTRDR_HOME')
  const place = read('KTRDR_ARCHIVE_URL')
  const config: Config = {
    host: read('KTRDR_HOST'),
    port: read('KTRDR_PORT'),
    home,
    databaseUrl: read('KTRDR_DATABASE_URL'),
    archive: place === null ? home : place.kind === 'folder' ? place.path : join(home, 'archive-copy'),
    bucket: place?.kind === 'bucket' ? bucketOf(place, read) : null,
    role: read('KTRDR_ROLE'),
    node: read('KTRDR_NODE'),
    threads: read('KTRDR_THREADS'),
    workerMemoryMb: read('KTRDR_WORKER_MEMORY_MB'),
    queueMax: read('KTRDR_QUEUE_MAX'),
    maxAttempts: read('KTRDR_MAX_ATTEMPTS'),
    cancelGraceMs: read('KTRDR_CANCEL_GRACE_MS'),
    shutdownGraceMs: read('KTRDR_SHUTDOWN_GRACE_MS'),
    retentionDays: read('KTRDR_RETENTION_DAYS'),
    apiKey: read('KTRDR_API_KEY'),
    rateLimitPerMinute: read('KTRDR_RATE_LIMIT_PER_MINUTE'),
    eventStreamsMax: read('KTRDR_EVENT_STREAMS_MAX'),
    calendars: read('KTRDR_CALENDARS'),
    vendors: {
      ccxt: {
        baseUrl: read('KTRDR_CCXT_URL'),
        intervalMs: read('KTRDR_CCXT_INTERVAL_MS'),
        exchange: read('KTRDR_CCXT_EXCHANGE'),
      },
      yahoo: { baseUrl: read('KTRDR_YAHOO_URL'), intervalMs: read('KTRDR_YAHOO_INTERVAL_MS') },
      stooq: {
        baseUrl: read('KTRDR_STOOQ_URL'),
        intervalMs: read('KTRDR_STOOQ_INTERVAL_MS'),
        apiKey: read('KTRDR_STOOQ_API_KEY'),
      },
      csvFolder: read('KTRDR_CSV_FOLDER'),
      timeoutMs: read('KTRDR_VENDOR_TIMEOUT_MS'),
      retries: read('KTRDR_VENDOR_RETRIES'),
      retryTotalMs: read('KTRDR_VENDOR_RETRY_TOTAL_MS'),
      proxy: readProxy(environment),
    },
    logLevel: read('KTRDR_LOG_LEVEL'),
    enableExercise: read('KTRDR_ENABLE_EXERCISE'),
    validateResponses: read('KTRDR_VALIDATE_RESPONSES'),
  }
  for (const [name, value] of Object.entries(config.vendors.proxy)) {
    if (name !== 'no' && value !== null && !/^https?:$/.test(URL.parse(value)?.protocol ?? ''))
      faults.push(`${name.toUpperCase()}_PROXY must be an http or https address`)
  }
  if (!isLoopback(config.host) && config.apiKey === null) {
    faults.push(
      `KTRDR_HOST ${config.host} can be reached from other machines: set KTRDR_API_KEY or KTRDR_API_KEY_FILE, or use 127.0.0.1`,
    )
  }
  if (config.role !== 'all' && config.databaseUrl === null)
    faults.push(`KTRDR_ROLE ${config.role} is for a cluster: set KTRDR_DATABASE_URL, or leave the role out`)
  faults.push(...bucketFaults(config))
  if (faults.length > 0) throw new ConfigError(faults)
  return { config: Object.freeze(config), warnings: unknownNames(environment) }
}

type Read = <K extends VariableName>(name: K) => Value<K>

function bucketOf({ bucket, prefix }: { bucket: string; prefix: string }, read: Read): BucketSettings {
  const region = read('KTRDR_S3_REGION')
  return {
    ...{ bucket, prefix, region },
    endpoint: read('KTRDR_S3_ENDPOINT') || `https://s3.${region}.amazonaws.com`,
    accessKeyId: read('AWS_ACCESS_KEY_ID'),
    secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
    sessionToken: read('AWS_SESSION_TOKEN') || null,
  }
}

function bucketFaults({ bucket, databaseUrl }: Config): string[] {
  if (bucket === null) return []
  const faults: string[] = []
  if (databaseUrl === null)
    faults.push('KTRDR_ARCHIVE_URL s3:// is for a cluster: set KTRDR_DATABASE_URL, or leave the archive out')
  if (bucket.accessKeyId === '' || bucket.secretAccessKey === '')
    faults.push('KTRDR_ARCHIVE_URL s3:// needs a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  return faults
}

/** The variables every program reads; the lower-case name wins, as in curl. */
function readProxy(environment: Environment): VendorsSettings['proxy'] {
  const value = (name: string) => environment[name.toLowerCase()] || environment[name] || null
  return { http: value('HTTP_PROXY'), https: value('HTTPS_PROXY'), no: value('NO_PROXY') }
}

/** True for addresses that only this machine can reach. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address)
}

function rawValue(environment: Environment, name: VariableName): string | undefined {
  const file = environment[`${name}_FILE`]
  if (file !== undefined) {
    if (!existsSync(file)) throw new Error(`cannot be read: the file in ${name}_FILE does not exist`)
    const value = readFileSync(file, 'utf8').trim()
    if (value === '') throw new Error(`cannot be read: the file in ${name}_FILE is empty`)
    return value
  }
  // An empty variable is one that somebody passed on unset.
  return environment[name] || (name === 'KTRDR_PORT' ? environment.PORT : '') || undefined
}

function unknownNames(environment: Environment): string[] {
  const known = Object.keys(variables)
  return Object.keys(environment)
    .filter(name => name.startsWith('KTRDR_') && !known.includes(name.replace(/_FILE$/, '')))
    .map(name => {
      const nearest = known.reduce((best, candidate) =>
        distance(name, candidate) < distance(name, best) ? candidate : best,
      )
      return `${name} is not a setting of ktrdr; did you mean ${nearest}?`
    })
}
