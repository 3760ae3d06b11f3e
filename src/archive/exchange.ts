import { randomUUID } from 'node:crypto'
import { relative, sep } from 'node:path'
import { BroadcastChannel, getEnvironmentData, threadId } from 'node:worker_threads'
import { Problem, type ProblemData } from '../problems.ts'

/*
 * Where the nodes of a cluster share no folder, each has a copy of the archive, and its main thread exchanges files with
 * the others. Any thread of the process asks it to through a channel; where no exchange is announced every function here
 * returns at once, and the folder is the archive itself.
 */

/** Under this key the main thread announces the exchange to the threads it starts. */
export const announcementKey = 'ktrdr.archive-exchange'

/** The main thread tells every thread where to ask, and sees which of them wait. */
export type Announcement = {
  /** The folder that is a copy. */
  readonly home: string
  /** Name of the channel its main thread listens to. */
  readonly channel: string
  /** Int32 words, one per thread: how many of its questions are not answered. */
  readonly asking: SharedArrayBuffer
}

/** Words of `asking`. Identities of threads only rise: two that share a word are far apart in time. */
const askingWords = 65_536

export const newAsking = (): SharedArrayBuffer =>
  new SharedArrayBuffer(askingWords * Int32Array.BYTES_PER_ELEMENT)

/** A small file that is changed only if it is what one has seen. Paths are below the archive's folder, with `/`. */
export type Replacing = {
  readonly path: string
  /** SHA-256 of what was seen; null: nothing. */
  readonly expected: string | null
  /** What it becomes; null: it goes. */
  readonly text: string | null
  /** Files of this node that the others must have before. */
  readonly needs: readonly string[]
  /** Files whose time of grace begins anew. */
  readonly touched: readonly string[]
}

/** THE list of what can be asked: what is told, and what is answered. Paths as in `Replacing`. */
export type ExchangeShapes = {
  /** Makes what is kept everywhere here as new as it was when this was asked. */
  refresh: { data: null; answer: null }
  /** Brings files here that are not; those that exist nowhere are left out. */
  fetch: { data: { readonly paths: readonly string[]; readonly folders: readonly string[] }; answer: null }
  /** Brings versions here with all their segments. @param folder of one dataset, null for all */
  'fetch-versions': {
    data: { readonly sha256: readonly string[]; readonly folder: string | null }
    answer: null
  }
  /** Gives files of this node to the others, all of them at once; those in a folder too. */
  store: { data: { readonly paths: readonly string[]; readonly folders: readonly string[] }; answer: null }
  /** `changed`: it was not as expected; what is here is as new as that. `swept`: what it needs is not here any more. */
  replace: { data: Replacing; answer: 'replaced' | 'changed' | 'swept' }
  /** Takes files from all nodes. @param spared a folder within the folder that stays */
  remove: {
    data: {
      readonly paths: readonly string[]
      readonly folder: string | null
      readonly spared: string | null
    }
    answer: null
  }
  /** Paths of all files below a folder, wherever they are. */
  names: { data: { readonly folder: string }; answer: readonly string[] }
  /** Removes what is not in use and was not wanted for an hour. @param sha256 in use  @returns how many segments */
  sweep: {
    data: { readonly kind: 'bars' | 'snapshots'; readonly sha256: readonly string[] }
    answer: number
  }
}

export type ExchangeKind = keyof ExchangeShapes

/** What a thread asks. */
export type Question<K extends ExchangeKind = ExchangeKind> = {
  readonly to: 'exchange'
  readonly id: string
  readonly kind: K
  readonly data: ExchangeShapes[K]['data']
}

/** What the main thread says to it. */
export type Reply = { readonly to: string } & (
  | { readonly outcome: 'done'; readonly answer: ExchangeShapes[ExchangeKind]['answer'] }
  | { readonly outcome: 'refused'; readonly problem: ProblemData }
  | { readonly outcome: 'failed'; readonly message: string }
)

/** Whether a folder is only this node's copy of the archive. */
export const isCopy = (home: string): boolean => announcementOf(home) !== null

/** Whether a thread waits for an answer: then its silence is not its own. @param thread identity of one of this process */
export function isAsking(home: string, thread: number): boolean {
  const announcement = announcementOf(home)
  return announcement !== null && Atomics.load(new Int32Array(announcement.asking), thread % askingWords) > 0
}

/** Sees what other nodes did before now. */
export async function refresh(home: string): Promise<void> {
  await ask(home, 'refresh', null)
}

/** Brings files here, by their paths in this folder; what is nowhere is left to whoever reads. @throws {Problem} 'archive-unavailable', 'archive-damaged' */
export async function fetchFiles(
  home: string,
  paths: readonly string[],
  folders: readonly string[] = [],
): Promise<void> {
  if (!isCopy(home)) return
  await ask(home, 'fetch', { paths: namesOf(home, paths), folders: namesOf(home, folders) })
}

/** Brings versions of datasets here with all they consist of. @param folder of the dataset, null: of whatever dataset */
export async function fetchVersions(
  home: string,
  sha256: readonly string[],
  folder: string | null = null,
): Promise<void> {
  if (!isCopy(home) || sha256.length === 0) return
  await ask(home, 'fetch-versions', { sha256, folder: folder === null ? null : nameOf(home, folder) })
}

/** Gives files of this node to the others: all of them can be found when this resolves, or none. @throws {Problem} 'archive-unavailable' */
export async function storeFiles(
  home: string,
  paths: readonly string[],
  folders: readonly string[] = [],
): Promise<void> {
  if (!isCopy(home)) return
  await ask(home, 'store', { paths: namesOf(home, paths), folders: namesOf(home, folders) })
}

/** Changes a small file for all nodes. Only where {@link isCopy}. @param replacing paths in this folder */
export async function replaceFile(
  home: string,
  replacing: Replacing,
): Promise<ExchangeShapes['replace']['answer']> {
  const { path, needs, touched } = replacing
  const named = { path: nameOf(home, path), needs: namesOf(home, needs), touched: namesOf(home, touched) }
  const answer = await ask(home, 'replace', { ...replacing, ...named })
  if (answer === null) throw new Error(`${home} is no copy of an archive`)
  return answer
}

/** Takes files from the other nodes; those of this one are left to who called. */
export async function removeFiles(home: string, paths: readonly string[]): Promise<void> {
  if (!isCopy(home) || paths.length === 0) return
  await ask(home, 'remove', { paths: namesOf(home, paths), folder: null, spared: null })
}

/** As {@link removeFiles}, for all below a folder. @param spared a folder in it that stays */
export async function removeBelow(home: string, folder: string, spared: string | null = null): Promise<void> {
  if (!isCopy(home)) return
  const data = { paths: [], folder: nameOf(home, folder), spared: spared && nameOf(home, spared) }
  await ask(home, 'remove', data)
}

/** Names below a folder that any node stored, relative to it; none where the folder is the archive itself. */
export async function storedBelow(home: string, folder: string): Promise<readonly string[]> {
  const name = nameOf(home, folder)
  const paths = (await ask(home, 'names', { folder: name })) ?? []
  return paths.map(path => path.slice(name.length + 1))
}

/** Removes what nobody needs any more from all nodes. @returns how many segments; null where the folder is the archive */
export function sweepStored(
  home: string,
  kind: 'bars' | 'snapshots',
  inUse: ReadonlySet<string>,
): Promise<number | null> {
  return ask(home, 'sweep', { kind, sha256: [...inUse] })
}

/** @returns null at once where the folder is the archive itself */
async function ask<K extends ExchangeKind>(
  home: string,
  kind: K,
  data: ExchangeShapes[K]['data'],
): Promise<ExchangeShapes[K]['answer'] | null> {
  const announcement = announcementOf(home)
  if (announcement === null) return null
  const channel = new BroadcastChannel(announcement.channel)
  const question: Question<K> = { to: 'exchange', id: randomUUID(), kind, data }
  const asking = new Int32Array(announcement.asking)
  Atomics.add(asking, threadId % askingWords, 1)
  try {
    const reply = await new Promise<Reply>(resolve => {
      channel.onmessage = event => {
        const reply = replyIn(event)
        if (reply?.to === question.id) resolve(reply)
      }
      channel.postMessage(question)
    })
    if (reply.outcome === 'done') return reply.answer as ExchangeShapes[K]['answer']
    if (reply.outcome === 'failed') throw new Error(reply.message)
    const { code, detail, ...more } = reply.problem
    throw new Problem(code, detail, more)
  } finally {
    Atomics.sub(asking, threadId % askingWords, 1)
    channel.close()
  }
}

/** Everybody hears what everybody is told. */
function replyIn(event: unknown): Reply | null {
  if (typeof event !== 'object' || event === null || !('data' in event)) return null
  return event.data as Reply
}

function announcementOf(home: string): Announcement | null {
  const found = getEnvironmentData(announcementKey)
  if (typeof found !== 'object' || found === null) return null
  if (!('home' in found) || found.home !== home || !('channel' in found) || !('asking' in found)) return null
  if (!(found.asking instanceof SharedArrayBuffer)) return null
  return { home, channel: String(found.channel), asking: found.asking }
}

/** A path below the archive's folder, the same on every system. */
const nameOf = (home: string, path: string): string => relative(home, path).split(sep).join('/')

const namesOf = (home: string, paths: readonly string[]): string[] => paths.map(path => nameOf(home, path))
