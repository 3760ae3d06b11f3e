import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Problem } from '../../src/problems.ts'
import { migrateStrategy } from '../../src/strategy/migrate.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'

function refusal(text: string): Problem {
  try {
    parseStrategy(text)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the strategy was accepted')
}

test('a key that occurs twice is refused at the second one', () => {
  expect(refusal('name: a\nname: b\n').errors).toEqual([
    { pointer: '', code: 'duplicate_key', message: "the key 'name' occurs twice", line: 2, column: 1 },
  ])
})

test('broken YAML is refused with its place', () => {
  expect(refusal('name: [a\n').errors[0]).toMatchObject({ line: 2, column: 1 })
})

test('a tag of its own is refused', () => {
  expect(refusal('name: !!js/function "x"\n').errors[0]).toMatchObject({
    code: 'tag_resolve_failed',
    line: 1,
    column: 7,
  })
})

test('two documents in one file are refused', () => {
  expect(refusal('name: a\n---\nname: b\n').errors[0]?.code).toBe('multiple_docs')
})

test('keys that are not texts are refused', () => {
  expect(refusal('? [a]\n: 1\n').errors[0]?.code).toBe('non_string_key')
})

test.each(['', 'null', '[]', 'just text', '42'])('%j is not a strategy', text => {
  expect(refusal(text).errors[0]).toMatchObject({ pointer: '', code: 'type', line: 1, column: 1 })
})

test('aliases that multiply are refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `l${i + 1}: &l${i + 1} [${'*l'.concat(String(i), ', ').repeat(9)}]`,
  )
  expect(refusal(`l0: &l0 [x]\n${levels.join('\n')}\n`).message).toMatch(/alias/i)
})

test('an alias that points nowhere is refused', () => {
  expect(refusal('name: *nowhere\n').message).toMatch(/alias/i)
})

test('a text beyond 256 KiB is refused', () => {
  expect(refusal(`name: ${'x'.repeat(256 * 1024)}`).message).toMatch(/at most 262144/)
})

test.each([
  ['lists', '['.repeat(5900)],
  ['lists on lines', '- '.repeat(120_000)],
  ['maps', '{a: '.repeat(2900)],
  ['lists below lists', Array.from({ length: 65 }, (_, i) => `${' '.repeat(i)}-`).join('\n')],
  [
    'dashes after dashes',
    Array.from({ length: 5 }, (_, i) => `${' '.repeat(i * 30)}${'- '.repeat(15)}`).join('\n'),
  ],
  ['nested maps', Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
])('%s nested without end are refused without a crash', (_name, text) => {
  const start = performance.now()
  expect(refusal(text).message).toBe('the text is nested too deeply')
  expect(performance.now() - start).toBeLessThan(400)
})

test('lists of many short entries and blocks that end are not nesting', () => {
  const blocks = 'a:\n  - b: 1\n    c:\n      d: 2\n'.repeat(40)
  for (const text of [`a:\n${'  -\n'.repeat(100)}`, blocks])
    expect(refusal(text).message).not.toBe('the text is nested too deeply')
})

test.each([
  ['keys', '', Array.from({ length: 2900 }, (_, i) => `k${i}: 1`).join('\n')],
  [
    'indicators',
    '/indicators',
    `indicators:\n${Array.from({ length: 1100 }, (_, i) => `  k${i}: { type: smx }`).join('\n')}`,
  ],
  ['inputs', '/nn_inputs', `nn_inputs:\n${'  - {}\n'.repeat(1900)}`],
  [
    'symbols',
    '/training_data/symbols/list',
    `training_data: { symbols: { list: [${Array.from({ length: 5900 }, (_, i) => `A${i}`).join(',')}] } }`,
  ],
])('thousands of %s are one fault, found before the entries are judged', (_name, pointer, text) => {
  expect(refusal(text).errors).toEqual([expect.objectContaining({ pointer, code: 'count', line: 1 })])
})

test.each(['\n', ',', '# \n', 'k: 1\n', '- a\n', '[], ', '&a ', '*a ', '!a ', '"" ', "'' "])(
  'a text of 60,000 times %j is refused before it is parsed',
  piece => {
    for (const text of [piece.repeat(60_000), `a: ${piece.repeat(60_000)}`].map(text =>
      text.slice(0, 250_000),
    )) {
      const start = performance.now()
      expect(refusal(text).message).toMatch(/at most 6000 are read/)
      expect(() => migrateStrategy(text)).toThrow(/at most 6000 are read/)
      expect(performance.now() - start).toBeLessThan(400)
    }
  },
)

test('every shipped example has a tenth of the lines and signs that are read', () => {
  for (const text of examples) {
    expect(parseStrategy(text).strategy.name).not.toBe('')
    expect(text.match(/[\n,:[\]{}&*!"']/g)?.length).toBeLessThan(600)
  }
})

test('hundreds of faults give at most 100 errors', () => {
  const wrong = Array.from({ length: 64 }, (_, i) => `  k${i}: { type: sma, perod: 1, sorce: close }`)
  expect(refusal(`indicators:\n${wrong.join('\n')}\n`).errors).toHaveLength(100)
})

test('a key called __proto__ is an unknown key', () => {
  expect(refusal('__proto__: { name: x }\n').errors.map(error => error.pointer)).toContain('/__proto__')
})

test('an alias may repeat an indicator', () => {
  const { strategy } = parseStrategy(`
name: aliased
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  a: &a { type: sma, period: 7 }
  b: *a
decisions: { rules: { enter_long: a > close, exit_long: b < close } }
`)
  expect(strategy.indicators.b).toEqual({ type: 'sma', period: 7, source: 'close' })
})

/** A strategy with a model around some hostile sections. */
function modelWith(sections: string): string {
  return `name: hostile
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: multi_timeframe, list: [1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 12h, 1d, 1w, 1M] }
model: { type: mlp, architecture: { hidden_layers: [8] } }
decisions: { output_format: classification }
training: { labels: { source: zigzag } }
${sections}`
}

test('a text of 10 MB is refused before it is read', () => {
  const start = performance.now()
  expect(refusal(`name: "${'x'.repeat(10_000_000)}"`).message).toMatch(/at most 262144/)
  expect(performance.now() - start).toBeLessThan(1000)
})

test('inputs that multiply to more features than a model takes are refused', () => {
  const terms = Array.from({ length: 32 }, (_, i) => `t${i}: [0, 1, 2]`).join(', ')
  const sets = Array.from({ length: 12 }, (_, i) => `  s${i}: { indicator: a, ${terms} }`).join('\n')
  const inputs = Array.from({ length: 12 }, (_, i) => `  - { fuzzy_set: s${i}, timeframes: all }`).join('\n')
  const text = modelWith(`indicators: { a: { type: rsi } }\nfuzzy_sets:\n${sets}\nnn_inputs:\n${inputs}\n`)
  expect(refusal(text).errors).toEqual([expect.objectContaining({ pointer: '/nn_inputs', code: 'count' })])
})

test('the same input again and again gives at most 100 errors', () => {
  const terms = Array.from({ length: 32 }, (_, i) => `t${i}: [0, 1, 2]`).join(', ')
  const inputs = Array.from({ length: 256 }, () => '  - { fuzzy_set: s, timeframes: all }').join('\n')
  const text = modelWith(
    `indicators: { a: { type: rsi } }\nfuzzy_sets: { s: { indicator: a, ${terms} } }\nnn_inputs:\n${inputs}\n`,
  )
  const { errors } = refusal(text)
  expect(errors.length).toBeLessThanOrEqual(100)
  expect(errors[0]).toMatchObject({ pointer: '/nn_inputs/1', code: 'duplicate_feature' })
})

test('a fuzzy set of 200 terms is refused once', () => {
  const terms = Array.from({ length: 200 }, (_, i) => `t${i}: [0, 1, 2]`).join(', ')
  const text = modelWith(
    `indicators: { a: { type: rsi } }\nfuzzy_sets: { s: { indicator: a, ${terms} } }\nnn_inputs: [{ fuzzy_set: s, timeframes: all }]\n`,
  )
  expect(refusal(text).errors).toEqual([
    expect.objectContaining({ pointer: '/fuzzy_sets/s', code: 'count', line: 9 }),
  ])
})

test('a circle of 64 indicators is one fault', () => {
  const ring = Array.from({ length: 64 }, (_, i) => `  i${i}: { type: sma, source: i${(i + 1) % 64} }`)
  const text = modelWith(
    `indicators:\n${ring.join('\n')}\nnn_inputs: [{ raw_indicator: i0, timeframes: all }]\n`,
  )
  expect(refusal(text).errors.map(({ code }) => code)).toEqual(['circular'])
})

test('a chain of 64 indicators is read, each after the one it reads', () => {
  const chain = Array.from(
    { length: 64 },
    (_, i) => `  i${i}: { type: sma, period: 2, source: ${i === 63 ? 'close' : `i${i + 1}`} }`,
  )
  const { strategy } = parseStrategy(
    modelWith(`indicators:\n${chain.join('\n')}\nnn_inputs: [{ raw_indicator: i0, timeframes: all }]\n`),
  )
  expect(Object.keys(strategy.indicators)).toEqual(chain.map((_, i) => `i${63 - i}`))
})

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'the name %s from every object is no name of a strategy',
  name => {
    const { errors } = refusal(
      modelWith(`indicators: { a: { type: ${name}, source: ${name} } }
fuzzy_sets: { s: { indicator: ${name}, t: { type: ${name}, parameters: [1] } } }
nn_inputs: [{ fuzzy_set: ${name}, timeframes: all }, { raw_indicator: ${name}, timeframes: all }]
`),
    )
    expect(errors.map(({ pointer }) => pointer)).toEqual([
      '/indicators/a/type',
      '/fuzzy_sets/s/indicator',
      '/fuzzy_sets/s/t/type',
      '/nn_inputs/0/fuzzy_set',
      '/nn_inputs/1/raw_indicator',
    ])
  },
)

const examples = readdirSync('examples/strategies').map(name =>
  readFileSync(`examples/strategies/${name}`, 'utf8'),
)

test('whatever is taken from or put into a strategy, it is read or refused with places', () => {
  const pieces = [
    '',
    ' ',
    '\n',
    '- ',
    ': ',
    '[',
    '}',
    '&a ',
    '*a',
    '0',
    '-1',
    'null',
    '"',
    '{a: 1}',
    '.nan',
    '1e999',
  ]
  const edit = fc.tuple(fc.constantFrom(...examples), fc.nat(2000), fc.nat(60), fc.constantFrom(...pieces))
  fc.assert(
    fc.property(edit, ([text, at, length, put]) => {
      try {
        parseStrategy(text.slice(0, at) + put + text.slice(at + length))
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        expect(error.code).toBe('strategy-invalid')
        for (const { line, column, pointer } of error.errors) {
          expect(line).toBeGreaterThan(0)
          expect(column).toBeGreaterThan(0)
          expect(pointer).toMatch(/^(\/|$)/)
        }
      }
    }),
    { numRuns: 500 },
  )
})
