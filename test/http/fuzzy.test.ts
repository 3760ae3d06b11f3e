import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { membershipTypes } from '../../src/fuzzy/registry.ts'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Evaluated = {
  rows: number
  columns: Record<string, (number | string | null)[]>
  terms: { name: string; type: string; parameters: number[] }[]
  fitted_on: { values: number; start: string | null; end: string | null } | null
  coverage: { bars: number; missing_bars: number; uncovered_fraction: number | null; warnings: string[] }
}

let program: Program
beforeAll(async () => {
  program = await startProgram()
  const sample = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', sample)).operation_id)
})
afterAll(stopPrograms)

const evaluate = <T = Evaluated>(body: object) =>
  program.request<T>('POST', '/api/v1/fuzzy/evaluate', { body })
const set = { low: [0, 25, 45], high: { type: 'right_shoulder', parameters: [55, 75] } }

test('every membership function of the registry is listed with its parameters', async () => {
  const { items } = (
    await program.get<{ items: { type: string; parameters: object[] }[] }>('/api/v1/fuzzy/memberships')
  ).body
  expect(items.map(({ type }) => type)).toEqual(membershipTypes)
  expect(items.find(({ type }) => type === 'trapezoidal')?.parameters).toHaveLength(4)
})

test('posted values get their memberships, missing ones none, and a report, by hand', async () => {
  const { body } = await evaluate({ set, values: [20, 50, 65, 80, null] })
  expect(body.columns).toEqual({
    value: [20, 50, 65, 80, null],
    low: [0.8, 0, 0, 0, null],
    high: [0, 0, 0.5, 1, null],
  })
  expect(body.terms[0]).toEqual({ name: 'low', type: 'triangular', parameters: [0, 25, 45] })
  expect(body.coverage).toMatchObject({ bars: 4, missing_bars: 1, uncovered_fraction: 0.25 })
  expect(body.coverage.warnings[0]).toMatch(/^25.0 % of the bars belong to no term/)
})

test('an output of an indicator on stored bars is evaluated with the times of its bars', async () => {
  const indicator = { type: 'macd' }
  const terms = { up: { type: 'sigmoid', parameters: [0, 1] } }
  const range = { start: '2016-01-01', end: '2016-02-01' }
  const where = { symbol: 'AAPL', timeframe: '1d', ...range }
  const { body } = await evaluate({ set: terms, ...where, indicator, output: 'histogram' })
  const calculated = await program.request<{ columns: Record<string, number[]> }>(
    'POST',
    '/api/v1/indicators/calculate',
    { body: { ...where, indicators: { x: indicator } } },
  )
  expect(body.rows).toBe(19)
  expect(body.columns.time).toEqual(calculated.body.columns.time)
  expect(body.columns.value).toEqual(calculated.body.columns['x.histogram'])
  const signs = body.columns.value!.map((value, i) => Number(value) > 0 === Number(body.columns.up![i]) > 0.5)
  expect(new Set(signs)).toEqual(new Set([true]))
})

test('what is wrong is refused with pointers into the body', async () => {
  const refuse = async (body: object) =>
    (await evaluate<Problem>(body)).body.errors.map(({ pointer, code }) => `${pointer} ${code}`)
  expect(
    await refuse({ set: { low: [3, 2, 1], high: { type: 'nope', parameters: [1] } }, values: [1] }),
  ).toEqual([expect.stringMatching(/^\/body\/set\/low/), '/body/set/high/type unknown_membership'])
  expect(await refuse({ set })).toEqual(['/body/indicator required'])
  expect(await refuse({ set: { value: [0, 1, 2] }, values: [1] })).toEqual(['/body/set/value reserved'])
  const stored = { set, symbol: 'AAPL', timeframe: '1d' }
  expect(await refuse({ ...stored, values: [1] })).toEqual(['/body/values not_allowed'])
  expect(await refuse({ ...stored, indicator: { type: 'rsii' } })).toEqual([
    '/body/indicators/indicator/type unknown_indicator',
  ])
  expect(await refuse({ ...stored, indicator: { type: 'macd' }, output: 'signl' })).toEqual([
    '/body/output unknown_output',
  ])
})

test('however many keys a term has, the refusal is short', async () => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))
  const low = { type: 'triangular', parameters: [0, 1, 2], ...keys }
  for (const term of [low, Array(100_000).fill(1)]) {
    const refused = await evaluate<Problem>({ set: { low: term }, values: [1] })
    expect([refused.status, refused.body.errors.length]).toEqual([400, 1])
    expect(refused.text.length).toBeLessThan(1_000)
  }
})

test('what would have no effect on posted values is refused', async () => {
  const refuse = async (body: object) =>
    (await evaluate<Problem>({ set, values: [1], ...body })).body.errors.map(
      ({ pointer, code }) => `${pointer} ${code}`,
    )
  const given = {
    ...{ timeframe: '1d', start: '2016-01-01', end: '2016-02-01' },
    ...{ output: 'value', adjustment: 'split' },
  }
  for (const [key, value] of Object.entries(given))
    expect(await refuse({ [key]: value })).toEqual([`/body/${key} not_allowed`])
  expect(await refuse({ set: { ...set, indicator: 'rsi_14' } })).toEqual(['/body/set/indicator not_allowed'])
})

test('too many posted values are not sent to an operation that takes none', async () => {
  const terms = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`t${i}`, [i, i + 1, i + 2]]))
  const { body } = await evaluate<Problem>({ set: terms, values: Array(20_000).fill(1) })
  expect([body.code, body.hint]).toEqual(['params-invalid', 'Post fewer values at a time, or fewer terms.'])
})

describe('a set whose numbers are fitted', () => {
  const quantile = { type: 'quantile', terms: ['low', 'mid', 'high'] }
  const stored = { symbol: 'AAPL', timeframe: '1d', indicator: { type: 'rsi', period: 14 } }

  test('is fitted on the values that are posted', async () => {
    // The quantiles 1/6, 1/2 and 5/6 of 1 … 25 are 5, 13 and 21.
    const values = [...Array.from({ length: 25 }, (_, i) => i + 1), null]
    const { body } = await evaluate({ set: quantile, values })
    expect(body.terms.map(({ type }) => type)).toEqual(['left_shoulder', 'triangular', 'right_shoulder'])
    for (const [i, parameter] of [5, 13, 21].entries())
      expect(body.terms[1]?.parameters[i]).toBeCloseTo(parameter, 12)
    expect(body.fitted_on).toEqual({ values: 25, start: null, end: null })
    expect((await evaluate({ set, values })).body.fitted_on).toBeNull()
  })

  test('is fitted on the stated bars, whichever are evaluated', async () => {
    const fit = { start: '2014-01-01', end: '2016-01-01' }
    const fitted = async (range: object) => (await evaluate({ set: quantile, ...stored, fit, ...range })).body
    const whole = await fitted(fit)
    const next = await fitted({ start: '2017-01-01', end: '2017-03-01' })
    expect(next.terms).toEqual(whole.terms)
    expect(next.fitted_on).toEqual({
      values: whole.rows,
      start: '2014-01-01T00:00:00.000Z',
      end: '2016-01-01T00:00:00.000Z',
    })
    expect(next.rows).toBeLessThan(50)
    expect(whole.coverage.uncovered_fraction).toBe(0)
    const middle = [...whole.columns.value!].map(Number).sort((a, b) => a - b)[whole.rows >> 1]
    expect(Math.abs(Number(middle) - whole.terms[1]!.parameters[1]!)).toBeLessThan(0.5)
  })

  test.each([
    ['stored bars without a range', stored, '/body/fit required'],
    [
      'a range for posted values',
      { values: [1, 2, 3], fit: { start: '2014-01-01', end: '2015-01-01' } },
      '/body/fit not_allowed',
    ],
    [
      'a range without bars',
      { ...stored, fit: { start: '1990-01-01', end: '1991-01-01' } },
      '/body/fit range',
    ],
    [
      'an empty range',
      { ...stored, fit: { start: '2015-01-01', end: '2014-01-01' } },
      '/body/fit/start range',
    ],
    [
      'a range for terms with numbers',
      { ...stored, set, fit: { start: '2014-01-01', end: '2015-01-01' } },
      '/body/fit not_allowed',
    ],
    [
      'a term of the name of a column',
      { values: [1, 2], set: { ...quantile, terms: ['value', 'b'] } },
      '/body/set/terms/0 reserved',
    ],
  ])('%s is refused', async (_what, body, expected) => {
    const refused = await evaluate<Problem>({ set: quantile, ...body })
    expect(refused.body.errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([expected])
  })

  test('values that cannot be shared out are refused with what to do', async () => {
    const { body } = await evaluate<Problem>({ set: quantile, values: [1, 1, 1, 1, 2] })
    expect(body).toMatchObject({ code: 'params-invalid', hint: expect.stringContaining('fewer terms') })
  })
})
