import { type Bars, formatTime, sliceBars, truncateBars } from '../market/bars.ts'
import { timeframeNames } from '../market/timeframe.ts'
import { Problem } from '../problems.ts'
import { listCsvFiles, openCsvFile } from './csv-files.ts'
import { CsvFileReader, type FileExtent } from './csv-reader.ts'
import { cleanPage } from './page.ts'
import type { BarsPage, BarsRequest, Vendor, VendorContext, VendorSymbol } from './vendor.ts'

/**
 * CSV files that the operator puts into a folder: `AAPL_1d.csv` or `AAPL/1d.csv`, in any form that can be imported.
 *
 * A file is read twice: once to see that all of it can be read, then to send it, 50,000 bars at a time; so a fault in the
 * last line is found before the first page. Only a file that is newest first is held in memory as a whole.
 */
export const csvVendor: Vendor = {
  name: 'csv',
  description:
    'Files of a folder that the operator has set: AAPL_1d.csv or AAPL/1d.csv. Give `calendar` with it.',
  network: false,
  timeframes: timeframeNames,
  prices: null,
  exchanges: false,
  // A file name does not say where its symbol is traded.
  calendarOf: () => null,
  fetchBars,
  listSymbols: async (_exchange, context) => listSymbols(requireFolder(context)),
}

async function* fetchBars(request: BarsRequest, context: VendorContext): AsyncGenerator<BarsPage> {
  const folder = requireFolder(context)
  const file = await openCsvFile(folder, await findFile(folder, request))
  try {
    const reader = new CsvFileReader(file, request, context)
    const { warnings, ...extent } = await reader.summarize()
    if (!overlaps(request, extent)) {
      yield pageWithout(request, context, extent)
      return
    }
    let remarks: { remarks?: readonly string[] } = warnings.length === 0 ? {} : { remarks: warnings }
    for await (const chunk of reader.chunks(extent)) {
      const page = pageOf(chunk, request, context.now())
      if (page === null) continue
      yield { ...page, ...remarks }
      remarks = {}
    }
  } finally {
    await file.close()
  }
}

function requireFolder(context: VendorContext): string {
  const { csvFolder } = context.settings
  if (csvFolder !== null) return csvFolder
  throw new Problem('vendor-unavailable', 'the operator has not set KTRDR_CSV_FOLDER', {
    hint: 'Without it the vendor csv has no files. Bars can be imported with PUT /api/v1/datasets/{symbol}/{timeframe}.',
  })
}

async function listSymbols(folder: string): Promise<VendorSymbol[]> {
  const found = new Map<string, string[]>()
  for (const { symbol, timeframe } of await listCsvFiles(folder)) {
    const known = found.get(symbol) ?? []
    if (!known.includes(timeframe)) found.set(symbol, [...known, timeframe])
  }
  return [...found].map(([symbol, names]) => ({ symbol, description: names.join(', ') }))
}

async function findFile(folder: string, { symbol, timeframe }: BarsRequest): Promise<string> {
  const files = (await listCsvFiles(folder)).filter(file => file.symbol === symbol)
  const [found, other] = files.filter(file => file.timeframe === timeframe)
  if (found !== undefined && other === undefined) return found.path
  if (found !== undefined && other !== undefined) {
    throw new Problem(
      'bars-invalid',
      `${symbol} ${timeframe} has two files, ${found.path} and ${other.path}`,
      {
        hint: 'Keep one of them in the folder.',
      },
    )
  }
  const names = files.map(file => file.timeframe).join(', ')
  throw new Problem('bars-missing', `the folder of the vendor csv has no ${symbol} ${timeframe}`, {
    hint: `${names === '' ? '' : `Of ${symbol} it has ${names}. `}Files are named ${symbol}_${timeframe}.csv, upper and lower case as here.`,
  })
}

function overlaps({ start, end }: BarsRequest, { firstMs, lastMs }: FileExtent): boolean {
  return firstMs < end && (start === null || lastMs >= start)
}

/** What is older than the file is told, what is newer may yet be added to it. */
function pageWithout(
  request: BarsRequest,
  context: VendorContext,
  { firstMs, lastMs }: FileExtent,
): BarsPage {
  const until = firstMs >= request.end ? request.end : (request.start ?? request.end)
  const remark = `The bars of the file open from ${formatTime(firstMs)} to ${formatTime(lastMs)}`
  return cleanPage([], request, { now: context.now(), until, remarks: [remark] })
}

/** The bars of a chunk that were asked for and are complete; null when it comes before all of them. */
function pageOf(chunk: Bars, { start, end }: BarsRequest, nowMs: number): BarsPage | null {
  const inside = sliceBars(chunk, start, end)
  let length = inside.length
  while (length > 0 && (inside.close_time[length - 1] ?? 0) > nowMs) length--
  const goesOn = (chunk.time[chunk.length - 1] ?? 0) >= end
  if (inside.length === 0 && !goesOn) return null
  const toldMs = goesOn ? end : (inside.close_time[length - 1] ?? inside.time[0] ?? end)
  return {
    bars: truncateBars(inside, length),
    until: Math.min(end, nowMs, toldMs, inside.time[length] ?? end),
  }
}
