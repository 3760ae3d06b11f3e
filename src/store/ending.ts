import type { Ending } from './store.ts'

type Column = string | number | null

/** The statement that writes an end, and the parameters it takes besides `$id`, `$attempt`, `$now` and `$seq`. */
export function endingColumns(ending: Ending): {
  readonly statement: 'complete' | 'fail' | 'stop'
  readonly columns: Readonly<Record<string, Column>>
} {
  switch (ending.event) {
    case 'stop':
      return { statement: 'stop', columns: { mode: ending.mode } }
    case 'fail':
      return {
        statement: 'fail',
        columns: { mode: ending.mode, problem: JSON.stringify(ending.problem) },
      }
    case 'complete': {
      const { phase, steps, rate } = ending.progress
      return {
        statement: 'complete',
        columns: {
          result: JSON.stringify(ending.result),
          artifacts: JSON.stringify(ending.artifacts),
          phase,
          steps: steps === null ? null : JSON.stringify(steps),
          rate,
        },
      }
    }
    default:
      return ending satisfies never
  }
}
