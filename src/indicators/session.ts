import type { IndicatorInput } from './indicator.ts'

const dayMs = 86_400_000

/** What tells the session of a bar from others: the column handed in, else the UTC day of the opening time. */
export function sessionAt(input: IndicatorInput, i: number): number {
  return input.session === undefined
    ? Math.floor((input.time[i] as number) / dayMs)
    : (input.session[i] as number)
}
