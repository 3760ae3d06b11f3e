import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Adjustment, CorporateAction } from '../market/corporate-action.ts'
import { adjustments } from '../market/corporate-action.ts'
import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { writeFileAtomically } from './atomic.ts'
import { isMissing, touchFile } from './folder.ts'
import { type DatasetName, isName, versionPath } from './layout.ts'

/** The bars of one partition, as a file named by its contents. */
export type SegmentFacts = {
  /** `2024-01`, `2024` or `all`. */
  readonly partition: string
  readonly sha256: string
  readonly bars: number
  /** Open time of the first bar, epoch ms. */
  readonly first_ms: number
  /** Open time of the last bar, epoch ms. */
  readonly last_ms: number
}

/** What one identity of a dataset consists of. The SHA-256 of its canonical JSON is the dataset's sha256. */
export type Version = {
  readonly timeframe: Timeframe
  /** What `read` does to the prices; the segments hold them as traded. */
  readonly adjustment: Adjustment
  readonly calendar: string
  /** Oldest first. */
  readonly segments: readonly SegmentFacts[]
  /** By date, then kind. */
  readonly actions: readonly CorporateAction[]
}

/** Stands where the identity of another layout was: the same bars are found under this one. */
type Alias = { readonly same_as: string }

/** The text a version is named by: always the same fields in the same order. */
function canonicalJson(version: Version): string {
  const { timeframe, adjustment, calendar } = version
  const segments = version.segments.map(({ partition, sha256, bars, first_ms, last_ms }) => ({
    partition,
    sha256,
    bars,
    first_ms,
    last_ms,
  }))
  return JSON.stringify({ timeframe, adjustment, calendar, segments, actions: sortActions(version.actions) })
}

/** The sha256 of a dataset. */
export const identityOf = (version: Version): string => hash('sha256', canonicalJson(version))

/** By date, then kind, each with the same fields in the same order. */
export function sortActions(actions: readonly CorporateAction[]): CorporateAction[] {
  const plain = actions.map((action): CorporateAction => {
    const { ex_date, kind } = action
    return kind === 'split'
      ? { ex_date, kind, ratio: action.ratio }
      : { ex_date, kind, amount: action.amount }
  })
  const keyOf = ({ ex_date, kind }: CorporateAction) => `${ex_date} ${kind}`
  return plain.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))
}

/** Keeps a version; one that is kept already starts its hour of grace anew. @returns its sha256 */
export async function storeVersion(dataset: DatasetName, version: Version): Promise<string> {
  const text = canonicalJson(version)
  const sha256 = hash('sha256', text)
  const path = versionPath(dataset, sha256)
  const isStored = (await touchFile(path)) && hash('sha256', readFileSync(path)) === sha256
  if (!isStored) await writeFileAtomically(path, Buffer.from(text))
  return sha256
}

/** Lets the identity `sha256` mean the version `sameAs`. */
export async function storeAlias(dataset: DatasetName, sha256: string, sameAs: string): Promise<void> {
  const alias: Alias = { same_as: sameAs }
  await writeFileAtomically(versionPath(dataset, sha256), Buffer.from(JSON.stringify(alias)))
}

/** A version, or null when it is not kept. Blocks. @throws {Problem} 'bars-invalid' when its file is damaged */
export function findVersion(dataset: DatasetName, sha256: string): Version | null {
  const found = readVersionFile(dataset, sha256)
  if (found === null || 'timeframe' in found) return found
  const meant = readVersionFile(dataset, found.same_as)
  return meant !== null && 'timeframe' in meant ? meant : null
}

/** A version. Blocks. @throws {Problem} 'bars-missing' when it is not kept, 'bars-invalid' when its file is damaged */
export function readVersion(dataset: DatasetName, sha256: string): Version {
  const version = findVersion(dataset, sha256)
  if (version !== null) return version
  throw barsGone(dataset)
}

/** The identity that `sha256` is only another name of, or null. Blocks. */
export function aliasOf(dataset: DatasetName, sha256: string): string | null {
  const path = versionPath(dataset, sha256)
  const value = existsSync(path) ? parseJson(readFileSync(path, 'utf8')) : null
  return isAlias(value) ? value.same_as : null
}

/** What `read` answers about bars that nobody has any more. */
export function barsGone({ symbol, timeframe }: DatasetName): Problem {
  const message = `the bars of ${symbol} ${timeframe} that this operation depends on are not stored any more`
  return new Problem('bars-missing', message, {
    hint: 'Store the dataset again and retry, or submit a new operation to use the bars stored now.',
  })
}

function readVersionFile(dataset: DatasetName, sha256: string): Version | Alias | null {
  const path = versionPath(dataset, sha256)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  const value = parseJson(text)
  if (isAlias(value)) return value
  if (hash('sha256', text) === sha256 && isVersion(value)) return value
  throw new Problem(
    'bars-invalid',
    `the stored bars of ${dataset.symbol} ${dataset.timeframe} are damaged: ${path} was changed`,
    { hint: 'Download or import the dataset again, or bring the file back from a backup.' },
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isAlias(value: unknown): value is Alias {
  if (typeof value !== 'object' || value === null || !('same_as' in value)) return false
  return typeof value.same_as === 'string' && isName('sha256', value.same_as)
}

/** The text was written by this program, its checksum says; older ones may have had other fields. */
function isVersion(value: unknown): value is Version {
  if (typeof value !== 'object' || value === null) return false
  const { timeframe, adjustment, calendar, segments, actions } = value as Partial<
    Record<keyof Version, unknown>
  >
  if (typeof timeframe !== 'string' || !isTimeframe(timeframe) || typeof calendar !== 'string') return false
  return adjustments.some(known => known === adjustment) && Array.isArray(segments) && Array.isArray(actions)
}
