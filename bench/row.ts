/** One line of the results table. */
export type Finding = {
  readonly what: string
  readonly target: string
  readonly measured: string
  /** What the peer did in the same run, or a quoted reference that says so. */
  readonly peer?: string
  readonly ratio?: string
  /** null where no target is set. */
  readonly met: boolean | null
}

export type Report = {
  readonly findings: readonly Finding[]
  /** The workload and what to know about the numbers, one sentence or two each. */
  readonly notes: readonly string[]
}

export type Size = {
  /** Smoke run: everything as small as it can be; its numbers mean nothing. */
  readonly quick: boolean
  /** Picks a count or a duration. */
  readonly pick: (full: number, quick: number) => number
}

/** What can be asked for by name on the command line. */
export type Row = {
  readonly name: string
  readonly run: (size: Size) => Promise<Report>
}
