import type { FieldError } from '../problems.ts'
import { Problem } from '../problems.ts'
import { nearest } from '../strategy/nearest.ts'
import { resolveStrategy } from '../strategy/parse.ts'
import { type Fault, pointerTo, show } from '../strategy/schema-errors.ts'
import { createAxis, type Dimension } from './axis.ts'
import { type Constraint, parseConstraint } from './constraint.ts'
import { findDimensionFaults } from './dimension-faults.ts'
import { type FieldValue, type FieldValues, listFields, parseFieldPath, readField } from './field-path.ts'
import { overrideStrategy, writeFields } from './overrides.ts'
import { createSpace, maxDimensions, pointAtPlaces, type Space } from './space.ts'

/** Points tried before it is said that none can be run. */
const sampledPoints = 100

/** What is asked for, as it stands in a request. */
export type WrittenSpace = {
  readonly dimensions: readonly Dimension[]
  /** Conditions over the paths of numbers. */
  readonly constraints: readonly string[]
}

/**
 * Checks a space against a strategy: every field exists or may be written, every value is one it may have, every
 * constraint can be read, and some point makes a strategy.
 * @param written the strategy as people write it, as data; valid as it is
 * @param at pointer of the request to what holds `space` and `constraints`
 * @throws {Problem} 'params-invalid' with every fault at once
 */
export function requireSpace(written: unknown, { dimensions, constraints }: WrittenSpace, at: string): Space {
  const errors: FieldError[] = []
  if (dimensions.length === 0 || dimensions.length > maxDimensions) {
    const message = `${dimensions.length} fields are to be varied: 1 to ${maxDimensions} can be`
    errors.push({ pointer: `${at}/space`, code: 'count', message })
  }
  errors.push(...dimensions.flatMap((dimension, d) => findFaultsOf(dimension, { dimensions, d, at })))
  // The values are tried together with the others: one that cannot be read would be blamed on all.
  if (errors.length === 0) errors.push(...findFieldFaults(written, dimensions, at))
  const read = readConstraints(written, { dimensions, constraints }, at)
  errors.push(...read.errors)
  if (errors.length > 0) refuse(errors)
  const space = createSpace(dimensions, read.constraints)
  const reason = findWhyNone(written, space)
  if (reason !== null) refuse([{ pointer: `${at}/space`, code: 'no_trials', message: reason }])
  return space
}

function refuse(errors: readonly FieldError[]): never {
  const [first] = errors
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`
  throw new Problem('params-invalid', `The space cannot be searched: ${first?.message}${more}`, { errors })
}

function findFaultsOf(
  dimension: Dimension,
  { dimensions, d, at }: { dimensions: readonly Dimension[]; d: number; at: string },
): FieldError[] {
  const pointer = `${at}/space/${d}`
  const faults = findDimensionFaults(dimension).map(({ key, code, message }) => ({
    pointer: `${pointer}/${key}`,
    code,
    message: `${dimension.path}: ${message}`,
  }))
  if (dimensions.findIndex(({ path }) => path === dimension.path) < d) {
    const message = `${dimension.path} is varied twice: give all of its values in one place`
    faults.push({ pointer: `${pointer}/path`, code: 'duplicate', message })
  }
  return faults
}

/** Tries each value in a strategy whose other varied fields have their first value. */
function findFieldFaults(written: unknown, dimensions: readonly Dimension[], at: string): FieldError[] {
  const first: FieldValues = Object.fromEntries(
    dimensions.map(dimension => [dimension.path, probesOf(dimension)[0]?.value ?? 0]),
  )
  return dimensions.flatMap((dimension, d) => {
    const { path } = dimension
    const pointer = `${at}/space/${d}`
    const steps = parseFieldPath(path) ?? []
    const fixed = ['name', 'description', 'version', 'training_data'].includes(String(steps[0]))
    if (fixed && path !== 'training_data.history_required') {
      const message = `${path} does not change what the strategy decides on the same bars: it cannot be varied`
      return [{ pointer: `${pointer}/path`, code: 'unsupported', message }]
    }
    const errors: FieldError[] = []
    // Where the map round the field had to be made, all that is wrong with it comes from the field.
    const isNew = readField(written, steps.slice(0, -1)) === undefined
    const ownPath = pointerTo(isNew ? steps.slice(0, -1) : steps)
    for (const { key, value } of probesOf(dimension)) {
      const changed = writeFields(written, { ...first, [path]: value })
      const own =
        changed === undefined
          ? { code: 'unknown_key', message: 'there is no such field' }
          : resolveStrategy(changed).faults.find(fault => isOwn(fault, ownPath))
      if (own === undefined) continue
      if (isNew || isAboutPath(own.code)) return [unknownPath(written, dimension, { pointer, fault: own })]
      const hint = key === 'integer' && own.code === 'type' ? ': set integer' : ''
      errors.push({
        pointer: `${pointer}/${key}`,
        code: own.code,
        message: `${path}: ${own.message}${hint}`,
      })
    }
    return errors.slice(0, 10)
  })
}

/** A fault of the field itself; what does not go with other fields is a matter of each trial. */
function isOwn({ path, code }: Fault, pointer: string): boolean {
  const at = pointerTo(path)
  const isWithin = `${at}/`.startsWith(`${pointer}/`)
  return code !== 'conflict' && at !== '' && (isWithin || pointer.startsWith(`${at}/`))
}

function isAboutPath(code: string): boolean {
  return ['unknown_key', 'unknown_parameter', 'unsupported_key', 'mixed'].includes(code)
}

function unknownPath(
  written: unknown,
  { path }: Dimension,
  { pointer, fault }: { pointer: string; fault: { code: string; message: string } },
): FieldError {
  const known = listFields(written).map(field => field.path)
  const guess = known.includes(path) ? null : nearest(path, known)
  const hint = guess === null || fault.message.includes('did you mean') ? '' : `: did you mean '${guess}'?`
  return { pointer: `${pointer}/path`, code: fault.code, message: `${path}: ${fault.message}${hint}` }
}

/** Values to try, and the key of the dimension to blame. */
function probesOf(dimension: Dimension): readonly { readonly key: string; readonly value: FieldValue }[] {
  if ('values' in dimension) return dimension.values.map((value, i) => ({ key: `values/${i}`, value }))
  const { count, levelValue, valueAt } = createAxis(dimension)
  const { min, max } = dimension
  // So far up an endless range that no whole numbers at its ends make it whole there.
  const between = count === null ? valueAt(Math.SQRT1_2) : levelValue(Math.min(1, count - 1))
  return [
    { key: 'min', value: min },
    { key: 'max', value: count === null ? max : levelValue(count - 1) },
    { key: dimension.step === undefined ? 'integer' : 'step', value: between },
  ]
}

/** A space that `requireSpace` has found good, with the texts of its constraints as they are there. */
export function readSpace({ dimensions, constraints }: WrittenSpace): Space {
  const read = readConstraints(null, { dimensions, constraints }, '')
  const [error] = read.errors
  if (error !== undefined) throw new TypeError(`the space has not been checked: ${error.message}`)
  return createSpace(dimensions, read.constraints)
}

function readConstraints(
  written: unknown,
  { dimensions, constraints }: WrittenSpace,
  at: string,
): { readonly constraints: readonly Constraint[]; readonly errors: readonly FieldError[] } {
  const isNumeric = (dimension: Dimension) =>
    !('values' in dimension) || dimension.values.every(value => typeof value === 'number')
  const varied = dimensions.filter(isNumeric).map(({ path }) => path)
  const named = new Set(dimensions.map(({ path }) => path))
  const fixed = new Map<string, number>()
  for (const { path, value } of listFields(written))
    if (typeof value === 'number' && !named.has(path)) fixed.set(path, value)
  const read = constraints.map(text => parseConstraint(text, { varied, fixed }))
  const errors = read.flatMap(({ errors: ofOne }, i) =>
    ofOne.map(({ code, message, column }) => ({
      pointer: `${at}/constraints/${i}`,
      code,
      message: `${message} (column ${column} of ${show(constraints[i])})`,
    })),
  )
  return { constraints: read.map(({ constraint }) => constraint).filter(one => one !== null), errors }
}

/** Why no point of the space can be run, or null when one can: an even sample is tried. */
function findWhyNone(written: unknown, space: Space): string | null {
  let reason: string | null = null
  // Steps of irrational length cover the axes evenly without a seed.
  const strides = space.axes.map((_, d) => Math.sqrt(2 + d * d + d))
  for (let i = 0; i < sampledPoints; i++) {
    const values = pointAtPlaces(
      space,
      strides.map(stride => (0.5 + i * stride) % 1),
    )
    const overridden = overrideStrategy(written, values)
    if (overridden.strategy !== null) return null
    reason ??= overridden.reason
  }
  return `none of ${sampledPoints} points makes a valid strategy: ${reason}`
}
