import { describe, expect, test } from '@jest/globals'
import { isQuantileSet, parseSet, termNamesOf } from '../../src/fuzzy/quantile-set.ts'

const valid = (definition: unknown) => {
  const parsed = parseSet(definition, '/fuzzy_sets/zone')
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}

const faults = (definition: unknown) => {
  const parsed = parseSet(definition, '/zone')
  if (parsed.kind === 'valid') throw new Error('the definition is valid')
  return parsed.faults
}

const fitted = { indicator: 'rsi_14', type: 'quantile', terms: ['low', 'high'] }

test('names in their order and a shape are all that is written of a fitted set', () => {
  expect(valid(fitted)).toEqual({ ...fitted, shape: 'triangular' })
  expect(valid({ ...fitted, shape: 'gaussian' })).toEqual({ ...fitted, shape: 'gaussian' })
})

test('a set is fitted only where it says so: terms may be called as the keys of a fitted one', () => {
  const written = valid({ indicator: 'x', terms: [0, 1, 2], shape: [1, 2, 3] })
  expect(isQuantileSet(written)).toBe(false)
  expect(termNamesOf(written)).toEqual(['terms', 'shape'])
  expect(termNamesOf(valid(fitted))).toEqual(['low', 'high'])
})

describe('what is wrong is named where it stands', () => {
  test.each([
    ['a misspelt type', { type: 'quantiles' }, '/zone/type', 'enum', "did you mean 'quantile'?"],
    ['names without a type', { type: undefined }, '/zone/type', 'required', 'with type: quantile'],
    ['no names', { terms: undefined }, '/zone/terms', 'required', 'lowest first'],
    ['a number of terms', { terms: 3 }, '/zone/terms', 'type', '3 should be a list of names'],
    ['one name', { terms: ['low'] }, '/zone/terms', 'count', 'at least two'],
    ['a number as name', { terms: ['low', 3] }, '/zone/terms/1', 'type', '3 should be the name'],
    ['a name twice', { terms: ['low', 'mid', 'low'] }, '/zone/terms/2', 'duplicate', 'occurs twice'],
    ['no name at all', { terms: ['low', '1 x'] }, '/zone/terms/1', 'name', 'is not a name'],
    ['a reserved name', { terms: ['low', 'type'] }, '/zone/terms/1', 'reserved', "cannot be called 'type'"],
    ['a shape there is not', { shape: 'triangle' }, '/zone/shape', 'enum', "did you mean 'triangular'?"],
    ['a shape of its own', { shape: [1, 2] }, '/zone/shape', 'type', 'one of triangular'],
    ['an unknown key', { shpae: 'gaussian' }, '/zone/shpae', 'unknown_key', "did you mean 'shape'?"],
    ['a term with numbers', { high: [1, 2, 3] }, '/zone/high', 'unknown_key', 'their numbers are fitted'],
    ['no indicator', { indicator: undefined }, '/zone/indicator', 'required', "'indicator' is missing"],
  ])('%s', (_what, change, pointer, code, message) => {
    const found = faults({ ...fitted, ...change })
    expect(found).toEqual([{ pointer, code, message: expect.stringContaining(message) }])
  })

  test('all faults of a set come at once', () => {
    const found = faults({ type: 'quantile', terms: ['low'], shape: 'bell', more: 1 })
    expect(found.map(({ code }) => code)).toEqual(['required', 'count', 'enum', 'unknown_key'])
  })
})
