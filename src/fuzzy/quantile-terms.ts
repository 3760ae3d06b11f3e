import { Problem } from '../problems.ts'
import { quantileOf } from '../statistics/quantile.ts'
import { type FitRange, type FittedOn, sortedValuesIn } from './fitted-range.ts'
import { createFuzzySet, type TermDefinition } from './fuzzy-set.ts'
import { findNameFaults } from './parse.ts'

/** Shapes of the inner terms of a fitted set; the first is the one that is taken where none is named. */
export const quantileShapes = ['triangular', 'trapezoidal', 'gaussian'] as const

export type QuantileShape = (typeof quantileShapes)[number]

/** Breakpoints that differ by less than this share of their size differ by rounding alone. */
const roundingShare = 1e-12

export type QuantileTermsRequest = FitRange & {
  /** What the values are, as messages name it; "bars [from, to)" by default. */
  readonly of?: string
  /** Names of the terms, lowest first; at least 2. */
  readonly terms: readonly string[]
  readonly shape: QuantileShape
}

/** Terms as plain data, with the range their breakpoints come from. */
export type QuantileTerms = {
  readonly terms: readonly TermDefinition[]
  readonly fitted_on: FittedOn
}

/** What each shape makes of k names and the sample: how many breakpoints, at which fractions, and the terms. */
const shapes: Readonly<
  Record<
    QuantileShape,
    {
      fractions(terms: number): number[]
      build(names: readonly string[], breakpoints: readonly number[]): TermDefinition[]
    }
  >
> = {
  triangular: { fractions: centers, build: buildTriangles },
  trapezoidal: { fractions: corners, build: buildTrapezoids },
  gaussian: { fractions: centers, build: buildGaussians },
}

/**
 * Terms that share out the values of a range about equally. The outer terms are open (shoulders, or sigmoids with the
 * gaussian shape), so that no value is too extreme to belong; the triangular and trapezoidal sets add up to 1
 * everywhere. Only the elements `from` to `to − 1` are read.
 *
 * With k terms the peaks are the quantiles (i + ½) / k, i = 0…k−1; the corners of trapezoids are the quantiles
 * j / (2k − 1), j = 1…2k−2.
 * @param values one per bar; NaN is passed over
 * @throws {Problem} 'params-invalid' when the names, the range or too few distinct values do not allow it
 */
export function quantileTerms(values: Float64Array, request: QuantileTermsRequest): QuantileTerms {
  const { terms, shape, from, to } = request
  checkNames(terms)
  const sorted = sortedValuesIn(values, { from, to })
  const { fractions, build } = shapes[shape]
  const wanted = fractions(terms.length)
  if (sorted.length < wanted.length) throw tooFew(request, `only ${sorted.length} bars have a value`)
  const breakpoints = wanted.map(fraction => quantileOf(sorted, fraction))
  for (let i = 1; i < breakpoints.length; i++) {
    const [low, high] = [breakpoints[i - 1] as number, breakpoints[i] as number]
    if (high - low > roundingShare * Math.max(Math.abs(low), Math.abs(high))) continue
    throw tooFew(request, `too many of them are ${high}`)
  }
  const definitions = build(terms, breakpoints)
  // Refuses what only extreme values can give: a width that is 0 after rounding, a corner beyond 1e300.
  createFuzzySet(definitions)
  return { terms: definitions, fitted_on: { from, to, values: sorted.length } }
}

function checkNames(names: readonly string[]): void {
  const errors = names.flatMap((name, i) => {
    const pointer = `/terms/${i}`
    if (names.indexOf(name) < i)
      return [{ pointer, code: 'duplicate', message: `the term '${name}' occurs twice` }]
    return findNameFaults(name, pointer)
  })
  if (names.length < 2)
    errors.push({
      pointer: '/terms',
      code: 'count',
      message: 'at least two terms are needed to share out values',
    })
  if (errors.length > 0)
    throw new Problem('params-invalid', errors[0]?.message ?? 'the terms are not valid', { errors })
}

function tooFew({ terms, from, to, of }: QuantileTermsRequest, why: string): Problem {
  const message = `the values of ${of ?? `bars [${from}, ${to})`} cannot be shared out among ${terms.length} terms: ${why}`
  return new Problem('params-invalid', message, {
    hint: 'Use fewer terms, a longer range, or write the parameters of the terms by hand.',
  })
}

function centers(terms: number): number[] {
  return Array.from({ length: terms }, (_, i) => (i + 0.5) / terms)
}

function corners(terms: number): number[] {
  return Array.from({ length: 2 * terms - 2 }, (_, i) => (i + 1) / (2 * terms - 1))
}

function buildTriangles(names: readonly string[], peaks: readonly number[]): TermDefinition[] {
  const at = (i: number) => peaks[i] as number
  return buildOpen(names, i => {
    if (i === 0) return { type: 'left_shoulder', parameters: [at(0), at(1)] }
    if (i === names.length - 1) return { type: 'right_shoulder', parameters: [at(i - 1), at(i)] }
    return { type: 'triangular', parameters: [at(i - 1), at(i), at(i + 1)] }
  })
}

/** Between term i and the next lies the ramp from corner 2i to corner 2i + 1. */
function buildTrapezoids(names: readonly string[], ramps: readonly number[]): TermDefinition[] {
  const at = (i: number) => ramps[i] as number
  return buildOpen(names, i => {
    if (i === 0) return { type: 'left_shoulder', parameters: [at(0), at(1)] }
    if (i === names.length - 1) return { type: 'right_shoulder', parameters: [at(2 * i - 2), at(2 * i - 1)] }
    return { type: 'trapezoidal', parameters: [at(2 * i - 2), at(2 * i - 1), at(2 * i), at(2 * i + 1)] }
  })
}

/**
 * Neighbours at a distance d cross at ½ when sigma = d / √(8 ln 2); with unequal distances the mean is taken. The outer
 * sigmoids cross there too, with the slope a gaussian has at ½: width = d / (8 ln 2).
 */
function buildGaussians(names: readonly string[], peaks: readonly number[]): TermDefinition[] {
  const at = (i: number) => peaks[i] as number
  const edge = (i: number, sign: 1 | -1) => ({
    type: 'sigmoid',
    parameters: [(at(i) + at(i + 1)) / 2, (sign * (at(i + 1) - at(i))) / (8 * Math.LN2)],
  })
  return buildOpen(names, i => {
    if (i === 0) return edge(0, -1)
    if (i === names.length - 1) return edge(i - 1, 1)
    return { type: 'gaussian', parameters: [at(i), (at(i + 1) - at(i - 1)) / 2 / Math.sqrt(8 * Math.LN2)] }
  })
}

function buildOpen(
  names: readonly string[],
  membershipOf: (i: number) => Omit<TermDefinition, 'name'>,
): TermDefinition[] {
  return names.map((name, i) => ({ name, ...membershipOf(i) }))
}
