import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { membershipTypes } from '../../src/fuzzy/registry.ts'
import { type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Evaluated = {
  rows: number
  columns: Record<string, (number | string | null)[]>
  terms: { name: string; type: string; parameters: number[] }[]
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
