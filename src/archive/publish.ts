import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Bars, checkBars } from '../market/bars.ts'
import { Problem } from '../problems.ts'
import { writeFileAtomically } from './atomic.ts'
import { barsTable } from './bars-table.ts'
import { segmentPath, symbolFault } from './layout.ts'
import { describeBars, type Manifest, manifestPath, readManifest } from './manifest.ts'
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
  readonly home: string
  readonly symbol: string
  readonly timeframe: string
  readonly bars: Bars
  readonly from: Origin
}

/**
 * Writes the segment, then the manifest that names it. One call per dataset at a time.
 * @throws {Problem} 'params-invalid' for a name that not every file system can keep, 'bars-invalid'
 */
export async function publishBars({ home, symbol, timeframe, bars, from }: Publication): Promise<Published> {
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
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  await writeFileAtomically(manifestPath(home, symbol, timeframe), Buffer.from(text))
  return { manifest, created: previous === null }
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
