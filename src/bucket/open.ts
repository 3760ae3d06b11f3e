import { randomUUID } from 'node:crypto'
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'
import {
  type Announcement,
  announcementKey,
  type ExchangeKind,
  type ExchangeShapes,
  type Question,
  type Reply,
} from '../archive/exchange.ts'
import { createLayout } from '../archive/layout.ts'
import { systemClock } from '../clock.ts'
import { type BucketSettings, ConfigError } from '../config.ts'
import { errorFields, type Log } from '../log.ts'
import { Problem } from '../problems.ts'
import type { ArchiveFiles } from '../store/postgres/archive-files.ts'
import { asProblem } from '../system-problems.ts'
import { ArchiveCopy } from './archive-copy.ts'
import { Bucket, BucketRefusal, describeBucket } from './bucket.ts'
import { evict } from './evict.ts'

/** Nobody stored or pinned it for so long: it is no more in the making. */
const graceMs = 3_600_000
/** How often objects that no file names are looked for. */
const collectEveryMs = 600_000
/** Many removals come together: an operation with its children, a checkpoint and the next. */
const collectAfterMs = 1_000
/** Objects deleted between two looks. */
const batch = 200

type Parts = {
  readonly settings: BucketSettings
  /** The folder for this node's copy. */
  readonly home: string
  readonly files: ArchiveFiles
  readonly log: Log
}

/** An archive in a bucket, in use. */
export type OpenArchive = { readonly close: () => void }

type Answers = {
  readonly [K in ExchangeKind]: (data: ExchangeShapes[K]['data']) => Promise<ExchangeShapes[K]['answer']>
}

/**
 * Opens the archive in a bucket and answers what the threads of this process ask of it. To be called before any thread is
 * started.
 * @throws {ConfigError} when the bucket cannot be reached, or refuses the key
 */
export async function openArchive(parts: Parts): Promise<OpenArchive> {
  const { settings, home, files, log } = parts
  const bucket = new Bucket(settings, log)
  await tryOut(bucket, settings)
  createLayout(home)
  const copy = new ArchiveCopy({ home, bucket, files, log })
  await copy.start()
  const collect = () =>
    collectGarbage(files, bucket).catch(error => log.warn('bucket.garbage_left', errorFields(error)))
  let soon: NodeJS.Timeout | null = null
  const collectSoon = () => {
    soon ??= setTimeout(() => {
      soon = null
      void collect()
    }, collectAfterMs).unref()
  }
  const channel = answerOn(`${announcementKey} ${randomUUID()}`, answersOf(copy, files, collectSoon), log)
  const announcement: Announcement = { home, channel: channel.name }
  setEnvironmentData(announcementKey, announcement)
  const clear = () =>
    evict(home, files, systemClock.now()).catch(error => log.warn('bucket.copy_left', errorFields(error)))
  const timers = [setInterval(collect, collectEveryMs).unref(), setInterval(clear, graceMs).unref()]
  void collect()
  void clear()
  return {
    close: () => {
      for (const timer of timers) clearInterval(timer)
      if (soon !== null) clearTimeout(soon)
      setEnvironmentData(announcementKey, undefined)
      channel.close()
      bucket.close()
    },
  }
}

function answersOf(copy: ArchiveCopy, files: ArchiveFiles, collectSoon: () => void): Answers {
  const done = async (work: Promise<void>) => {
    await work
    return null
  }
  return {
    refresh: () => done(copy.refresh()),
    fetch: data => done(copy.fetch(data)),
    'fetch-versions': data => done(copy.fetchVersions(data)),
    store: data => done(copy.store(data)),
    replace: data => copy.replace(data),
    remove: async data => {
      await copy.remove(data)
      collectSoon()
      return null
    },
    names: data => copy.names(data),
    sweep: async ({ kind, sha256 }) => {
      collectSoon()
      if (kind === 'bars') return files.sweepBars(sha256, graceMs)
      await files.sweepSnapshots(sha256, graceMs)
      return 0
    },
  }
}

/** Answers every question on a channel, each to whoever asked it. */
function answerOn(name: string, answers: Answers, log: Log): BroadcastChannel {
  const channel = new BroadcastChannel(name)
  channel.onmessage = event => {
    const question = questionIn(event)
    if (question === null) return
    const tell = (reply: Reply) => channel.postMessage(reply)
    answer(answers, question).then(
      found => tell({ to: question.id, outcome: 'done', answer: found }),
      error => {
        const problem = problemOf(error)
        if (problem !== null) return tell({ to: question.id, outcome: 'refused', problem: problem.toData() })
        log.error('bucket.failed', { question: question.kind, ...errorFields(error) })
        tell({ to: question.id, outcome: 'failed', message: errorFields(error).error })
      },
    )
  }
  return channel
}

function questionIn(event: unknown): Question | null {
  if (typeof event !== 'object' || event === null || !('data' in event)) return null
  const { data } = event
  if (typeof data !== 'object' || data === null || !('to' in data) || data.to !== 'exchange') return null
  return data as Question
}

const answer = <K extends ExchangeKind>(
  answers: Answers,
  { kind, data }: Question<K>,
): Promise<ExchangeShapes[K]['answer']> => answers[kind](data)

/** A key that was taken back while the node ran is no bug of ours. */
function problemOf(error: unknown): Problem | null {
  if (!(error instanceof BucketRefusal)) return asProblem(error)
  return new Problem('archive-unavailable', `The bucket of the archive refused: ${error.message}.`, {
    hint: 'Look at the rights of the key, AWS_ACCESS_KEY_ID, and at the bucket that KTRDR_ARCHIVE_URL names.',
  })
}

async function collectGarbage(files: ArchiveFiles, bucket: Bucket): Promise<void> {
  for (;;) {
    const keys = await files.garbage(batch)
    await Promise.all(keys.map(key => bucket.remove(key)))
    await files.forgetGarbage(keys)
    if (keys.length < batch) return
  }
}

/** Writes, reads and deletes an object: whatever is wrong with address, key or bucket shows now. */
async function tryOut(bucket: Bucket, settings: BucketSettings): Promise<void> {
  const key = bucket.keyOf(`probe~${randomUUID()}`)
  try {
    await bucket.putBytes(key, Buffer.from('ktrdr'))
    await bucket.remove(key)
  } catch (error) {
    if (error instanceof BucketRefusal) throw new ConfigError([faultOf(error, settings)])
    if (error instanceof Problem) throw new ConfigError([`KTRDR_S3_ENDPOINT: ${error.message}`])
    throw error
  }
}

function faultOf({ code, status }: BucketRefusal, settings: BucketSettings): string {
  const place = `the bucket ${describeBucket(settings)}`
  const said = `(${status}${code === '' ? '' : ` ${code}`})`
  if (code === 'NoSuchBucket' || status === 404)
    return `KTRDR_ARCHIVE_URL: ${place} does not exist ${said}: make it first, ktrdr does not`
  if (code === 'InvalidAccessKeyId') return `AWS_ACCESS_KEY_ID is not known to ${place} ${said}`
  if (code === 'SignatureDoesNotMatch')
    return `AWS_SECRET_ACCESS_KEY is not the key of AWS_ACCESS_KEY_ID, or KTRDR_S3_REGION is wrong, for ${place} ${said}`
  if (
    code === 'PermanentRedirect' ||
    code === 'AuthorizationHeaderMalformed' ||
    status === 301 ||
    status === 307
  )
    return `KTRDR_S3_REGION ${settings.region} is not the region of ${place} ${said}`
  if (code === 'RequestTimeTooSkewed') return `the clock of this machine is wrong for ${place} ${said}`
  return `AWS_ACCESS_KEY_ID: the key may not write to ${place} ${said}`
}
