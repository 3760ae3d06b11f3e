/** A value, or the reason why there is none. */
export type Measured = number | { readonly undefined: string }

/** Why a metric has no value. */
export function because(reason: string): Measured {
  return { undefined: reason }
}

/** The value where there is one, else why there is none. */
export function orBecause(value: number | null, reason: string): Measured {
  return value ?? because(reason)
}

/** One reason for many metrics. */
export function allBecause<Name extends string>(
  names: readonly Name[],
  reason: string,
): Record<Name, Measured> {
  const because = { undefined: reason }
  return Object.fromEntries(names.map(name => [name, because])) as Record<Name, Measured>
}
