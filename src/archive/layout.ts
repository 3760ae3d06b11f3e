import { mkdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { symbolForm } from '../market/symbol.ts'
import { isTimeframe } from '../market/timeframe.ts'

/*
 * THE folders of the data folder (`home`):
 *   ktrdr.sqlite                                   the store
 *   bars/{symbol}/{timeframe}/                     a dataset:
 *     manifest.json                                what it is now
 *     versions/{sha256}.json                       what one identity of it consists of; never changed
 *     segments/{sha256}.arrow                      bars of one month, year or all; never changed, named by their contents
 *     renditions/{sha256}.{json|csv|parquet|arrow} a whole version in one file, made on demand
 *   strategies/{name}.yaml                         the user's own
 *   strategy-versions/{name}/{sha256}.yaml         every text that was stored under a name, also after it was deleted
 *   snapshots/{sha256}.yaml                        strategies as they were when an operation was accepted
 *   models/{model_id}/                             a trained model: manifest.json and the files it names, see models.ts
 *   checkpoints/{operation_id}/{attempt}-{n}.ckpt
 *   artifacts/{operation_id}/{attempt}/{file}
 *   tmp/                                           uploads on their way
 * Files whose names start with a dot and end in .tmp are unfinished.
 */

/** Makes the folders, readable by their owner alone. @param home absolute path of the data folder */
export function createLayout(home: string): void {
  if (!isAbsolute(home)) throw new Error(`the data folder must be an absolute path: ${home}`)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  for (const folder of ['bars', 'strategies', 'snapshots', 'models', 'checkpoints', 'artifacts', 'tmp']) {
    mkdirSync(join(home, folder), { recursive: true, mode: 0o700 })
  }
}

/** What may become part of a path. The same patterns stand in openapi.yaml; here they are the last gate. */
const patterns = {
  symbol: symbolForm,
  strategy: /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  sha256: /^[0-9a-f]{64}$/,
  operation: /^op_[0-9A-HJKMNP-TV-Z]{26}$/,
  artifact: /^[a-z0-9][a-z0-9_-]{0,63}(\.[a-z0-9]{1,10})?$/,
  model: /^mdl_[0-9a-f]{26}$/,
  checkpoint: /^\d{1,9}-\d{1,9}\.ckpt$/,
  attempt: /^[1-9]\d{0,8}$/,
  format: /^[a-z]{1,10}$/,
} as const satisfies Record<string, RegExp>

type NameKind = keyof typeof patterns

/** Whether `name` may become part of a path. */
export const isName = (kind: NameKind, name: string): boolean => patterns[kind].test(name)

/** `name` itself. @throws {Error} when it is not a bare name of its kind: whoever called did not validate */
export function checkedName(kind: NameKind, name: string): string {
  if (!isName(kind, name))
    throw new Error(`${JSON.stringify(name.slice(0, 100))} cannot be a ${kind} name in the archive`)
  return name
}

export const databasePath = (home: string): string => join(home, 'ktrdr.sqlite')
export const barsFolder = (home: string): string => join(home, 'bars')
export const strategiesFolder = (home: string): string => join(home, 'strategies')
/** On the same file system as everything else: a file written here is published by a rename. */
export const temporaryFolder = (home: string): string => join(home, 'tmp')
/** Compiled code, kept from start to start and shared by the threads; elsewhere if Node was told so. */
export const compileCacheFolder = (home: string): string =>
  process.env.NODE_COMPILE_CACHE ?? join(temporaryFolder(home), 'compile-cache')

export function datasetFolder(home: string, symbol: string, timeframe: string): string {
  if (!isTimeframe(timeframe))
    throw new Error(`${JSON.stringify(timeframe.slice(0, 100))} is not a timeframe`)
  return join(barsFolder(home), checkedName('symbol', symbol), timeframe)
}

/** Names of one dataset. */
export type DatasetName = { readonly home: string; readonly symbol: string; readonly timeframe: string }

const folderOf = ({ home, symbol, timeframe }: DatasetName): string => datasetFolder(home, symbol, timeframe)

export const manifestPath = (dataset: DatasetName): string => join(folderOf(dataset), 'manifest.json')

export const versionsFolder = (dataset: DatasetName): string => join(folderOf(dataset), 'versions')

/** Where a version is, or would be. */
export const versionPath = (dataset: DatasetName, sha256: string): string =>
  join(versionsFolder(dataset), `${checkedName('sha256', sha256)}.json`)

export const segmentsFolder = (dataset: DatasetName): string => join(folderOf(dataset), 'segments')

/** Where a segment is, or would be. */
export const segmentPath = (dataset: DatasetName, sha256: string): string =>
  join(segmentsFolder(dataset), `${checkedName('sha256', sha256)}.arrow`)

export const renditionsFolder = (dataset: DatasetName): string => join(folderOf(dataset), 'renditions')

/** Where a version is in a format of `tableMediaTypes`, or would be. */
export const renditionPath = (dataset: DatasetName, sha256: string, format: string): string =>
  join(renditionsFolder(dataset), `${checkedName('sha256', sha256)}.${checkedName('format', format)}`)

/** Why a symbol cannot name a folder on every file system, or null: a data folder may move to Windows, or lie on its disks. */
export const symbolFault = (symbol: string): string | null => nameFault('symbol', symbol)

/** Why a strategy's name cannot name a file on every file system, or null. */
export const strategyNameFault = (name: string): string | null => nameFault('strategy name', name)

function nameFault(kind: string, name: string): string | null {
  if (name.endsWith('.')) return `the ${kind} ${name} ends with a dot, which Windows drops`
  if (/^(con|nul|aux|prn|com[1-9]|lpt[1-9])(\.|$)/i.test(name))
    return `the ${kind} ${name} is the name of a device on Windows`
  return null
}

export const strategyPath = (home: string, name: string): string =>
  join(strategiesFolder(home), `${checkedName('strategy', name)}.yaml`)

/** Every text that was stored under a name. */
export const strategyVersionsFolder = (home: string, name: string): string =>
  join(home, 'strategy-versions', checkedName('strategy', name))

export const strategyVersionPath = (home: string, name: string, sha256: string): string =>
  join(strategyVersionsFolder(home, name), `${checkedName('sha256', sha256)}.yaml`)

export const snapshotsFolder = (home: string): string => join(home, 'snapshots')

export const snapshotPath = (home: string, sha256: string): string =>
  join(snapshotsFolder(home), `${checkedName('sha256', sha256)}.yaml`)

export const modelsFolder = (home: string): string => join(home, 'models')

export const modelFolder = (home: string, id: string): string =>
  join(modelsFolder(home), checkedName('model', id))

export const checkpointsFolder = (home: string, operationId: string): string =>
  join(home, 'checkpoints', checkedName('operation', operationId))

/** All attempts of an operation. */
export const artifactsFolder = (home: string, operationId: string): string =>
  join(home, 'artifacts', checkedName('operation', operationId))

export const attemptFolder = (home: string, operationId: string, attempt: number): string =>
  join(artifactsFolder(home, operationId), checkedName('attempt', String(attempt)))
