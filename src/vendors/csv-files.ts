import { type FileHandle, open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { symbolForm } from '../market/symbol.ts'
import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'

/** A file of the operator's folder. `path` is relative to it. */
export type CsvFile = { readonly symbol: string; readonly timeframe: Timeframe; readonly path: string }

/**
 * The files `SYMBOL_timeframe.csv` and `SYMBOL/timeframe.csv`, by path; anything else is passed over. Names are as the
 * folder lists them, so that `1m` and `1M`, `aapl` and `AAPL` differ on every disk.
 * @throws {Problem} 'vendor-unavailable' when the folder cannot be read
 */
export async function listCsvFiles(folder: string): Promise<CsvFile[]> {
  const paths: string[] = []
  for (const entry of await listFolder(folder)) {
    if (entry.endsWith('.csv')) paths.push(entry)
    else if (symbolForm.test(entry)) {
      const inside = await listFolder(join(folder, entry)).catch(passOverFile)
      paths.push(...inside.map(name => `${entry}/${name}`))
    }
  }
  return paths.toSorted().flatMap(path => {
    const [, symbol = '', timeframe = ''] = /^([^/]+)[_/]([^_/]+)\.csv$/.exec(path) ?? []
    return symbolForm.test(symbol) && isTimeframe(timeframe) ? [{ symbol, timeframe, path }] : []
  })
}

/**
 * Opens a file for reading. The caller closes it.
 * @throws {Problem} 'vendor-unavailable' when it is a link to somewhere outside the folder, or not a readable file
 */
export async function openCsvFile(folder: string, path: string): Promise<FileHandle> {
  const refuse = (why: string) =>
    new Problem('vendor-unavailable', `the file ${path} ${why}`, {
      hint: 'The operator decides what lies in the folder KTRDR_CSV_FOLDER: plain files that the server may read.',
    })
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(join(folder, path))])
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep))
      throw refuse('is a link that leaves the folder')
    const file = await open(real, 'r')
    if ((await file.stat()).isFile()) return file
    await file.close()
    throw refuse('is not a file')
  } catch (error) {
    if (error instanceof Problem || !isSystemError(error)) throw error
    throw refuse(`cannot be opened (${error.code})`)
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new UnreadableFolder(error.code)
  }
}

class UnreadableFolder extends Problem {
  readonly reason: string
  constructor(reason: string) {
    super('vendor-unavailable', `the folder of the vendor csv cannot be read (${reason})`, {
      hint: 'The operator sets it as KTRDR_CSV_FOLDER; it must exist and the server must be allowed to read it.',
    })
    this.reason = reason
  }
}

/** What looked like a folder by its name may be a file, or forbidden, or gone. */
function passOverFile(error: unknown): string[] {
  if (error instanceof UnreadableFolder) return []
  throw error
}

function isSystemError(error: unknown): error is { readonly code: string } {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
}
