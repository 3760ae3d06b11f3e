import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type FieldValue, listFields, parseFieldPath } from '../../src/search/field-path.ts'
import { overrideStrategy } from '../../src/search/overrides.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { requiredHistory } from '../../src/strategy/signals.ts'
import { readYaml } from '../../src/strategy/yaml-source.ts'

const folder = 'examples/strategies'
const shipped = readdirSync(folder)
  .map(file => ({ name: file, text: readFileSync(`${folder}/${file}`, 'utf8') }))
  .filter(({ text }) => parseStrategy(text).strategy.kind === 'rules')

/** The text with values written in by hand of the YAML library, parsed. */
function parseWith(text: string, values: Readonly<Record<string, FieldValue>>) {
  const { document } = readYaml(text)
  for (const [path, value] of Object.entries(values)) document.setIn(parseFieldPath(path) ?? [], value)
  return parseStrategy(String(document)).strategy
}

/** Values that a field could have instead: most are of its kind, some are not. */
function anyValueLike(value: FieldValue): fc.Arbitrary<FieldValue> {
  if (typeof value === 'number')
    return fc.oneof(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0.1, max: 90, noNaN: true }),
      fc.constantFrom(0, -1),
    )
  if (typeof value === 'boolean') return fc.boolean()
  return fc.constantFrom(value, 'sma', 'ema', 'close', 'hl2', 'close > open', 'close crosses above open', 'x')
}

test.each(shipped)('$name with other values is what its text with these values would be', ({ text }) => {
  const written = readYaml(text).value
  const fields = listFields(written).filter(({ path }) => /^(indicators|decisions)/.test(path))
  const anyValues = fc
    .uniqueArray(fc.nat({ max: fields.length - 1 }), { minLength: 1, maxLength: 3 })
    .chain(chosen =>
      fc.record(
        Object.fromEntries(chosen.map(i => [fields[i]?.path, anyValueLike(fields[i]?.value ?? 0)])) as Record<
          string,
          fc.Arbitrary<FieldValue>
        >,
      ),
    )
  let valid = 0
  fc.assert(
    fc.property(anyValues, values => {
      const before = structuredClone(written)
      const { strategy, reason } = overrideStrategy(written, { ...values })
      expect(written).toEqual(before)
      if (strategy === null) {
        expect(() => parseWith(text, values)).toThrow()
        expect(reason).toMatch(/\w+.*: /)
        return
      }
      valid++
      const parsed = parseWith(text, values)
      expect(strategy).toEqual(parsed)
      expect(Object.keys(strategy.indicators)).toEqual(Object.keys(parsed.indicators))
      expect(requiredHistory(strategy)).toBe(requiredHistory(parsed))
    }),
    { numRuns: 40, seed: 5 },
  )
  expect(valid).toBeGreaterThan(3)
})

test('keys that the text leaves out can be given, and maps around them are made', () => {
  const [{ text = '' } = {}] = shipped.filter(({ name }) => name === 'sma_cross.yaml')
  const { strategy } = overrideStrategy(readYaml(text).value, {
    'indicators.fast.source': 'hl2',
    'decisions.rules.stop_loss.percent': 3,
    'training_data.history_required': 120,
  })
  expect(strategy?.indicators.fast).toMatchObject({ type: 'sma', period: 20, source: 'hl2' })
  expect(strategy?.decisions.rules.stop_loss).toEqual({ percent: 3, trailing: false })
  expect(strategy?.history_required).toBe(120)
})

test('a strategy whose parts do not go together has a reason instead', () => {
  const [{ text = '' } = {}] = shipped.filter(({ name }) => name === 'macd_momentum.yaml')
  const { strategy, reason } = overrideStrategy(readYaml(text).value, { 'indicators.macd.fast_period': 30 })
  expect(strategy).toBeNull()
  expect(reason).toContain('indicators.macd.slow_period')
  expect(reason).toContain('should be longer than fast_period')
})

test('a name that reaches for the insides of objects is no field', () => {
  const written = { indicators: {} }
  for (const path of ['__proto__.x', 'indicators.constructor.name', 'indicators.__proto__.period'])
    expect(overrideStrategy(written, { [path]: 1 }).strategy).toBeNull()
  expect(({} as Record<string, unknown>).x).toBeUndefined()
})
