import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { resolve } from 'node:path'
import { distance } from 'fastest-levenshtein'
import type { LogLevel } from './log.ts'

/** Everything that can be configured, with units in the names. Frozen after start. */
export type Config = {
  readonly host: string
  readonly port: number
  readonly home: string
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
  readonly logLevel: LogLevel
  readonly enableExercise: boolean
  readonly validateResponses: boolean
}

type Variable<T> = {
  readonly unit: string
  readonly default: string
  readonly about: string
  readonly parse: (text: string) => T
}

const integer = (min: number, max: number) => (text: string) => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new Error(`must be a whole number from ${min} to ${max}`)
  return value
}

const oneOf =
  <const T extends string>(...words: readonly T[]) =>
  (text: string): T => {
    const found = words.find(word => word === text)
    if (found === undefined) throw new Error(`must be one of ${words.join(', ')}`)
    return found
  }

const flag = (text: string) => oneOf('true', 'false')(text) === 'true'
const text = (value: string) => value

/** Headers carry printable ASCII; a key of another kind would never match. */
const apiKey = (value: string): string | null => {
  if (value === '') return null
  if (!/^[\x21-\x7e]([\x20-\x7e]{6,}[\x21-\x7e])$/.test(value))
    throw new Error('must be at least 8 printable ASCII characters')
  return value
}

/** Threads for work: every core up to 7; from 8 cores on one is left to the main thread. */
const defaultThreads = () => {
  const cores = availableParallelism()
  return String(Math.min(32, cores >= 8 ? cores - 1 : Math.max(1, cores)))
}

/** THE list of variables. README's table is compared with it by a test. */
export const variables = {
  KTRDR_HOST: {
    unit: 'address',
    default: '127.0.0.1',
    about: 'Address to listen on; anything but loopback needs an API key',
    parse: text,
  },
  KTRDR_PORT: {
    unit: 'port',
    default: '8000',
    about: 'Port to listen on (`PORT` works too); 0 picks a free one',
    parse: integer(0, 65_535),
  },
  KTRDR_HOME: {
    unit: 'folder',
    default: './.ktrdr',
    about: 'Where operations, bars, artifacts and checkpoints are kept',
    parse: (value: string) => resolve(value),
  },
  KTRDR_NODE: {
    unit: 'name',
    default: hostname(),
    about: "This server's name, shown with the operations it runs",
    parse: text,
  },
  KTRDR_THREADS: {
    unit: 'threads',
    default: defaultThreads(),
    about:
      'Worker threads = operations that run at the same time (default: one per core, one core left free from 8 on)',
    parse: integer(1, 256),
  },
  KTRDR_WORKER_MEMORY_MB: {
    unit: 'MiB',
    default: '2048',
    about: 'Heap and buffers one operation may use',
    parse: integer(64, 1_048_576),
  },
  KTRDR_QUEUE_MAX: {
    unit: 'operations',
    default: '1000',
    about: 'Pending operations beyond which new ones are refused with 429',
    parse: integer(1, 10_000_000),
  },
  KTRDR_MAX_ATTEMPTS: {
    unit: 'attempts',
    default: '3',
    about:
      'Times an interrupted operation is started before it fails; attempts that saved a checkpoint do not count',
    parse: integer(1, 1_000_000),
  },
  KTRDR_CANCEL_GRACE_MS: {
    unit: 'ms',
    default: '5000',
    about: 'Time a worker has to stop by itself before its thread is killed',
    parse: integer(0, 3_600_000),
  },
  KTRDR_SHUTDOWN_GRACE_MS: {
    unit: 'ms',
    default: '25000',
    about: 'Time for workers to save checkpoints when the server stops',
    parse: integer(0, 3_600_000),
  },
  KTRDR_RETENTION_DAYS: {
    unit: 'days',
    default: '0',
    about: 'Ended operations older than this are deleted; 0 keeps them',
    parse: integer(0, 36_500),
  },
  KTRDR_API_KEY: {
    unit: 'secret',
    default: '',
    about: 'Key that clients must send; unset means no authentication (loopback only)',
    parse: apiKey,
  },
  KTRDR_RATE_LIMIT_PER_MINUTE: {
    unit: 'requests/min',
    default: '600',
    about: 'Requests per client address; 0 is off, loopback is exempt',
    parse: integer(0, 10_000_000),
  },
  KTRDR_EVENT_STREAMS_MAX: {
    unit: 'streams',
    default: '100',
    about: 'Event streams open at the same time; more are refused with 429',
    parse: integer(1, 100_000),
  },
  KTRDR_LOG_LEVEL: {
    unit: 'level',
    default: 'info',
    about: '`debug`, `info`, `warn`, `error` or `silent`; JSON lines on standard output',
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  },
  KTRDR_ENABLE_EXERCISE: {
    unit: 'true/false',
    default: 'false',
    about: 'Allow the operation types that only prove the engine',
    parse: flag,
  },
  KTRDR_VALIDATE_RESPONSES: {
    unit: 'true/false',
    default: 'false',
    about: 'Check every JSON answer against openapi.yaml too (the tests do)',
    parse: flag,
  },
} as const satisfies Record<string, Variable<unknown>>

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
  const config: Config = {
    host: read('KTRDR_HOST'),
    port: read('KTRDR_PORT'),
    home: read('KTRDR_HOME'),
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
    logLevel: read('KTRDR_LOG_LEVEL'),
    enableExercise: read('KTRDR_ENABLE_EXERCISE'),
    validateResponses: read('KTRDR_VALIDATE_RESPONSES'),
  }
  if (!isLoopback(config.host) && config.apiKey === null) {
    faults.push(
      `KTRDR_HOST ${config.host} can be reached from other machines: set KTRDR_API_KEY or KTRDR_API_KEY_FILE, or use 127.0.0.1`,
    )
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return { config: Object.freeze(config), warnings: unknownNames(environment) }
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
