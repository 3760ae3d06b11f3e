import type { components } from '../openapi.gen.ts'
import { sampleVendor } from './sample.ts'
import type { Vendor } from './vendor.ts'

export type VendorName = components['schemas']['DataDownloadParams']['vendor']

/** THE list of vendors. One added to openapi.yaml does not compile until it stands here. */
export const vendors: Readonly<Record<VendorName, Vendor>> = { sample: sampleVendor }
