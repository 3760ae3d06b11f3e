import { type FieldError, Problem } from '../problems.ts'
import { suggest } from '../strategy/nearest.ts'
import type { Membership, MembershipSpec } from './membership.ts'
import { leftShoulder, rightShoulder, singleton, trapezoidal, triangular } from './piecewise.ts'
import { bell, gaussian, sigmoid } from './smooth.ts'

/** THE list of membership functions: what is not here cannot be written in a strategy. */
export const memberships: readonly MembershipSpec[] = [
  triangular,
  trapezoidal,
  gaussian,
  sigmoid,
  bell,
  leftShoulder,
  rightShoulder,
  singleton,
]

/** Their type names, in the order of the registry. */
export const membershipTypes: readonly string[] = memberships.map(spec => spec.type)

/** Parameters beyond this are refused: a difference of two of them would overflow. */
const maxMagnitude = 1e300

/** The type of that exact name, or undefined. */
export function findMembership(type: string): MembershipSpec | undefined {
  return memberships.find(spec => spec.type === type)
}

/** `[a, b, c]`, as a type's parameters are written. */
export function signatureOf(spec: MembershipSpec): string {
  return `[${spec.parameters.map(parameter => parameter.name).join(', ')}]`
}

/** All that is wrong with the parameters of one type; empty when they can be used. Pointers are `/<index>`. */
export function findParameterFaults(
  spec: MembershipSpec,
  parameters: readonly unknown[],
): readonly FieldError[] {
  const expected = spec.parameters.length
  if (parameters.length !== expected) {
    const message = `${spec.type} takes ${expected} ${expected === 1 ? 'number' : 'numbers'} ${signatureOf(spec)}, not ${parameters.length}`
    return [{ pointer: '', code: 'count', message }]
  }
  const faults: FieldError[] = []
  const numbers: number[] = []
  parameters.forEach((value, i) => {
    const name = spec.parameters[i]?.name ?? String(i)
    if (typeof value === 'number' && Math.abs(value) <= maxMagnitude) numbers.push(value)
    else if (typeof value === 'number') {
      const message = `${name} is ${value}: a number between −1e300 and 1e300 is expected`
      faults.push({ pointer: `/${i}`, code: 'range', message })
    } else faults.push({ pointer: `/${i}`, code: 'type', message: `${name} should be a number` })
  })
  if (faults.length > 0) return faults
  const fault = spec.findFault(numbers)
  return fault === null ? [] : [{ pointer: `/${fault.index}`, code: fault.code, message: fault.message }]
}

/**
 * A membership function of a type with its parameters.
 * @throws {Problem} 'params-invalid' with pointers `/type` and `/parameters/<index>`
 */
export function createMembership(type: string, parameters: readonly number[]): Membership {
  const spec = findMembership(type)
  if (spec === undefined) {
    const message = `there is no membership type '${type}': ${suggest(type, membershipTypes)}`
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: '/type', code: 'unknown_membership', message }],
    })
  }
  const errors = findParameterFaults(spec, parameters).map(fault => ({
    ...fault,
    pointer: `/parameters${fault.pointer}`,
  }))
  if (errors.length > 0)
    throw new Problem('params-invalid', `${type}: ${errors[0]?.message}`, {
      errors,
      hint: `Write parameters: ${signatureOf(spec)} with ${spec.constraint}.`,
    })
  return spec.create(parameters)
}
