import type { Manifest } from '../archive/bars.ts'
import { toRfc3339 } from '../clock.ts'
import type { Adjustment } from '../market/corporate-action.ts'
import { closeTimeMs, type Timeframe } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import type { Rooms } from './spec.ts'

/** A dataset as it is now. */
export type Pinned = { readonly manifest: Manifest; readonly sha256: string }

/** Open times, epoch ms, half-open; null is unbounded. */
export type Range = { readonly start: number | null; readonly end: number | null }

/** Larger datasets are not read before the operation runs: it would hold up the main thread. */
const maxReadBytes = 8 * 1024 * 1024

type Wanted = {
  readonly symbol: string
  readonly timeframe: string
  readonly adjustment: Adjustment
  /** The field of the request that asks for it, where one does. */
  readonly pointer?: string
}

/**
 * The field of a request that names a symbol: its own, or else that of the strategy or model which names it.
 * @param i which of the symbols
 */
function symbolPointer(fields: SymbolFields, i: number): string {
  const { symbol, symbols } = fields
  if (symbols !== undefined) return `/body/params/symbols/${i}`
  if (symbol !== undefined) return '/body/params/symbol'
  const key = (['model', 'ensemble', 'strategy_yaml'] as const).find(name => fields[name] !== undefined)
  return `/body/params/${key ?? 'strategy'}`
}

/** Fields of a request that name symbols. */
type SymbolFields = {
  readonly symbol?: string
  readonly symbols?: readonly string[]
  readonly strategy_yaml?: string
  readonly model?: unknown
  readonly ensemble?: unknown
}

/** Pins a dataset, or says how to get it. @throws {Problem} 'bars-missing' */
export async function pinStored(
  { bars }: Rooms,
  { symbol, timeframe, adjustment, pointer }: Wanted,
): Promise<Pinned> {
  const pinned = await bars.pin(symbol, timeframe, adjustment)
  if (pinned !== null) {
    // What is small enough to be looked into.
    if (pinned.manifest.size_bytes <= maxReadBytes) await bars.fetch(symbol, timeframe, pinned.sha256)
    return pinned
  }
  const request = {
    type: 'data_download',
    params: { vendor: 'sample', symbols: [symbol], timeframes: [timeframe] },
  }
  const message = `no bars of ${symbol} ${timeframe} are stored`
  throw new Problem('bars-missing', message, {
    ...(pointer === undefined ? {} : { errors: [{ pointer, code: 'unknown', message }] }),
    hint: `Fetch them: POST /api/v1/operations ${JSON.stringify(request)}, or with another vendor; make them of shorter bars: data_resample; or import a CSV file: PUT /api/v1/datasets/${symbol}/${timeframe}.`,
  })
}

/**
 * Pins the datasets of several symbols, symbol by symbol. What is missing is told by the field that names the symbol.
 * @throws {Problem} 'bars-missing'
 */
export async function pinSymbols(
  symbols: readonly string[],
  timeframes: readonly Timeframe[],
  params: SymbolFields & { readonly adjustment: Adjustment },
  rooms: Rooms,
): Promise<Pinned[]> {
  const { adjustment } = params
  const pinned: Pinned[] = []
  for (const [i, symbol] of symbols.entries()) {
    const pointer = symbolPointer(params, i)
    for (const timeframe of timeframes)
      pinned.push(await pinStored(rooms, { symbol, timeframe, adjustment, pointer }))
  }
  return pinned
}

/**
 * That a range holds bars, of one dataset at least.
 * @param where its pointer in the request, and what to call it
 * @returns a sentence without full stop for each of several datasets that have none
 * @throws {Problem} 'bars-missing' when none has any
 */
export function checkRange(
  stored: readonly Pinned[],
  range: Range,
  { pointer, name }: { readonly pointer: string; readonly name: string },
  rooms: Rooms,
): string[] {
  const empty = stored.filter(pinned => !hasBars(pinned, range, rooms)).map(({ manifest }) => manifest)
  const messages = empty.map(({ symbol, timeframe }) => `${symbol} ${timeframe} has no bars in the ${name}`)
  const [message] = messages
  if (message === undefined || empty.length < stored.length) return messages
  const known = empty.map(
    ({ symbol, first_time, last_time }) => `${symbol} from ${first_time} to ${last_time}`,
  )
  throw new Problem('bars-missing', message, {
    hint: `The stored bars open: ${known.slice(0, 5).join('; ')}${known.length > 5 ? '; …' : ''}.`,
    errors: [{ pointer, code: 'range', message }],
  })
}

/** Whether a bar opens in the range; true also where finding out takes long. */
export function hasBars({ manifest, sha256 }: Pinned, { start, end }: Range, rooms: Rooms): boolean {
  const [from, to] = [start ?? Number.NEGATIVE_INFINITY, end ?? Number.POSITIVE_INFINITY]
  const touched = manifest.partitions.filter(({ first_ms, last_ms }) => first_ms < to && last_ms >= from)
  if (touched.length === 0) return false
  if (touched.some(({ first_ms, last_ms }) => first_ms >= from || last_ms < to)) return true
  // The range lies between the first and the last bar of one segment.
  if (manifest.size_bytes > maxReadBytes) return true
  return rooms.bars.read(manifest.symbol, manifest.timeframe, sha256, { start, end }).length > 0
}

/** How many bars open in the range; null where counting them takes long. */
export function countBars({ manifest, sha256 }: Pinned, range: Range, rooms: Rooms): number | null {
  const { symbol, timeframe, bars, first_time, last_time, size_bytes } = manifest
  const start = range.start ?? Number.NEGATIVE_INFINITY
  const end = range.end ?? Number.POSITIVE_INFINITY
  if (start <= Date.parse(first_time) && end > Date.parse(last_time)) return bars
  return size_bytes > maxReadBytes ? null : rooms.bars.read(symbol, timeframe, sha256, range).length
}

/** From the first bar of any dataset to behind the last one. */
export function spanOf(stored: readonly Pinned[]): { readonly start: string; readonly end: string } {
  const first = stored.map(({ manifest }) => Date.parse(manifest.first_time))
  // No later bar can open before it.
  const last = stored.map(({ manifest }) => closeTimeMs(Date.parse(manifest.last_time), manifest.timeframe))
  return { start: toRfc3339(Math.min(...first)), end: toRfc3339(Math.max(...last)) }
}
