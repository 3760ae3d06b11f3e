/**
 * THE list of problem codes: everything that can be refused or can fail, with its constant title, the
 * HTTP status the API answers with and what to do about it (`advice`, shown at `/problems/{code}`). Codes of failed operations (shown in `operation.problem`) are in the
 * same list; their status is what a client that needs a number may assume.
 * openapi.yaml's `ProblemCode` must hold the same codes, both ways: a contract test compares them.
 */
export const problems = {
  'invalid-request': {
    status: 400,
    title: 'The request does not match the API contract',
    retryable: false,
    advice:
      'Correct what `errors` lists; each entry points into the request. The contract is at /api/v1/docs/.',
  },
  'malformed-json': {
    status: 400,
    title: 'The request body is not valid JSON',
    retryable: false,
    advice: 'Send one JSON value in UTF-8. Trailing commas, comments and single quotes are not JSON.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The page cursor is not one this server issued',
    retryable: false,
    advice:
      'Use `next_cursor` exactly as it was answered, with the other parameters unchanged, or start at the first page.',
  },
  unauthorized: {
    status: 401,
    title: 'An API key is required',
    retryable: false,
    advice:
      'Send the key of this server as `Authorization: Bearer <key>` or in `X-API-Key`. The operator set it as KTRDR_API_KEY.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this address',
    retryable: false,
    advice:
      'Check the address; paths are case-sensitive and have no trailing slash. All of them are listed at /api/v1/docs/.',
  },
  'operation-not-found': {
    status: 404,
    title: 'No such operation',
    retryable: false,
    advice:
      'Check the operation id, or list operations with GET /api/v1/operations. Deleted and expired operations are gone.',
  },
  'artifact-not-found': {
    status: 404,
    title: 'No such artifact',
    retryable: false,
    advice: 'List the artifacts of the operation. They are published when it completes, never before.',
  },
  'dataset-not-found': {
    status: 404,
    title: 'No such dataset',
    retryable: false,
    advice: 'List the datasets with GET /api/v1/datasets, then download or import the bars that are missing.',
  },
  'strategy-not-found': {
    status: 404,
    title: 'No such strategy',
    retryable: false,
    advice:
      'List the strategies with GET /api/v1/strategies. A new file belongs into the `strategies` folder of the data folder.',
  },
  'model-not-found': {
    status: 404,
    title: 'No such model',
    retryable: false,
    advice:
      'List the models with GET /api/v1/models. A training publishes its model when it completes; the id is in its result.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This address does not support that method',
    retryable: false,
    advice: 'Use one of the methods in the `Allow` header.',
  },
  'not-acceptable': {
    status: 406,
    title: 'None of the accepted media types is available',
    retryable: false,
    advice: 'Ask in `Accept` for one of the media types the problem lists, or leave `Accept` out.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    retryable: true,
    advice:
      'Send the whole request without long pauses: headers within 15 s, a JSON or YAML body within 30 s, an import within 30 minutes.',
  },
  'illegal-transition': {
    status: 409,
    title: 'The operation is in a status that does not allow this',
    retryable: false,
    advice: 'Read the operation: `can` says what is possible in its present status.',
  },
  'dataset-in-use': {
    status: 409,
    title: 'The dataset is being used',
    retryable: true,
    advice:
      'Wait until the operations named in the detail have ended, or cancel them, then delete or import again.',
  },
  'model-in-use': {
    status: 409,
    title: 'The model is being used',
    retryable: true,
    advice: 'Wait until the operations named in the detail have ended, or cancel them, then delete again.',
  },
  'strategy-shipped': {
    status: 409,
    title: 'The strategy came with the server',
    retryable: false,
    advice:
      'Shipped strategies cannot be deleted. Store one under the same name to stand before it, or ignore it.',
  },
  'precondition-failed': {
    status: 412,
    title: 'What is there is not what the request expected',
    retryable: false,
    advice:
      'Somebody changed it since it was read, or it exists already. Read it again, look at the difference, and send its `ETag` as `If-Match`.',
  },
  'body-too-large': {
    status: 413,
    title: 'The request body is too large',
    retryable: false,
    advice: 'Send less. The limits are in GET /api/v1/system under `limits`.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The request body has an unsupported media type',
    retryable: false,
    advice:
      'Set `Content-Type` to the media type the contract names for this address, usually application/json.',
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The requested byte range is outside the artifact',
    retryable: false,
    advice: '`Content-Range` has the size; ask for a range inside it, or without `Range` for everything.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation in `Expect` cannot be met',
    retryable: false,
    advice: 'Leave the `Expect` header out, or send `Expect: 100-continue`.',
  },
  'host-refused': {
    status: 421,
    title: 'This server does not answer for that host name',
    retryable: false,
    advice:
      'Without an API key the server answers only to localhost, 127.x.x.x and [::1], so that web pages cannot reach it through a name of their own. To use another name, set KTRDR_API_KEY.',
  },
  'not-an-api-node': {
    status: 421,
    title: 'This node answers no clients',
    retryable: false,
    advice:
      'It is a worker of a cluster: it runs operations and answers probes. Ask a node that was started with KTRDR_ROLE=api or all.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used for a different request',
    retryable: false,
    advice: 'Use a new key for a new request, or repeat the first request exactly.',
  },
  'type-disabled': {
    status: 422,
    title: 'This operation type is disabled on this server',
    retryable: false,
    advice: 'The operator can enable exercises with KTRDR_ENABLE_EXERCISE=true.',
  },
  'strategy-invalid': {
    status: 422,
    title: 'The strategy is not valid',
    retryable: false,
    advice:
      'Correct what `errors` lists, with line and column. POST /api/v1/strategies/validate checks a strategy without running it.',
  },
  'bars-missing': {
    status: 422,
    title: 'The bars needed are not stored',
    retryable: false,
    advice: 'Start a data_download for the symbol and timeframe, or import a CSV file, then try again.',
  },
  'bars-invalid': {
    status: 422,
    title: 'The bars cannot be read',
    retryable: false,
    advice:
      'Correct the lines or rows that `errors` lists and send the whole file again; the stored bars are as they were. Bars that a vendor sent cannot be corrected here: try again later, or another vendor.',
  },
  'params-invalid': {
    status: 422,
    title: 'The parameters do not fit together',
    retryable: false,
    advice:
      'Correct the parameters that `errors` lists: each is valid alone, but not together with the others or with what is stored.',
  },
  'training-diverged': {
    status: 422,
    title: 'The training diverged',
    retryable: false,
    advice:
      'The weights grew beyond all bounds. Lower `learning_rate`, set `gradient_clip`, or normalise raw inputs, then train again.',
  },
  'precondition-required': {
    status: 428,
    title: 'Replacing this needs a condition',
    retryable: false,
    advice:
      'Send the `ETag` of what you read as `If-Match`, so that nobody else’s change is lost, or `If-Match: *` to replace whatever is there.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    retryable: true,
    advice:
      'Wait as many seconds as `Retry-After` says. The operator sets the limit with KTRDR_RATE_LIMIT_PER_MINUTE.',
  },
  'queue-full': {
    status: 429,
    title: 'Too much is waiting already',
    retryable: true,
    advice:
      'Wait for operations to end or cancel pending ones, then try again. The operator sets the limit with KTRDR_QUEUE_MAX. Of imports at most 8 are received at once.',
  },
  'too-many-streams': {
    status: 429,
    title: 'Too many event streams are open',
    retryable: true,
    advice: 'Close streams that are not needed. GET /api/v1/events follows many operations in one stream.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The request headers are too large',
    retryable: false,
    advice: 'Send less than 16 KiB of headers, the address included.',
  },
  internal: {
    status: 500,
    title: 'The server made a mistake',
    retryable: true,
    advice:
      'This is a bug in the server. Its log has the details under the `request_id`; the same request may succeed later.',
  },
  'model-damaged': {
    status: 500,
    title: 'The stored model cannot be read',
    retryable: false,
    advice:
      'A file of its folder was changed or is gone. Bring it back from a backup, or delete the model and train it again: equal training gives the same id.',
  },
  'archive-damaged': {
    status: 500,
    title: 'A file in the bucket of the archive is damaged',
    retryable: false,
    advice:
      'Its object is gone, or its bytes are not those that were stored. Bring the object back from a copy or an older version of the bucket; what can be made again (bars, models, results) can also be deleted and made again.',
  },
  'vendor-unavailable': {
    status: 502,
    title: 'The data vendor did not deliver',
    retryable: true,
    advice:
      'The vendor refused, was slow or sent what cannot be read, again and again. What was stored before stays. Try again later; the operator sets addresses, pauses and retries with KTRDR_YAHOO_URL and its neighbours.',
  },
  draining: {
    status: 503,
    title: 'The server is shutting down',
    retryable: true,
    advice:
      'Try again after `Retry-After` seconds. Operations already accepted go on when the server is back.',
  },
  'database-unavailable': {
    status: 503,
    title: 'The database cannot be reached',
    retryable: true,
    advice:
      'It did not answer for half a minute. Nothing that was accepted is lost. Try again after `Retry-After` seconds; the operator sets its address with KTRDR_DATABASE_URL.',
  },
  'archive-unavailable': {
    status: 503,
    title: 'The bucket of the archive cannot be used',
    retryable: true,
    advice:
      'It did not answer for half a minute, or refused. Nothing that was accepted is lost. Try again; the operator names the bucket with KTRDR_ARCHIVE_URL and reaches it by KTRDR_S3_ENDPOINT.',
  },
  'timed-out': {
    status: 504,
    title: 'The operation ran longer than its time limit',
    retryable: true,
    advice: 'Resume or retry with a longer `timeout_seconds`, or give it less work.',
  },
  'storage-full': {
    status: 507,
    title: 'The disk of the server takes nothing more',
    retryable: true,
    advice:
      'Free space on the disk of KTRDR_HOME, then resume or retry. What was stored before is whole and can be read meanwhile.',
  },
  interrupted: {
    status: 500,
    title: 'The operation was interrupted too many times',
    retryable: true,
    advice: 'The server stopped too often while it ran. Resume it, or retry it once the server is stable.',
  },
  'worker-threw': {
    status: 500,
    title: 'The worker threw an unexpected error',
    retryable: true,
    advice:
      'This is a bug in the worker. The log of the server has the stack; retry may help if the cause was passing.',
  },
  'worker-exited': {
    status: 500,
    title: 'The worker thread ended itself',
    retryable: true,
    advice: 'The code of the worker ended its thread. Read the logs of the operation, then retry.',
  },
  'worker-unresponsive': {
    status: 500,
    title: 'The worker stopped responding',
    retryable: true,
    advice: 'The thread gave no sign of life and was killed. Resume from its last checkpoint, or retry.',
  },
  'out-of-memory': {
    status: 500,
    title: 'The worker exceeded its memory limit',
    retryable: true,
    advice:
      'Give it less data, or raise KTRDR_WORKER_MEMORY_MB for operations, then retry. Imports and renderings have a limit of their own: send a smaller file, ask for a part of the bars.',
  },
  'child-failed': {
    status: 500,
    title: 'A child operation did not complete',
    retryable: true,
    advice:
      'List the children to see which failed and why. Resume runs the failed ones again and keeps the finished ones.',
  },
  'exercise-failed': {
    status: 500,
    title: 'The exercise failed as it was asked to',
    retryable: true,
    advice: 'Nothing is wrong: the parameters of the exercise asked for this failure.',
  },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean; advice: string }>

export type ProblemCode = keyof typeof problems

/** One fault in the input: where it is and what is wrong with it. */
export type FieldError = {
  /** JSON pointer into the request (`/body/params/symbol`) or into the strategy (`/indicators/fast/period`). */
  readonly pointer: string
  /** Short machine-readable word: `unknown_key`, `required`, `type`, `enum`, … */
  readonly code: string
  readonly message: string
  /** 1-based position in a YAML or CSV text, where there is one. */
  readonly line?: number
  readonly column?: number
}

/** A problem as data: what crosses threads and is stored with a failed operation. */
export type ProblemData = {
  readonly code: ProblemCode
  readonly detail: string
  readonly hint?: string
  readonly errors?: readonly FieldError[]
}

/** Entries of `errors`: nobody corrects more at once, and a small request could have a huge answer. */
const maxErrors = 100

/** Longest `detail`, in characters. */
const maxDetail = 4_000

/**
 * An expected refusal or failure; it lists its first 100 errors and says in the hint how many there are. Anything else
 * that is thrown is a bug and is shown as `internal`.
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly hint: string | undefined
  readonly errors: readonly FieldError[]

  constructor(
    code: ProblemCode,
    detail: string,
    more: { hint?: string; errors?: readonly FieldError[] } = {},
  ) {
    super(detail.length > maxDetail ? `${detail.slice(0, maxDetail)}…` : detail)
    const errors = more.errors ?? []
    const isCut = errors.length > maxErrors
    const rest = `There are ${errors.length} errors, the first ${maxErrors} are listed.`
    this.name = 'Problem'
    this.code = code
    this.hint = isCut ? [more.hint, rest].filter(text => text !== undefined).join(' ') : more.hint
    this.errors = isCut ? errors.slice(0, maxErrors) : errors
  }

  /** The form that survives a thread boundary: class and fields of an Error do not. */
  toData(): ProblemData {
    return {
      code: this.code,
      detail: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.errors.length === 0 ? {} : { errors: this.errors }),
    }
  }
}
