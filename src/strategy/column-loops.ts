/*
 * The loops that rules consist of, over stretches of columns: `at` is where a stretch begins. Each goes through `count`
 * elements. A truth is 1 true, 0 false, or has the bit `unknown` because an operand is NaN, whatever its other bit.
 */

export const unknown = 2

export type Stretch = { readonly values: Float64Array; readonly at: number }
export type TruthStretch = { readonly truths: Uint8Array; readonly at: number }

/** Division by zero is NaN, whatever is divided. `out` may be the column of an operand that begins at 0. */
export function calculate(
  operator: '+' | '-' | '*' | '/',
  operands: { readonly left: Stretch; readonly right: Stretch },
  out: Float64Array,
  count: number,
): void {
  const { values: a, at: atA } = operands.left
  const { values: b, at: atB } = operands.right
  switch (operator) {
    case '+':
      for (let i = 0; i < count; i++) out[i] = (a[atA + i] as number) + (b[atB + i] as number)
      return
    case '-':
      for (let i = 0; i < count; i++) out[i] = (a[atA + i] as number) - (b[atB + i] as number)
      return
    case '*':
      for (let i = 0; i < count; i++) out[i] = (a[atA + i] as number) * (b[atB + i] as number)
      return
    case '/':
      for (let i = 0; i < count; i++) {
        const divisor = b[atB + i] as number
        out[i] = divisor === 0 ? Number.NaN : (a[atA + i] as number) / divisor
      }
      return
    default:
      operator satisfies never
  }
}

export function negate({ values, at }: Stretch, out: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) out[i] = -(values[at + i] as number)
}

/** Whether left operator right; where an operand is NaN, not. `>` and `>=` are `<` and `<=` with the sides exchanged. */
export function compareColumns(
  operator: '<' | '<=' | '==' | '!=',
  operands: { readonly left: Stretch; readonly right: Stretch },
  { truths, at }: TruthStretch,
  count: number,
): void {
  const { values: a, at: atA } = operands.left
  const { values: b, at: atB } = operands.right
  switch (operator) {
    case '<':
      for (let i = 0; i < count; i++) truths[at + i] = (a[atA + i] as number) < (b[atB + i] as number) ? 1 : 0
      return
    case '<=':
      for (let i = 0; i < count; i++)
        truths[at + i] = (a[atA + i] as number) <= (b[atB + i] as number) ? 1 : 0
      return
    case '==':
      for (let i = 0; i < count; i++) truths[at + i] = a[atA + i] === b[atB + i] ? 1 : 0
      return
    case '!=':
      for (let i = 0; i < count; i++) {
        const x = a[atA + i] as number
        const y = b[atB + i] as number
        truths[at + i] = x < y || x > y ? 1 : 0
      }
      return
    default:
      operator satisfies never
  }
}

/** Whether column operator number, without a column for the number; where the column is NaN, not. */
export function compareNumber(
  operator: '<' | '<=' | '>' | '>=',
  { left: { values, at: from }, right }: { readonly left: Stretch; readonly right: number },
  { truths, at }: TruthStretch,
  count: number,
): void {
  switch (operator) {
    case '<':
      for (let i = 0; i < count; i++) truths[at + i] = (values[from + i] as number) < right ? 1 : 0
      return
    case '<=':
      for (let i = 0; i < count; i++) truths[at + i] = (values[from + i] as number) <= right ? 1 : 0
      return
    case '>':
      for (let i = 0; i < count; i++) truths[at + i] = (values[from + i] as number) > right ? 1 : 0
      return
    case '>=':
      for (let i = 0; i < count; i++) truths[at + i] = (values[from + i] as number) >= right ? 1 : 0
      return
    default:
      operator satisfies never
  }
}

/** Unknown where the operand is NaN, else as it is. */
export function markUnknown(
  { values, at: from }: Stretch,
  { truths, at }: TruthStretch,
  count: number,
): void {
  // Past the warm-up there is mostly none, and a sum that is a number shows that in a third of the time.
  let sum = 0
  for (let i = 0; i < count; i++) sum += values[from + i] as number
  if (!Number.isNaN(sum)) return
  for (let i = 0; i < count; i++) if (Number.isNaN(values[from + i] as number)) truths[at + i] = unknown
}

/** left ← left and right, or left or right; unknown where either is, whatever the other. */
export function joinTruths(
  kind: 'and' | 'or',
  { truths: left, at }: TruthStretch,
  right: Uint8Array,
  count: number,
): void {
  if (kind === 'and') {
    for (let i = 0; i < count; i++) {
      const a = left[at + i] as number
      const b = right[i] as number
      left[at + i] = (a & b) | ((a | b) & unknown)
    }
  } else for (let i = 0; i < count; i++) left[at + i] = (left[at + i] as number) | (right[i] as number)
}

/** Exchanges true and false. */
export function negateTruths({ truths, at }: TruthStretch, count: number): void {
  for (let i = at; i < at + count; i++) truths[i] = (truths[i] as number) ^ 1
}

/** Makes false of what is unknown. */
export function settleTruths({ truths, at }: TruthStretch, count: number): void {
  for (let i = at; i < at + count; i++) truths[i] = truths[i] === 1 ? 1 : 0
}
