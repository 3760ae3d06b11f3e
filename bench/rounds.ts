import type { Options } from 'autocannon'
import { type Load, load } from './load.ts'
import { max, median } from './numbers.ts'

export type Duel = { readonly ours: readonly Load[]; readonly peers: readonly Load[] }

type Plan = {
  readonly rounds: number
  /** The status every answer must have. */
  readonly status: number
  /** The same load against ours and the peer, given the address. */
  readonly options: Omit<Options, 'url'>
  readonly path: string
  readonly warmUpSeconds: number
}

/** Loads ours and the peer in turn, so that whatever slows the machine slows both. One unmeasured turn each comes first. */
export async function duel(ourUrl: string, peerUrl: string, plan: Plan): Promise<Duel> {
  const run = (base: string, duration: number) =>
    load({ ...plan.options, url: `${base}${plan.path}`, duration }, plan.status)
  const ours: Load[] = []
  const peers: Load[] = []
  await run(ourUrl, plan.warmUpSeconds)
  await run(peerUrl, plan.warmUpSeconds)
  for (let round = 0; round < plan.rounds; round++) {
    ours.push(await run(ourUrl, plan.options.duration))
    peers.push(await run(peerUrl, plan.options.duration))
  }
  return { ours, peers }
}

export const perSecond = (loads: readonly Load[]): number => median(loads.map(load => load.perSecond))

/** The median of the ratios of each round with the peer right after it. */
export function ratio({ ours, peers }: Duel): number {
  return median(ours.map((load, round) => load.perSecond / (peers[round]?.perSecond ?? Number.NaN)))
}

/** Lowest and highest rate, e.g. `31,000–33,500`. */
export function range(loads: readonly Load[]): string {
  const rates = loads.map(load => load.perSecond)
  const rounded = (value: number) => Math.round(value).toLocaleString('en-US')
  return `${rounded(-max(rates.map(rate => -rate)))}–${rounded(max(rates))}`
}
