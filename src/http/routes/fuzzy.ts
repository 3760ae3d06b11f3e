import type { BarsArchive } from '../../archive/bars.ts'
import { toRfc3339OrNull } from '../../clock.ts'
import { IndicatorColumns } from '../../features/pipeline-columns.ts'
import { coverageReport } from '../../fuzzy/coverage.ts'
import { createFuzzySet, fuzzify } from '../../fuzzy/fuzzy-set.ts'
import {
  isQuantileSet,
  parseSet,
  type QuantileSetDefinition,
  type SetDefinition,
  termNamesOf,
} from '../../fuzzy/quantile-set.ts'
import { type QuantileTerms, quantileTerms } from '../../fuzzy/quantile-terms.ts'
import { memberships } from '../../fuzzy/registry.ts'
import { findIndicator } from '../../indicators/registry.ts'
import { firstBarAt, formatTime } from '../../market/bars.ts'
import type { Calendars } from '../../market/calendars.ts'
import type { components } from '../../openapi.gen.ts'
import { rangeOf } from '../../operations/moment.ts'
import { Problem } from '../../problems.ts'
import { suggest } from '../../strategy/nearest.ts'
import type { Some } from '../handlers.ts'
import { refuse, refuseAdjustment, storedBars } from './calculation-bars.ts'
import { resolveOrRefuse } from './indicators.ts'

type Api = components['schemas']
type Rooms = { readonly bars: BarsArchive; readonly calendars: Calendars }

/** What the terms are evaluated on; `time` where the values are of bars, epoch ms. */
type Values = { readonly values: Float64Array; readonly time: Float64Array | null }

/** Values of one answer. */
const maxCells = 400_000

/** Membership functions, and fuzzy sets on values. */
export function fuzzyRoutes(rooms: Rooms): Some<'listMemberships' | 'evaluateFuzzySet'> {
  return {
    listMemberships: (_request, response) => {
      const items = memberships.map(({ type, title, formula, description, parameters, constraint }) => ({
        type,
        title,
        formula,
        description,
        parameters: parameters.map(parameter => ({ ...parameter })),
        constraint,
      }))
      response.json({ items } satisfies Api['MembershipList'])
    },
    evaluateFuzzySet: async ({ body }, response) => {
      const definition = readSet(body.set)
      const isPosted = body.values !== undefined
      const given = isPosted ? ofBody(body) : await ofIndicator(rooms, body)
      checkSize(given.values.length * definition.terms.length, isPosted)
      if (body.fit !== undefined && !isQuantileSet(definition))
        throw refuse('/body/fit', 'not_allowed', 'only a set of type quantile is fitted')
      const fitted = isQuantileSet(definition) ? await fitSet(rooms, definition, { body, given }) : null
      const terms = isQuantileSet(definition) ? (fitted?.terms ?? []) : definition.terms
      const set = createFuzzySet(terms)
      const columns = fuzzify(given.values, set)
      response.json({
        rows: given.values.length,
        columns: {
          ...(given.time === null ? {} : { time: Array.from(given.time, formatTime) }),
          value: toNulls(given.values),
          ...Object.fromEntries(columns.map(({ name, values }) => [name, toNulls(values)])),
        },
        terms: terms.map(({ name, type, parameters }) => ({ name, type, parameters: [...parameters] })),
        fitted_on: fitted === null ? null : presentFit(fitted, body.fit),
        coverage: present(coverageReport(given.values, set)),
      } satisfies Api['FuzzyEvaluated'])
    },
  }
}

/** @throws {Problem} 'params-invalid' with every fault of the set */
function readSet(set: Api['FuzzyEvaluation']['set']): SetDefinition {
  if (set.indicator !== undefined) {
    const message =
      'a set of a strategy names what it reads; here values or the indicator of the body do: leave it out'
    throw refuse('/body/set/indicator', 'not_allowed', message)
  }
  const parsed = parseSet({ ...set, indicator: 'values' }, '/body/set')
  if (parsed.kind === 'invalid') {
    const [first] = parsed.faults
    throw new Problem('params-invalid', first?.message ?? 'the set is not valid', { errors: parsed.faults })
  }
  const names = termNamesOf(parsed.value)
  const taken = names.find(name => name === 'value' || name === 'time')
  if (taken === undefined) return parsed.value
  const message = `'${taken}' is a column of the answer: call the term otherwise`
  const place = isQuantileSet(parsed.value) ? `terms/${names.indexOf(taken)}` : taken
  throw refuse(`/body/set/${place}`, 'reserved', message)
}

/** @throws {Problem} 'params-invalid' without a range of stored bars, or when the values cannot be shared out */
async function fitSet(
  rooms: Rooms,
  { terms, shape }: QuantileSetDefinition,
  { body, given }: { readonly body: Api['FuzzyEvaluation']; readonly given: Values },
): Promise<QuantileTerms> {
  if (given.time !== null && body.fit === undefined) {
    const message = 'a set of type quantile is fitted on a stated range: give fit: { start, end }'
    throw refuse('/body/fit', 'required', message)
  }
  rangeOf(body.fit ?? {}, '/body/fit')
  const { values } = given.time === null ? given : await ofIndicator(rooms, { ...body, ...body.fit })
  if (values.length === 0) throw refuse('/body/fit', 'range', 'there are no bars in the range to fit on')
  const of = given.time === null ? 'the body' : 'the range fit'
  return quantileTerms(values, { terms, shape, from: 0, to: values.length, of })
}

/** @param fit as `fitSet` accepted it; absent where values were posted */
function presentFit(
  { fitted_on: { values } }: QuantileTerms,
  fit: Api['FuzzyEvaluation']['fit'],
): NonNullable<Api['FuzzyEvaluated']['fitted_on']> {
  const { start, end } = rangeOf(fit ?? {})
  return { values, start: toRfc3339OrNull(start), end: toRfc3339OrNull(end) }
}

/** @throws {Problem} 'params-invalid' when anything is given that is about stored bars */
function ofBody(body: Api['FuzzyEvaluation']): Values {
  const { values = [], symbol, indicator } = body
  if (symbol !== undefined || indicator !== undefined) {
    const message = 'give either values or symbol, timeframe and indicator, not both'
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: '/body/values', code: 'not_allowed', message }],
    })
  }
  for (const key of ['timeframe', 'start', 'end', 'output', 'fit'] as const) {
    if (body[key] === undefined) continue
    throw refuse(`/body/${key}`, 'not_allowed', `${key} is of stored bars: it has no effect on posted values`)
  }
  refuseAdjustment(body.adjustment, 'values')
  return { values: Float64Array.from(values, value => value ?? Number.NaN), time: null }
}

/** @throws {Problem} 'params-invalid', 'dataset-not-found' */
async function ofIndicator(rooms: Rooms, body: Api['FuzzyEvaluation']): Promise<Values> {
  const { indicator, output } = body
  if (indicator === undefined) {
    const message = 'give values, or symbol, timeframe and indicator'
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: '/body/indicator', code: 'required', message }],
    })
  }
  const resolved = resolveOrRefuse({ indicator })
  const outputs = findIndicator(indicator.type)?.outputs.map(({ name }) => name) ?? []
  if (output !== undefined && !outputs.includes(output)) {
    const message = `${indicator.type} has no output ${output}: ${suggest(output, outputs)}`
    throw new Problem('params-invalid', message, {
      errors: [{ pointer: '/body/output', code: 'unknown_output', message }],
    })
  }
  const bars = await storedBars(rooms, body, { indicators: resolved, instead: 'values' })
  const { start, end } = rangeOf(body, '/body')
  const from = start === null ? 0 : firstBarAt(bars, start)
  const to = end === null ? bars.length : firstBarAt(bars, end)
  const reference = output === undefined ? 'indicator' : `indicator.${output}`
  const values = new IndicatorColumns({ indicators: resolved }, bars).read(reference).slice(from, to)
  return { values, time: bars.time.slice(from, to) }
}

function checkSize(cells: number, isPosted: boolean): void {
  if (cells <= maxCells) return
  throw new Problem('params-invalid', `the answer would have ${cells} values, more than ${maxCells}`, {
    hint: isPosted
      ? 'Post fewer values at a time, or fewer terms.'
      : 'Ask for a shorter range or fewer terms; the operation feature_build has no such limit.',
  })
}

function toNulls(values: Float64Array): (number | null)[] {
  return Array.from(values, value => (Number.isFinite(value) ? value : null))
}

function present(report: ReturnType<typeof coverageReport>): Api['CoverageReport'] {
  return {
    ...report,
    ruspini_deviation: { ...report.ruspini_deviation },
    terms: report.terms.map(term => ({ ...term })),
    warnings: [...report.warnings],
  }
}
