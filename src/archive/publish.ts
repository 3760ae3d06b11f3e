import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Bars, checkBars } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import { writeFileAtomically } from './atomic.ts'
import { barsTable } from './bars-table.ts'
import { segmentPath, symbolFault } from './layout.ts'
import { describeBars, type Manifest, readManifest, replaceManifest } from './manifest.ts'
import { touchSegment } from './segments.ts'
import { encodeTable } from './tables.ts'

/** Where bars come from. */
export type Origin = {
  /** A vendor, or `import`. */
  readonly source: string
  /** Epoch ms. */
  readonly now: number
  /** JSON pointer to the object in the request that names symbol and timeframe, e.g. `/path`. */
  readonly pointer?: string
}
/** `created`: there was no such dataset before. */
export type Published = { readonly manifest: Manifest; readonly created: boolean }

/** Bars about to become a dataset. */
export type Publication = {
  /** The sha256 these bars were merged with, null for none; without it they replace whatever is there. */
  readonly base?: string | null
  readonly home: string
  readonly symbol: string
  readonly timeframe: string
  readonly bars: Bars
  readonly from: Origin
}

/**
 * Writes the segment, then the manifest that names it.
 * @returns null when the dataset is not `base` any more: somebody else has published meanwhile
 * @throws {Problem} 'params-invalid' for a name that not every file system can keep, 'bars-invalid'
 */
export async function publishBars(publication: Publication): Promise<Published | null> {
  const { home, symbol, timeframe, bars, from } = publication
  const previous = await readManifest(home, symbol, timeframe)
  checkNames({ symbol, timeframe }, previous, from.pointer ?? '')
  checkBars(bars)
  const bytes = encodeTable(barsTable(bars))
  const sha256 = hash('sha256', bytes)
  const manifest = describeBars({ symbol, timeframe }, bars, { ...from, sha256, size: bytes.length })
  const path = segmentPath(home, symbol, timeframe, sha256)
  const isStored = existsSync(path) && hash('sha256', await readFile(path)) === sha256
  if (isStored) await touchSegment(path)
  else await writeFileAtomically(path, bytes)
  // Whoever pinned the bars replaced now has an hour to become an active operation.
  if (previous !== null) await touchSegment(segmentPath(home, symbol, timeframe, previous.sha256))
  const isBase = (present: Manifest | null) =>
    publication.base === undefined || (present?.sha256 ?? null) === publication.base
  const replaced = await replaceManifest(home, manifest, isBase)
  return replaced ? { manifest, created: previous === null } : null
}

type Names = { readonly symbol: string; readonly timeframe: string }

function checkNames(asked: Names, found: Names | null, pointer: string): void {
  const refuse = (name: keyof Names, message: string) => {
    const errors = [{ pointer: `${pointer}/${name}`, code: 'name', message }]
    return new Problem('params-invalid', message, { errors })
  }
  const fault = symbolFault(asked.symbol)
  if (fault !== null) throw refuse('symbol', fault)
  for (const name of ['symbol', 'timeframe'] as const) {
    if (found === null || found[name] === asked[name]) continue
    const stored = `${found.symbol} ${found.timeframe}`
    throw refuse(
      name,
      `the file system cannot tell ${asked.symbol} ${asked.timeframe} from ${stored}, which is stored`,
    )
  }
}
