import type { components } from '../openapi.gen.ts'
import { ccxtVendor } from './ccxt.ts'
import { csvVendor } from './csv-folder.ts'
import { sampleVendor } from './sample.ts'
import { stooqVendor } from './stooq.ts'
import type { Vendor } from './vendor.ts'
import { yahooVendor } from './yahoo.ts'

export type VendorName = components['schemas']['VendorName']

/** THE list of vendors. One added to openapi.yaml does not compile until it stands here. */
export const vendors: Readonly<Record<VendorName, Vendor>> = {
  sample: sampleVendor,
  ccxt: ccxtVendor,
  yahoo: yahooVendor,
  stooq: stooqVendor,
  csv: csvVendor,
}

export function isVendorName(name: string): name is VendorName {
  return Object.hasOwn(vendors, name)
}
