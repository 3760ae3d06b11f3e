import { Problem } from '../problems.ts'

/** Bytes; a longer line is refused before it can fill the memory. */
export const maxCsvLine = 65_536

const newline = 10
const carriageReturn = 13

type Receiver = {
  /** Called once, before the first line: the whole lines of the first 64 KiB, or everything if there is less. */
  readonly head: (bytes: Uint8Array) => void
  /** One line, bytes[start, end), without its end; do not keep the bytes. */
  readonly line: (bytes: Uint8Array, start: number, end: number) => void
}

/** Cuts text that arrives in pieces into lines, without a byte order mark. */
export class LineSplitter {
  private readonly receiver: Receiver
  /** What is waiting: the head, until it is complete; after that, a line whose end has not come. */
  private waiting = new Uint8Array(4096)
  private length = 0
  private hasBegun = false
  private lines = 0

  constructor(receiver: Receiver) {
    this.receiver = receiver
  }

  /** @throws {Problem} 'bars-invalid' for a line longer than 64 KiB */
  write(piece: Uint8Array): void {
    if (this.hasBegun) {
      this.read(piece)
      return
    }
    const missing = maxCsvLine - this.length
    this.keep(piece.subarray(0, missing))
    if (this.length < maxCsvLine) return
    this.begin()
    this.read(piece.subarray(missing))
  }

  /** Hands out the last line, which may have no end. */
  end(): void {
    if (!this.hasBegun) this.begin()
    if (this.length === 0) return
    const rest = this.waiting.subarray(0, this.length)
    this.length = 0
    this.give(rest, 0, rest.length)
  }

  private begin(): void {
    const isAll = this.length < maxCsvLine
    const mark = this.waiting[0] === 0xef && this.waiting[1] === 0xbb && this.waiting[2] === 0xbf ? 3 : 0
    const head = this.waiting.slice(mark, this.length)
    const end = isAll ? head.length : head.lastIndexOf(newline)
    if (end === -1) this.refuse()
    this.hasBegun = true
    this.length = 0
    this.receiver.head(head.subarray(0, end))
    this.read(head)
  }

  private read(bytes: Uint8Array): void {
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      if (this.length > 0) {
        this.keep(bytes.subarray(start, end))
        const line = this.waiting.subarray(0, this.length)
        this.length = 0
        this.give(line, 0, line.length)
      } else this.give(bytes, start, end)
      start = end + 1
    }
    if (start < bytes.length) this.keep(bytes.subarray(start))
  }

  private give(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > maxCsvLine) this.refuse()
    this.lines++
    this.receiver.line(bytes, start, end > start && bytes[end - 1] === carriageReturn ? end - 1 : end)
  }

  private keep(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > maxCsvLine) this.refuse()
    if (length > this.waiting.length) {
      const larger = new Uint8Array(Math.min(maxCsvLine, Math.max(length, this.waiting.length * 2)))
      larger.set(this.waiting)
      this.waiting = larger
    }
    this.waiting.set(bytes, this.length)
    this.length = length
  }

  private refuse(): never {
    const line = this.lines + 1
    const message = `line ${line}: the line is longer than ${maxCsvLine} bytes`
    throw new Problem('bars-invalid', message, {
      errors: [{ pointer: `/lines/${line}`, code: 'line_too_long', message, line }],
    })
  }
}
