import type { Clock } from '../clock.ts'

/** Where nobody watches, a line this often is enough. */
const quietMs = 2_000

/** Says on standard error how far a command is: one line that changes in a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #output: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly #clock: Clock
  #saidAt = 0
  #open = false

  constructor(output: { write(text: string): unknown; readonly isTTY?: boolean }, clock: Clock) {
    this.#output = output
    this.#clock = clock
  }

  /** A step begins. */
  say(text: string): void {
    this.end()
    this.#output.write(`${text}\n`)
    this.#saidAt = this.#clock.now()
  }

  /** @param total null when it is not known */
  count(what: string, done: number, total: number | null): void {
    const text = `  ${what}: ${withCommas(done)}${total === null ? '' : ` of ${withCommas(total)}`}`
    if (this.#output.isTTY === true) {
      this.#output.write(`\r\u001b[K${text}`)
      this.#open = true
      return
    }
    if (this.#clock.now() - this.#saidAt < quietMs) return
    this.#output.write(`${text}\n`)
    this.#saidAt = this.#clock.now()
  }

  /** Ends the line that changes. */
  end(): void {
    if (this.#open) this.#output.write('\n')
    this.#open = false
  }
}

export const withCommas = (value: number): string => value.toLocaleString('en-US')

/** @param bytes ≥ 0 */
export function sizeOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`
}
