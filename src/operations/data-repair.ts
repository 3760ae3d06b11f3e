import type { Manifest } from '../archive/bars.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { isVendorName, type VendorName, vendors } from '../vendors/registry.ts'
import { checkSource, checkVendor, fault, pagesSeries } from './data-download.ts'
import { rangeOf } from './moment.ts'
import { selfContained, type WorkerSpec } from './spec.ts'

type Requested = Readonly<components['schemas']['DataRepairParams']>
/** As the validator hands them on: defaults filled in; the vendor by `prepare`. */
export type DataRepairParams = Requested & Required<Pick<Requested, 'classes' | 'vendor'>>
export type DataRepairResult = Readonly<components['schemas']['DataRepairResult']>

const MINUTE_MS = 60_000

/** Asks a vendor again for the bars that are missing inside a stored dataset. */
export const dataRepairSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Fetches again what is missing inside a stored dataset.',
  worker: 'data-repair.ts',
  resumable: true,
  timeoutMs: 24 * 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: 4,
  series: pagesSeries,
  prepare: async (given, rooms) => {
    const params = given as Requested
    const { symbol, timeframe } = params
    rangeOf(params)
    const manifest = await rooms.bars.manifest(symbol, timeframe)
    if (manifest === null)
      throw new Problem(
        'bars-missing',
        `no bars of ${symbol} ${timeframe} are stored: there is nothing to repair`,
      )
    const asked = { ...askedVendor(params, manifest) }
    const vendor = vendors[asked.vendor]
    checkVendor(vendor, { ...asked, timeframes: [timeframe] }, false)
    checkSource(manifest, { vendor, exchange: asked.exchange, mode: 'range' })
    return selfContained({ ...params, ...asked }, null)
  },
}

/** The vendor of the request, else the one the dataset came from. */
function askedVendor(
  { vendor, exchange }: Requested,
  { source }: Manifest,
): { vendor: VendorName; exchange?: string } {
  const [origin = '', sourceExchange] = source.split(':')
  const chosen = vendor ?? origin
  if (!isVendorName(chosen)) {
    const message = `these bars came from '${source}': name a vendor to ask`
    throw fault('/body/params/vendor', 'required', message)
  }
  const chosenExchange = exchange ?? (chosen === origin ? sourceExchange : undefined)
  return { vendor: chosen, ...(chosenExchange === undefined ? {} : { exchange: chosenExchange }) }
}
