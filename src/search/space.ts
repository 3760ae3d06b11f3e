import { type Axis, createAxis, type Dimension } from './axis.ts'
import type { Constraint } from './constraint.ts'
import type { FieldValue, FieldValues } from './field-path.ts'

/** Fields to vary and what must hold between them. */
export type Space = {
  readonly axes: readonly [Axis, ...Axis[]]
  readonly constraints: readonly Constraint[]
}

/** One point of a space. */
export type Trial = {
  /** 0 for the first trial of a search, in the order they are planned; it names the trial. */
  readonly index: number
  readonly values: FieldValues
}

/** Points to try. */
export type Drawn = {
  readonly points: readonly FieldValues[]
  /** Other points that were looked at and that the constraints forbid. */
  readonly excluded: number
}

/** Fields varied at once. */
export const maxDimensions = 16

/** @param dimensions checked, one or more */
export function createSpace(dimensions: readonly Dimension[], constraints: readonly Constraint[]): Space {
  const [first, ...rest] = dimensions.map(createAxis)
  if (first === undefined) throw new TypeError('the space has not been checked: it has no dimensions')
  return { axes: [first, ...rest], constraints }
}

/** Points of the space, constraints not considered; infinite where a range has no steps. */
export function sizeOf({ axes }: Space): number {
  return axes.reduce((product, { count }) => product * (count ?? Number.POSITIVE_INFINITY), 1)
}

/** Whether every constraint holds. */
export function isAllowed({ constraints }: Space, values: FieldValues): boolean {
  return constraints.every(({ accepts }) => accepts(values))
}

/** The point at places 0–1, one for each axis. */
export function pointAtPlaces({ axes }: Space, places: ArrayLike<number>): FieldValues {
  return Object.fromEntries(axes.map(({ path, valueAt }, d) => [path, valueAt(places[d] ?? 0)]))
}

/** The value of an axis in a trial. */
export function valueOn({ path }: Axis, values: FieldValues): FieldValue {
  const value = Object.hasOwn(values, path) ? values[path] : undefined
  if (value === undefined) throw new TypeError(`the trial has no value for ${path}`)
  return value
}

/** Text that two trials share exactly when they are the same. */
export function keyOf({ axes }: Space, values: FieldValues): string {
  return JSON.stringify(axes.map(axis => valueOn(axis, values)))
}
