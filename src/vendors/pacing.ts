import { hrtime } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatTime } from '../market/bars.ts'
import { Problem } from '../problems.ts'

/** Vendors that are asked over the network, in the order of their slots in `Pacing`. */
const pacedVendors = ['yahoo', 'stooq', 'ccxt'] as const
export type PacedVendor = (typeof pacedVendors)[number]

/**
 * When each vendor may next be asked, for all threads of the process: per vendor one 64-bit integer for its next turn,
 * and after these one for the time until which it wants to be left alone, in milliseconds of the process's monotonic
 * clock (`process.hrtime` is the same in every thread and does not jump when somebody sets the time of day). A turn is
 * taken by moving the number on, so there is no lock that a killed thread could hold: at worst its turn passes unused.
 */
export type Pacing = SharedArrayBuffer

/** Whoever waits says so at least this often. */
export const signOfLifeMs = 5_000

/** What a wait needs to know: when to give up, and whom to tell that the thread lives. */
export type Waiting = {
  readonly signal: AbortSignal
  /** Told before a wait and every 5 s during it. */
  readonly onWait: (reason: string) => void
}

/** How long to wait at most for a vendor that wants to be left alone; `now` is the time of day, epoch ms. */
export type Patience = { readonly ms: number; readonly now: () => number }

/** No vendor is left alone for longer, so that a senseless wish does not shut it until the server restarts. */
const maxAloneMs = 86_400_000

/** Nobody has been asked yet. */
export function createPacing(): Pacing {
  return new SharedArrayBuffer(2 * pacedVendors.length * BigInt64Array.BYTES_PER_ELEMENT)
}

/**
 * Takes the vendor's next free turn and waits for it. Turns of one vendor are at least `intervalMs` apart, whichever
 * threads take them. A turn that the vendor meanwhile wants nobody to take passes, and a later one is taken.
 * @param waiting its `monotonicNow` is for tests; it is not called `now` because a vendor's context has a `now` of its
 *   own, the time of day
 * @throws {Problem} 'vendor-unavailable' at once, when the vendor wants to be left alone for longer than the patience
 * @throws AbortError when the signal is aborted; the turn passes unused
 */
export async function waitForTurn(
  pacing: Pacing,
  vendor: PacedVendor,
  intervalMs: number,
  waiting: Waiting & { readonly monotonicNow?: () => number; readonly patience?: Patience },
): Promise<void> {
  for (;;) {
    throwIfAborted(waiting.signal)
    const nowMs = (waiting.monotonicNow ?? monotonicMs)()
    refuseLongWait(vendor, aloneUntilMs(pacing, vendor) - nowMs, waiting.patience)
    const turnMs = takeTurn(pacing, vendor, nowMs, Math.ceil(intervalMs))
    await pause(turnMs - nowMs, `waiting for the next turn to ask ${vendor}`, waiting)
    if (aloneUntilMs(pacing, vendor) <= turnMs) return
  }
}

/** Lets nobody ask the vendor for so long, a day at most: it said that all of us ask too often. */
export function postponeTurns(pacing: Pacing, vendor: PacedVendor, delayMs: number, now = monotonicMs): void {
  const leftMs = Math.min(delayMs, maxAloneMs)
  advance(pacing, aloneSlotOf(vendor), untilMs => Math.max(untilMs, Math.ceil(now() + leftMs)))
}

/**
 * Waits, telling `onWait` at the start and every 5 s. Returns at once when there is nothing to wait for.
 * @throws AbortError as soon as the signal is aborted
 */
export async function pause(delayMs: number, reason: string, { signal, onWait }: Waiting): Promise<void> {
  for (let leftMs = delayMs; leftMs > 0; leftMs -= signOfLifeMs) {
    throwIfAborted(signal)
    onWait(reason)
    await sleep(Math.min(leftMs, signOfLifeMs), undefined, { signal })
  }
}

/** @throws AbortError whatever reason the signal was aborted for, so that callers know a stop from a failure */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new DOMException('The operation was asked to stop', 'AbortError')
}

/** Milliseconds since some moment in the past, the same moment for all threads of the process. */
export function monotonicMs(): number {
  return Number(hrtime.bigint() / 1_000_000n)
}

function takeTurn(pacing: Pacing, vendor: PacedVendor, nowMs: number, intervalMs: number): number {
  const earliestMs = Math.max(Math.ceil(nowMs), aloneUntilMs(pacing, vendor))
  const slot = pacedVendors.indexOf(vendor)
  return advance(pacing, slot, nextMs => Math.max(nextMs, earliestMs) + intervalMs) - intervalMs
}

function refuseLongWait(vendor: PacedVendor, leftMs: number, patience: Patience | undefined): void {
  if (patience === undefined || leftMs <= patience.ms) return
  const until = formatTime(patience.now() + leftMs)
  throw new Problem('vendor-unavailable', `${vendor} is left alone until ${until}: it was asked too often`, {
    hint: 'Try again after that time. Fewer symbols at once, or a longer pause between requests, keep below its limit.',
  })
}

function aloneSlotOf(vendor: PacedVendor): number {
  return pacedVendors.length + pacedVendors.indexOf(vendor)
}

/** 0 when the vendor never wanted to be left alone. */
function aloneUntilMs(pacing: Pacing, vendor: PacedVendor): number {
  return Number(Atomics.load(new BigInt64Array(pacing), aloneSlotOf(vendor)))
}

/** Replaces a number by compare-exchange. @returns the new number */
function advance(pacing: Pacing, slot: number, change: (beforeMs: number) => number): number {
  const slots = new BigInt64Array(pacing)
  for (;;) {
    const before = Atomics.load(slots, slot)
    const after = BigInt(change(Number(before)))
    if (Atomics.compareExchange(slots, slot, before, after) === before) return Number(after)
  }
}
