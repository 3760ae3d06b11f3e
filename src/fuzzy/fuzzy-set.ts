import type { Membership } from './membership.ts'
import { createMembership } from './registry.ts'

/** One term as plain data: what a strategy states, what is stored and echoed. */
export type TermDefinition = {
  readonly name: string
  readonly type: string
  readonly parameters: readonly number[]
}

/** One named term, ready to evaluate. */
export type FuzzyTerm = { readonly name: string; readonly membership: Membership }

/** Named terms over one indicator output, in the order they were written: the order of the features. */
export type FuzzySet = { readonly terms: readonly FuzzyTerm[] }

/** One term's memberships, one per value. */
export type TermColumn = { readonly name: string; readonly values: Float64Array }

/** @throws {Problem} 'params-invalid' when a term's parameters do not fit its type */
export function createFuzzySet(terms: readonly TermDefinition[]): FuzzySet {
  return {
    terms: terms.map(({ name, type, parameters }) => ({
      name,
      membership: createMembership(type, parameters),
    })),
  }
}

/**
 * Memberships of every value in every term, in the order of the set. NaN stays NaN: a bar in the warm-up belongs to
 * no term and is not "0 of everything". The membership at i depends on the value at i alone.
 * @param values one per bar, oldest first, length n
 * @returns one column of length n per term, 0–1
 */
export function fuzzify(values: Float64Array, set: FuzzySet): readonly TermColumn[] {
  return set.terms.map(({ name, membership }) => ({ name, values: membership.evaluateAll(values) }))
}
