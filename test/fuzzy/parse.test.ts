import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createFuzzySet, fuzzify } from '../../src/fuzzy/fuzzy-set.ts'
import { parseFuzzySet } from '../../src/fuzzy/parse.ts'

const valid = (definition: unknown) => {
  const parsed = parseFuzzySet(definition, '/fuzzy_sets/zone')
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}

const faults = (definition: unknown) => {
  const parsed = parseFuzzySet(definition, '/fuzzy_sets/zone')
  if (parsed.kind === 'valid') throw new Error('the definition is valid')
  return parsed.faults
}

test('both notations are read, in the order of the terms', () => {
  const set = valid({
    indicator: 'adx_14.adx',
    weak: [0, 0, 20],
    medium: { type: 'gaussian', parameters: [25, 8] },
    strong: { type: 'right_shoulder', parameters: [30, 45] },
  })
  expect(set).toEqual({
    indicator: 'adx_14.adx',
    terms: [
      { name: 'weak', type: 'triangular', parameters: [0, 0, 20] },
      { name: 'medium', type: 'gaussian', parameters: [25, 8] },
      { name: 'strong', type: 'right_shoulder', parameters: [30, 45] },
    ],
  })
})

test('a set is evaluated term by term; NaN belongs to no term', () => {
  const { terms } = valid({ indicator: 'rsi_14', low: [0, 20, 40], high: [60, 80, 100] })
  expect(fuzzify(Float64Array.of(Number.NaN, 10, 30, 50, 90), createFuzzySet(terms))).toEqual([
    { name: 'low', values: Float64Array.of(Number.NaN, 0.5, 0.5, 0, 0) },
    { name: 'high', values: Float64Array.of(Number.NaN, 0, 0, 0, 0.5) },
  ])
})

describe('what is wrong is named where it stands', () => {
  test.each([
    ['not a map', [1, 2], '', 'type', 'map'],
    ['no indicator', { low: [1, 2, 3] }, '/indicator', 'required', "'indicator' is missing"],
    ['a number as indicator', { indicator: 3, low: [1, 2, 3] }, '/indicator', 'type', '3 should be the id'],
    ['no term', { indicator: 'x' }, '', 'empty', 'at least one term'],
    ['a term that is a number', { indicator: 'x', low: 3 }, '/low', 'type', 'low: 3 should be [a, b, c]'],
    ['a term that is nothing', { indicator: 'x', low: null }, '/low', 'type', 'null'],
    [
      'four numbers in a list',
      { indicator: 'x', low: [1, 2, 3, 4] },
      '/low',
      'count',
      'for trapezoidal write',
    ],
    [
      'two numbers in a list',
      { indicator: 'x', low: [1, 2] },
      '/low',
      'count',
      'gaussian or sigmoid or left_shoulder',
    ],
    ['a falling list', { indicator: 'x', low: [3, 2, 1] }, '/low/1', 'order', 'low: b is 2, below a 3'],
    ['a text in a list', { indicator: 'x', low: [1, '2', 3] }, '/low/1', 'type', 'b should be a number'],
    ['infinity in a list', { indicator: 'x', low: [1, 2, Infinity] }, '/low/2', 'range', 'c is Infinity'],
    ['no type', { indicator: 'x', low: { parameters: [1] } }, '/low/type', 'required', 'one of triangular,'],
    [
      'no parameters',
      { indicator: 'x', low: { type: 'bell' } },
      '/low/parameters',
      'required',
      '[width, slope, center]',
    ],
    [
      'a word as parameters',
      { indicator: 'x', low: { type: 'bell', parameters: 'a' } },
      '/low/parameters',
      'type',
      'list',
    ],
    [
      'an unknown type',
      { indicator: 'x', low: { type: 'triangle', parameters: [1, 2, 3] } },
      '/low/type',
      'unknown_membership',
      "did you mean 'triangular'?",
    ],
    [
      'a map as type',
      { indicator: 'x', low: { type: { toString: 1 }, parameters: [1] } },
      '/low/type',
      'type',
      'should be a text',
    ],
    [
      'a misspelt key',
      { indicator: 'x', low: { type: 'singleton', parameters: [1], paramters: [1] } },
      '/low/paramters',
      'unknown_key',
      "did you mean 'parameters'?",
    ],
    [
      'too many numbers',
      { indicator: 'x', low: { type: 'gaussian', parameters: [1, 2, 3] } },
      '/low/parameters',
      'count',
      'gaussian takes 2 numbers [mean, sigma], not 3',
    ],
    [
      'a negative width',
      { indicator: 'x', low: { type: 'gaussian', parameters: [1, -2] } },
      '/low/parameters/1',
      'range',
      'sigma is -2',
    ],
    ['a name with a blank', { indicator: 'x', 'very low': [1, 2, 3] }, '/very low', 'name', 'is not a name'],
    ['a name with a slash', { indicator: 'x', 'a/b~c': [1, 2, 3] }, '/a~1b~0c', 'name', 'is not a name'],
    ['a name that begins with a digit', { indicator: 'x', 2: [1, 2, 3] }, '/2', 'name', 'is not a name'],
  ])('%s', (_what, definition, pointer, code, message) => {
    const found = faults(definition)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ pointer: `/fuzzy_sets/zone${pointer}`, code })
    expect(found[0]?.message).toContain(message)
  })

  test('a membership written one level too high', () => {
    const found = faults({ indicator: 'x', type: 'triangular', parameters: [1, 2, 3] })
    expect(found.map(fault => [fault.pointer, fault.code])).toEqual([
      ['/fuzzy_sets/zone/type', 'reserved'],
      ['/fuzzy_sets/zone/parameters', 'reserved'],
    ])
  })

  test('a misspelt indicator is guessed', () => {
    expect(faults({ indicater: 'x', low: [1, 2, 3] })[0]?.message).toContain('is "indicater" meant to be it?')
  })
})

test('all faults of a set come at once', () => {
  const found = faults({
    indicator: '',
    low: [3, 2, 1],
    mid: { type: 'bel', parameters: 1, width: 2 },
    'a b': 1,
  })
  expect(found.map(fault => fault.code)).toEqual([
    'type',
    'order',
    'unknown_key',
    'unknown_membership',
    'type',
    'name',
    'type',
  ])
})

test('anything at all is either read or refused, and what is read can be evaluated', () => {
  const memberships = fc.oneof(
    fc.anything(),
    fc.array(fc.double(), { maxLength: 5 }),
    fc.record({ type: fc.constantFrom('bell', 'gaussian', 'singleton'), parameters: fc.array(fc.double()) }),
  )
  const definition = fc.oneof(
    fc.anything(),
    fc.record({ indicator: fc.string(), low: memberships, high: memberships }),
  )
  fc.assert(
    fc.property(definition, written => {
      const parsed = parseFuzzySet(written, '')
      if (parsed.kind === 'invalid') expect(parsed.faults.length).toBeGreaterThan(0)
      else expect(createFuzzySet(parsed.value.terms).terms.length).toBe(parsed.value.terms.length)
    }),
    { numRuns: 500 },
  )
})

test('a membership of a hundred thousand keys has one fault, not as many', () => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))
  const low = { type: 'triangular', parameters: [0, 1, 2], ...keys }
  expect(faults({ indicator: 'rsi_14', low })).toEqual([
    {
      pointer: '/fuzzy_sets/zone/low',
      code: 'count',
      message: 'low: a membership has the keys type and parameters, not 100000 others',
    },
  ])
})
