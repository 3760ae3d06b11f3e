import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Problem } from '../../src/problems.ts'
import { migrateStrategy } from '../../src/strategy/migrate.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'

const former = `# kept at the top
name: old # beside the name
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  # above the first
  - name: rsi
    feature_id: rsi_14
    period: 14 # beside a parameter
  # above the second
  - { name: BollingerBands, feature_id: bands, period: 30 }
  - name: roc
fuzzy_sets:
  rsi_14:
    # above a term
    low: { type: triangle, parameters: [0, 25, 60] }
    high: { type: right_shoulder, parameters: [40, 75] }
  roc:
    all: { type: gaussian, parameters: [0, 5] }
  bands:
    one: { type: gaussian, parameters: [100, 50] }
model:
  type: mlp
  architecture: { hidden_layers: [8] }
decisions: { output_format: classification }
training: { labels: { source: zigzag } }
`

function refusalOf(text: string): Problem {
  try {
    migrateStrategy(text)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the text was migrated')
}

test('a strategy with a list of indicators becomes one of version 3 that can run', () => {
  const { strategy, warnings } = parseStrategy(migrateStrategy(former).yaml)
  expect(warnings).toEqual([])
  expect(strategy).toMatchObject({
    kind: 'model',
    version: '3.0',
    indicators: {
      rsi_14: { type: 'rsi', period: 14 },
      bands: { type: 'bollinger_bands', period: 30 },
      roc: { type: 'roc', period: 10 },
    },
    fuzzy_sets: {
      rsi_14: { indicator: 'rsi_14' },
      roc: { indicator: 'roc' },
      bands: { indicator: 'bands' },
    },
  })
  expect(strategy.kind === 'model' && strategy.features.map(({ id }) => id)).toEqual([
    '1d_rsi_14_low',
    '1d_rsi_14_high',
    '1d_roc_all',
    '1d_bands_one',
  ])
})

test('a strategy that was not migrated is refused with that one error, and where to migrate it', () => {
  const read = () => parseStrategy(former.replace('low:', 'lwo: 1\n    low:'))
  expect(read).toThrow(
    expect.objectContaining({
      code: 'strategy-invalid',
      hint: expect.stringContaining('/strategies/migrate'),
      errors: [
        expect.objectContaining({ pointer: '/indicators', code: 'former_grammar', line: 6, column: 1 }),
      ],
    }),
  )
})

test('each change is told', () => {
  expect(migrateStrategy(former).changes).toEqual([
    'indicators: the list is a map by feature_id now',
    "indicators: 'BollingerBands' is called 'bollinger_bands' now",
    "fuzzy_sets: 'triangle' in 'rsi_14' is called 'triangular' now",
    "fuzzy_sets: 'rsi_14' names its indicator",
    "fuzzy_sets: 'roc' names its indicator",
    "fuzzy_sets: 'bands' names its indicator",
    'nn_inputs: every fuzzy set on all timeframes',
    'version: "3.0"',
  ])
  expect(migrateStrategy(`version: "2.0"\n${former}`).changes.at(-1)).toBe('version: "3.0" instead of "2.0"')
})

test('comments stay with what they are about', () => {
  const { yaml } = migrateStrategy(former)
  expect(yaml).toContain('# kept at the top\nname: old # beside the name\n')
  expect(yaml).toContain(
    '  # above the first\n  rsi_14:\n    type: rsi\n    period: 14 # beside a parameter\n',
  )
  expect(yaml).toContain('  # above the second\n  bands:')
  expect(yaml).toContain('    # above a term\n    low:')
})

test('a text of version 3 is answered as it is, byte for byte', () => {
  const { yaml } = migrateStrategy(former)
  expect(migrateStrategy(yaml)).toEqual({ yaml, changes: [] })
  const odd = 'indicators:   {}   # spaces stay\n'
  expect(migrateStrategy(odd)).toEqual({ yaml: odd, changes: [] })
})

test.each([
  [
    'two indicators of one id',
    'feature_id: bands',
    'feature_id: rsi_14',
    '/indicators/1',
    12,
    /as another has/,
  ],
  [
    'an id that cannot be one',
    'feature_id: bands',
    'feature_id: 2-bands',
    '/indicators/1',
    12,
    /can be its id/,
  ],
  [
    'an indicator without a name',
    '- name: roc',
    '- period: 10',
    '/indicators/2',
    13,
    /no feature_id or name/,
  ],
  ['an indicator that is a text', '- name: roc', '- roc', '/indicators/2', 13, /is not a map/],
  ['a fuzzy set of no indicator', '  roc:', '  rco:', '/fuzzy_sets/rco', 19, /called like no indicator/],
  ['what repaints', '- name: roc', '- { name: ZigZag, feature_id: roc }', '/indicators/2', 13, /repaints/],
])('%s cannot be migrated', (_what, piece, replacement, pointer, line, message) => {
  const { code, errors } = refusalOf(former.replace(piece, replacement))
  expect(code).toBe('strategy-invalid')
  // A fuzzy set may lose its indicator with it: the cause comes first.
  expect(errors[0]).toMatchObject({ pointer, code: 'not_migratable', line })
  expect(errors[0]?.message).toMatch(message)
})

test.each(['', '- a', 'name: [', '*a'])('%j is refused, not crashed on', text => {
  expect(refusalOf(text).code).toBe('strategy-invalid')
})

test('hundreds of indicators and fuzzy sets are refused before they are compared', () => {
  const indicators = Array.from({ length: 500 }, (_, i) => `  - { name: sma, feature_id: a${i} }`)
  const sets = Array.from({ length: 600 }, (_, i) => `  b${i}: 1`)
  const text = `indicators:\n${indicators.join('\n')}\nfuzzy_sets:\n${sets.join('\n')}\n`
  expect(refusalOf(text).message).toMatch(/indicators has 500 entries, but at most 256/)
})

test('whatever is taken from or put into the text, the answer is a text of version 3 or a refusal', () => {
  const cut = fc.tuple(
    fc.nat(former.length),
    fc.nat(40),
    fc.constantFrom('', ' ', '\n', '- ', ': ', '[', '&a '),
  )
  fc.assert(
    fc.property(cut, ([at, length, put]) => {
      const text = former.slice(0, at) + put + former.slice(at + length)
      try {
        const { yaml } = migrateStrategy(text)
        expect(migrateStrategy(yaml)).toEqual({ yaml, changes: [] })
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        expect(error.code).toBe('strategy-invalid')
      }
    }),
    { numRuns: 300 },
  )
})
