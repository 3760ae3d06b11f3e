/** A column of memberships: float64 for reports, float32 for feature matrices. */
export type MembershipColumn = Float32Array | Float64Array

/** Where a membership can be above 0: `min` ≤ x ≤ `max`; null is unbounded. */
export type Support = { readonly min: number | null; readonly max: number | null }

/** A membership function with its parameters filled in. Values are in 0–1. */
export type Membership = {
  readonly type: string
  /** In the order of the type's `parameters`. */
  readonly parameters: readonly number[]
  readonly support: Support
  /** Membership of one value, 0–1; NaN for NaN. */
  evaluate(x: number): number
  /**
   * Membership of every value, element by element: O(n), NaN stays NaN.
   * @param out written and returned, same length as `values`; without it a Float64Array is made
   * @throws {RangeError} when the lengths differ
   */
  evaluateAll: EvaluateAll
}

/** One column in, one column out; nothing is allocated when `out` is given. */
export type EvaluateAll = {
  (values: Float64Array): Float64Array
  <T extends MembershipColumn>(values: Float64Array, out: T): T
}

/** One parameter of a membership type, in the unit of the values it looks at. */
export type MembershipParameter = { readonly name: string; readonly description: string }

/** A parameter that breaks a rule of its type. */
export type ParameterFault = { readonly index: number; readonly code: string; readonly message: string }

/** Everything the engine, the validator, the API and the docs know about a type of membership function. */
export type MembershipSpec = {
  readonly type: string
  readonly title: string
  /** The formula in plain text, over x and the names of the parameters. */
  readonly formula: string
  /** What it is for, what happens at its edges and where the formula comes from. */
  readonly description: string
  readonly parameters: readonly MembershipParameter[]
  /** The rule the parameters obey together, as text. */
  readonly constraint: string
  /** The first parameter that breaks `constraint`, given the right count of finite numbers; null when all fit. */
  findFault(parameters: readonly number[]): ParameterFault | null
  /** @param parameters checked: right count, finite, within `constraint` */
  create(parameters: readonly number[]): Membership
}

/** What fills an output column from an input column of the same length. */
export type Fill = (values: Float64Array, out: MembershipColumn) => void

/** Puts the length check and the default output column in front of a loop. */
export function overColumn(fill: Fill): EvaluateAll {
  function evaluateAll(values: Float64Array): Float64Array
  function evaluateAll<T extends MembershipColumn>(values: Float64Array, out: T): T
  function evaluateAll(
    values: Float64Array,
    out: MembershipColumn = new Float64Array(values.length),
  ): MembershipColumn {
    if (out.length !== values.length)
      throw new RangeError(`${values.length} memberships do not fit a column of ${out.length}`)
    fill(values, out)
    return out
  }
  return evaluateAll
}

/** Parameter `index` of checked parameters. @throws {TypeError} when they have not been checked */
export function parameterAt(parameters: readonly number[], index: number): number {
  const value = parameters[index]
  if (value === undefined) throw new TypeError(`parameters have not been checked: there is no ${index}`)
  return value
}
