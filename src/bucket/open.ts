import { randomUUID } from 'node:crypto'
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'
import {
  type Announcement,
  announcementKey,
  type ExchangeKind,
  type ExchangeShapes,
  newAsking,
  type Question,
  type Reply,
} from '../archive/exchange.ts'
import { createLayout } from '../archive/layout.ts'
import { systemClock } from '../clock.ts'
import type { BucketSettings } from '../config.ts'
import { errorFields, type Log } from '../log.ts'
import { Problem } from '../problems.ts'
import type { ArchiveFiles } from '../store/postgres/archive-files.ts'
import { asProblem } from '../system-problems.ts'
import { refuseUnfinishedNames } from '../transfer/unfinished.ts'
import { ArchiveCopy } from './archive-copy.ts'
import { type Bucket, BucketRefusal, closed, describeBucket } from './bucket.ts'
import { evict } from './evict.ts'
import { reachBucket } from './reach.ts'

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
export type OpenArchive = {
  /** @throws {Error} when a command that fills it has begun, and has not ended */
  readonly refuseUnfinished: () => Promise<void>
  readonly close: () => void
}

type Answers = {
  readonly [K in ExchangeKind]: (data: ExchangeShapes[K]['data']) => Promise<ExchangeShapes[K]['answer']>
}

/**
 * Opens the archive in a bucket and answers what the threads of this process ask of it. To be called before any thread is
 * started.
 * @throws {ConfigError} when the bucket cannot be reached, or refuses the key
 * @throws {Error} when the archive was filled only in part
 */
export async function openArchive(parts: Parts): Promise<OpenArchive> {
  const { settings, home, files, log } = parts
  const bucket = await reachBucket(settings, home, log)
  const refuseUnfinished = () => refuseUnfinishedNames(describeBucket(settings), files)
  await refuseUnfinished()
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
  const name = `${announcementKey} ${randomUUID()}`
  const questions = answerOn(name, answersOf(copy, files, collectSoon), log)
  const announcement: Announcement = { home, channel: name, asking: newAsking() }
  setEnvironmentData(announcementKey, announcement)
  const clear = () =>
    evict(home, files, systemClock.now()).catch(error => log.warn('bucket.copy_left', errorFields(error)))
  const timers = [setInterval(collect, collectEveryMs).unref(), setInterval(clear, graceMs).unref()]
  void collect()
  void clear()
  return {
    refuseUnfinished,
    close: () => {
      for (const timer of timers) clearInterval(timer)
      if (soon !== null) clearTimeout(soon)
      bucket.close()
      questions.close()
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

/**
 * Answers every question on a channel, each to whoever asked it. When it is closed, all that is not answered is refused, and
 * so is whatever is asked later: what an attempt leaves must not look as if it had been given away.
 */
function answerOn(name: string, answers: Answers, log: Log): { readonly close: () => void } {
  const channel = new BroadcastChannel(name)
  const open = new Set<string>()
  let isClosed = false
  const tell = (reply: Reply) => {
    if (open.delete(reply.to)) channel.postMessage(reply)
  }
  const refuse = (id: string, problem: Problem) =>
    tell({ to: id, outcome: 'refused', problem: problem.toData() })
  channel.onmessage = event => {
    const question = questionIn(event)
    if (question === null) return
    open.add(question.id)
    if (isClosed) return refuse(question.id, closed())
    answer(answers, question).then(
      found => tell({ to: question.id, outcome: 'done', answer: found }),
      error => {
        const problem = problemOf(error)
        if (problem !== null) return refuse(question.id, problem)
        if (!isClosed) log.error('bucket.failed', { question: question.kind, ...errorFields(error) })
        tell({ to: question.id, outcome: 'failed', message: errorFields(error).error })
      },
    )
  }
  return {
    close: () => {
      isClosed = true
      for (const id of [...open]) refuse(id, closed())
      channel.unref()
    },
  }
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

/** A key that was taken back while the node ran is no bug of ours; what the bucket does not take, it does not take later. */
function problemOf(error: unknown): Problem | null {
  if (!(error instanceof BucketRefusal)) return asProblem(error)
  if (error.isFinal)
    return new Problem('storage-full', `The bucket of the archive does not take it: ${error.message}.`, {
      hint: 'Look at what the bucket that KTRDR_ARCHIVE_URL names allows: its quota, and how large one object may be.',
    })
  return new Problem('archive-unavailable', `The bucket of the archive refused: ${error.message}.`, {
    hint: 'Look at the rights of the key, AWS_ACCESS_KEY_ID, and at the bucket that KTRDR_ARCHIVE_URL names.',
  })
}

/** One that cannot be deleted does not keep the others: the next look tries it again. @throws the first error, at the end */
export async function collectGarbage(
  files: Pick<ArchiveFiles, 'garbage' | 'forgetGarbage'>,
  bucket: Pick<Bucket, 'remove'>,
): Promise<void> {
  const failures: unknown[] = []
  for (let after = ''; ; ) {
    const keys = await files.garbage(batch, after)
    const removals = await Promise.allSettled(keys.map(key => bucket.remove(key)))
    for (const removal of removals) if (removal.status === 'rejected') failures.push(removal.reason)
    await files.forgetGarbage(keys.filter((_, i) => removals[i]?.status === 'fulfilled'))
    // A bucket that is down is not asked for each of them.
    if (keys.length < batch || failures.length >= batch) break
    after = keys.at(-1) ?? ''
  }
  if (failures.length > 0) throw failures[0]
}
