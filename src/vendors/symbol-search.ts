import { Threads } from '../archive/threads.ts'
import { Problem } from '../problems.ts'
import { type VendorName, vendors } from './registry.ts'
import type { VendorSymbol, VendorsSettings } from './vendor.ts'

/** What the thread that asks a vendor is told. */
export type SymbolTask = {
  readonly vendor: VendorName
  readonly exchange: string | null
  readonly settings: VendorsSettings
  readonly pacing: SharedArrayBuffer
}

export type SymbolQuery = {
  readonly vendor: VendorName
  readonly exchange: string | null
  /** Contained in symbol or description, whatever its case; empty = all. */
  readonly text: string
  readonly limit: number
}

/** For so long a list that comes over the network is not asked for again. */
const keptMs = 600_000
const maxKept = 20

type Kept = { readonly at: number; readonly list: Promise<readonly VendorSymbol[]> }

/** Symbols of vendors. Each list is fetched in a thread of its own (ccxt alone takes half a second to load) and kept for ten minutes. */
export class SymbolSearch {
  private readonly shared: Pick<SymbolTask, 'settings' | 'pacing'>
  private readonly now: () => number
  private readonly threads = new Threads()
  private readonly kept = new Map<string, Kept>()

  constructor(shared: Pick<SymbolTask, 'settings' | 'pacing'>, now: () => number) {
    this.shared = shared
    this.now = now
  }

  /** @throws {Problem} 'params-invalid' when the vendor has no list, 'vendor-unavailable' */
  async find({ vendor, exchange, text, limit }: SymbolQuery) {
    const { listSymbols, exchanges } = vendors[vendor]
    if (listSymbols === undefined)
      throw refusal(`the vendor ${vendor} cannot list its symbols`, '/path/vendor')
    if (exchange !== null && !exchanges)
      throw refusal(`the vendor ${vendor} has no exchanges`, '/query/exchange')
    const chosen = exchanges ? (exchange ?? this.shared.settings.ccxt.exchange) : null
    const wanted = text.toLowerCase()
    const found = (await this.list(vendor, chosen)).filter(({ symbol, description }) =>
      `${symbol} ${description}`.toLowerCase().includes(wanted),
    )
    return { vendor, exchange: chosen, total: found.length, items: found.slice(0, limit) }
  }

  private list(vendor: VendorName, exchange: string | null): Promise<readonly VendorSymbol[]> {
    const key = `${vendor}:${exchange}`
    const known = this.kept.get(key)
    if (known !== undefined && this.now() - known.at < keptMs) return known.list
    const data: SymbolTask = { vendor, exchange, ...this.shared }
    const list = this.threads.run<readonly VendorSymbol[]>({
      file: new URL('./symbol-thread.ts', import.meta.url),
      data,
    })
    if (!vendors[vendor].network) return list
    this.kept.delete(key)
    this.kept.set(key, { at: this.now(), list })
    list.catch(() => this.kept.delete(key))
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= maxKept) break
      this.kept.delete(oldest)
    }
    return list
  }
}

const refusal = (message: string, pointer: string): Problem =>
  new Problem('params-invalid', message, { errors: [{ pointer, code: 'not_allowed', message }] })
