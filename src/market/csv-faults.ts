import { type FieldError, Problem } from '../problems.ts'
import { maxBarErrors } from './bars.ts'

/** Where something is wrong in a file, and what. */
export type CsvFault = {
  readonly code: string
  readonly message: string
  /** 1-based. */
  readonly line: number
  /** Of the column. */
  readonly name?: string
  /** 1-based character in the line. */
  readonly column?: number | null
}

/** Collects what is wrong with a file until it is refused. */
export class CsvFaults {
  private readonly errors: FieldError[] = []

  get any(): boolean {
    return this.errors.length > 0
  }

  /** @throws {Problem} 'bars-invalid' when this is the last fault that is listed */
  report({ code, message, line, name, column }: CsvFault): void {
    const where = name === undefined ? `line ${line}` : `line ${line}, column ${name}`
    const pointer = name === undefined ? '' : `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    this.errors.push({
      pointer: `/lines/${line}${pointer}`,
      code,
      message: `${where}: ${message}`,
      line,
      ...(typeof column === 'number' ? { column } : {}),
    })
    if (this.errors.length >= maxBarErrors) this.refuse()
  }

  /** @throws {Problem} 'bars-invalid' with every fault so far */
  refuse(hint?: string): never {
    throw new Problem('bars-invalid', this.errors[0]?.message ?? 'the text holds no bars', {
      errors: this.errors,
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

/** What was written, short enough for a message. */
export function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
