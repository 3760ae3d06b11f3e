import { availableParallelism, hostname } from 'node:os'
import { resolve } from 'node:path'
import {
  absolutePath,
  address,
  apiKey,
  archivePlace,
  calendars,
  databaseUrl,
  exchangeId,
  flag,
  integer,
  oneOf,
  text,
} from './variable-forms.ts'

/** One variable: unit and default stand in README. */
export type Variable<T> = {
  readonly unit: string
  readonly default: string
  readonly about: string
  readonly parse: (text: string) => T
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
  KTRDR_DATABASE_URL: {
    unit: 'secret URL',
    default: '',
    about: 'Postgres of a cluster, `postgres://…`; unset: SQLite in `KTRDR_HOME`, one server',
    parse: databaseUrl,
  },
  KTRDR_ARCHIVE_URL: {
    unit: 'URL',
    default: '',
    about:
      'Bars, artifacts, checkpoints, models and strategies of all nodes: a folder they share, `file:///…`, or a bucket, `s3://bucket/prefix`; unset: `KTRDR_HOME`',
    parse: archivePlace,
  },
  KTRDR_S3_ENDPOINT: {
    unit: 'URL',
    default: '',
    about: 'Where the bucket of `KTRDR_ARCHIVE_URL` is reached (MinIO, Ceph, Swift …); unset: Amazon',
    parse: address,
  },
  KTRDR_S3_REGION: {
    unit: 'region',
    default: 'us-east-1',
    about: 'Region that requests to the bucket are signed for',
    parse: text,
  },
  AWS_ACCESS_KEY_ID: {
    unit: 'key id',
    default: '',
    about: 'Name of the key for the bucket',
    parse: text,
  },
  AWS_SECRET_ACCESS_KEY: {
    unit: 'secret',
    default: '',
    about: 'Key for the bucket',
    parse: text,
  },
  AWS_SESSION_TOKEN: {
    unit: 'secret',
    default: '',
    about: 'Token that belongs to a key of limited time, if the key is one',
    parse: text,
  },
  KTRDR_ROLE: {
    unit: 'role',
    default: 'all',
    about: 'What a node of a cluster does: `api` answers clients, `worker` runs operations, `all` does both',
    parse: oneOf('all', 'api', 'worker'),
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
    about:
      "Pause between two requests of the whole server to exchanges, beside each one's own limit; 0: neither, for a mirror of yours",
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
