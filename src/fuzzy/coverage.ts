import type { FuzzySet } from './fuzzy-set.ts'

/** How the terms of a set lie on data. Shares are fractions 0–1 of the bars that have a value; null without any. */
export type CoverageReport = {
  /** Bars with a value. */
  readonly bars: number
  /** Bars without one: warm-up, gaps. */
  readonly missing_bars: number
  /** A membership up to here counts as none. */
  readonly epsilon: number
  /** Share of bars with no membership above epsilon: there the network sees nothing. */
  readonly uncovered_fraction: number | null
  /** |Σμ − 1| over the bars: 0 where the terms share out every bar exactly (a Ruspini partition). */
  readonly ruspini_deviation: { readonly mean: number | null; readonly max: number | null }
  readonly terms: readonly TermCoverage[]
  /** What is likely to be a mistake, in words. */
  readonly warnings: readonly string[]
}

export type TermCoverage = {
  readonly name: string
  /** Share of bars where it is above epsilon and above every other term; of equals the first one written. */
  readonly strongest_fraction: number | null
  readonly mean_membership: number | null
  readonly max_membership: number | null
  /** Above epsilon on no bar at all. */
  readonly never_active: boolean
}

/**
 * `epsilon`: a membership up to here counts as none, for below 1 % a term hardly moves a network. The others are shares of
 * bars from which a warning is worth reading; chosen, not measured.
 */
export const coverageLimits = { epsilon: 0.01, uncovered: 0.05, ruspini: 0.25, strongest: 0.95 } as const

/** Sums over the bars, filled in one pass. */
type Tally = {
  bars: number
  uncovered: number
  deviationSum: number
  deviationMax: number
  uncoveredMin: number
  uncoveredMax: number
  readonly strongest: Float64Array
  readonly sum: Float64Array
  readonly max: Float64Array
}

/**
 * Looks at a set through the values it will see. O(n · terms); nothing is allocated per bar.
 * @param values one per bar; bars that are NaN are counted apart
 * @param epsilon membership up to which a bar is not covered, 0–1
 */
export function coverageReport(
  values: Float64Array,
  set: FuzzySet,
  epsilon: number = coverageLimits.epsilon,
): CoverageReport {
  const tally = tallyBars(values, set, epsilon)
  const share = (count: number) => (tally.bars === 0 ? null : count / tally.bars)
  const terms = set.terms.map(({ name }, i): TermCoverage => {
    const max = tally.max[i] as number
    return {
      name,
      strongest_fraction: share(tally.strongest[i] as number),
      mean_membership: share(tally.sum[i] as number),
      max_membership: tally.bars === 0 ? null : max,
      never_active: !(max > epsilon),
    }
  })
  return {
    bars: tally.bars,
    missing_bars: values.length - tally.bars,
    epsilon,
    uncovered_fraction: share(tally.uncovered),
    ruspini_deviation: {
      mean: share(tally.deviationSum),
      max: tally.bars === 0 ? null : tally.deviationMax,
    },
    terms,
    warnings: warnAbout(tally, terms, epsilon),
  }
}

function tallyBars(values: Float64Array, set: FuzzySet, epsilon: number): Tally {
  const functions = set.terms.map(term => term.membership)
  const tally: Tally = {
    bars: 0,
    uncovered: 0,
    deviationSum: 0,
    deviationMax: 0,
    uncoveredMin: Number.POSITIVE_INFINITY,
    uncoveredMax: Number.NEGATIVE_INFINITY,
    strongest: new Float64Array(functions.length),
    sum: new Float64Array(functions.length),
    max: new Float64Array(functions.length),
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) continue
    let best = -1
    let most = epsilon
    let total = 0
    for (let term = 0; term < functions.length; term++) {
      const membership = functions[term]?.evaluate(value) ?? 0
      total += membership
      tally.sum[term] = (tally.sum[term] as number) + membership
      if (membership > (tally.max[term] as number)) tally.max[term] = membership
      if (membership > most) {
        most = membership
        best = term
      }
    }
    countBar(tally, { value, best, deviation: Math.abs(total - 1) })
  }
  return tally
}

function countBar(tally: Tally, bar: { value: number; best: number; deviation: number }): void {
  tally.bars++
  tally.deviationSum += bar.deviation
  if (bar.deviation > tally.deviationMax) tally.deviationMax = bar.deviation
  if (bar.best >= 0) {
    tally.strongest[bar.best] = (tally.strongest[bar.best] as number) + 1
    return
  }
  tally.uncovered++
  tally.uncoveredMin = Math.min(tally.uncoveredMin, bar.value)
  tally.uncoveredMax = Math.max(tally.uncoveredMax, bar.value)
}

function warnAbout(tally: Tally, terms: readonly TermCoverage[], epsilon: number): string[] {
  if (tally.bars === 0) return ['there are no values to look at']
  const warnings: string[] = []
  const uncovered = tally.uncovered / tally.bars
  if (uncovered > coverageLimits.uncovered) {
    const where = `${format(tally.uncoveredMin)} to ${format(tally.uncoveredMax)}`
    warnings.push(
      `${percent(uncovered)} of the bars belong to no term (no membership above ${epsilon}); their values lie within ` +
        `${where}: widen the terms, or open the outer ones with left_shoulder and right_shoulder`,
    )
  }
  const deviation = tally.deviationSum / tally.bars
  if (deviation > coverageLimits.ruspini) {
    warnings.push(
      `the memberships of a bar add up to something ${format(deviation)} away from 1 on average: the terms leave ` +
        'gaps or overlap more than their neighbours',
    )
  }
  for (const { name, never_active, strongest_fraction } of terms) {
    if (never_active) warnings.push(`'${name}' is never active on these values: its feature is constant`)
    else if (terms.length > 1 && (strongest_fraction ?? 0) > coverageLimits.strongest) {
      warnings.push(
        `'${name}' is the strongest term on ${percent(strongest_fraction ?? 0)} of the bars: the set hardly tells bars apart`,
      )
    }
  }
  return warnings
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`
}

function format(value: number): string {
  return String(Number(value.toPrecision(4)))
}
