import { hrtime } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Vendors that are asked over the network, in the order of their slots in `Pacing`. */
export const pacedVendors = ['yahoo', 'stooq', 'ccxt'] as const
export type PacedVendor = (typeof pacedVendors)[number]

/**
 * When each vendor may next be asked, for all threads of the process: one 64-bit integer per vendor, in
 * milliseconds of the process's monotonic clock (`process.hrtime` is the same in every thread and does not jump
 * when somebody sets the time of day). A turn is taken by moving the number on, so there is no lock that a killed
 * thread could hold: at worst its turn passes unused.
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

/** Nobody has been asked yet. */
export function createPacing(): Pacing {
  return new SharedArrayBuffer(pacedVendors.length * BigInt64Array.BYTES_PER_ELEMENT)
}

/**
 * Takes the vendor's next free turn and waits for it. Turns of one vendor are at least `intervalMs` apart, whichever
 * threads take them.
 * @param waiting its `monotonicNow` is for tests; it is not called `now` because a vendor's context has a `now` of its
 *   own, the time of day
 * @throws AbortError when the signal is aborted; the turn passes unused
 */
export async function waitForTurn(
  pacing: Pacing,
  vendor: PacedVendor,
  intervalMs: number,
  waiting: Waiting & { readonly monotonicNow?: () => number },
): Promise<void> {
  throwIfAborted(waiting.signal)
  const nowMs = (waiting.monotonicNow ?? monotonicMs)()
  const turnMs = takeTurn(pacing, vendor, nowMs, Math.ceil(intervalMs))
  await pause(turnMs - nowMs, `waiting for the next turn to ask ${vendor}`, waiting)
}

/** Lets nobody ask the vendor for so long: it said that all of us ask too often. */
export function postponeTurns(pacing: Pacing, vendor: PacedVendor, delayMs: number, now = monotonicMs): void {
  advance(pacing, vendor, nextMs => Math.max(nextMs, Math.ceil(now() + delayMs)))
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
  const nextMs = advance(pacing, vendor, next => Math.max(next, Math.ceil(nowMs)) + intervalMs)
  return nextMs - intervalMs
}

/** Replaces a vendor's number by compare-exchange. @returns the new number */
function advance(pacing: Pacing, vendor: PacedVendor, change: (nextMs: number) => number): number {
  const slots = new BigInt64Array(pacing)
  const slot = pacedVendors.indexOf(vendor)
  for (;;) {
    const before = Atomics.load(slots, slot)
    const after = BigInt(change(Number(before)))
    if (Atomics.compareExchange(slots, slot, before, after) === before) return Number(after)
  }
}
