import { readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import type { CalendarDefinition } from './market/calendar.ts'
import { parseCalendarDefinitions } from './market/calendars.ts'

/** One variable: unit and default stand in README. */
export type Variable<T> = {
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

/** The start of every URL of a vendor; empty = where the vendor lives. */
const address = (value: string): string => {
  if (value === '') return ''
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.search}${url.hash}${url.username}` !== '')
    throw new Error(
      'must be an http or https address without name, password and query, e.g. http://127.0.0.1:9000',
    )
  return value.replace(/\/+$/, '')
}

/** A path that must be absolute, so that it does not depend on where the server was started; null when unset. */
const absolutePath = (value: string): string | null => {
  if (value !== '' && !isAbsolute(value)) throw new Error('must be an absolute path')
  return value === '' ? null : resolve(value)
}

/** The calendars in the operator's file. */
const calendars = (value: string): readonly CalendarDefinition[] => {
  const path = absolutePath(value)
  if (path === null) return []
  try {
    return parseCalendarDefinitions(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new Error(
      `names ${path}, which cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

const exchangeId = (value: string): string => {
  if (!/^[a-z0-9_]{2,32}$/.test(value)) throw new Error('must be a ccxt exchange id, e.g. binance')
  return value
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
  KTRDR_CALENDARS: {
    unit: 'file',
    default: '',
    about: 'JSON file with trading calendars besides the built-in ones; absolute path',
    parse: calendars,
  },
  KTRDR_CSV_FOLDER: {
    unit: 'folder',
    default: '',
    about: 'Folder that the vendor `csv` reads; absolute path',
    parse: absolutePath,
  },
  KTRDR_CCXT_EXCHANGE: {
    unit: 'ccxt id',
    default: 'binance',
    about: 'Exchange that the vendor `ccxt` asks when a request names none',
    parse: exchangeId,
  },
  KTRDR_CCXT_URL: {
    unit: 'URL',
    default: '',
    about: "Where the exchange is reached, instead of the exchange's own addresses",
    parse: address,
  },
  KTRDR_CCXT_INTERVAL_MS: {
    unit: 'ms',
    default: '100',
    about: 'Pause between two requests of the whole server to exchanges',
    parse: integer(0, 3_600_000),
  },
  KTRDR_YAHOO_URL: {
    unit: 'URL',
    default: '',
    about: "Where Yahoo is reached, instead of Yahoo's own address",
    parse: address,
  },
  KTRDR_YAHOO_INTERVAL_MS: {
    unit: 'ms',
    default: '1000',
    about: 'Pause between two requests of the whole server to Yahoo',
    parse: integer(0, 3_600_000),
  },
  KTRDR_STOOQ_URL: {
    unit: 'URL',
    default: '',
    about: "Where Stooq is reached, instead of Stooq's own address",
    parse: address,
  },
  KTRDR_STOOQ_INTERVAL_MS: {
    unit: 'ms',
    default: '1000',
    about: 'Pause between two requests of the whole server to Stooq',
    parse: integer(0, 3_600_000),
  },
  KTRDR_STOOQ_API_KEY: {
    unit: 'secret',
    default: '',
    about: 'Key that Stooq asks for before it sends files; get one from stooq.com',
    parse: (value: string) => (value === '' ? null : value),
  },
  KTRDR_VENDOR_TIMEOUT_MS: {
    unit: 'ms',
    default: '30000',
    about: 'Time a vendor has to answer one request',
    parse: integer(10, 3_600_000),
  },
  KTRDR_VENDOR_RETRIES: {
    unit: 'tries',
    default: '5',
    about: 'Further tries after a request to a vendor has failed',
    parse: integer(0, 100),
  },
  KTRDR_VENDOR_RETRY_TOTAL_MS: {
    unit: 'ms',
    default: '300000',
    about: 'Time for all tries of one request to a vendor, pauses included',
    parse: integer(10, 86_400_000),
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
