import { expect, test } from '@jest/globals'
import { Problem } from '../../src/problems.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'

const valid = `name: sma_cross
version: "3.0"
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: 20 }
  slow:
    type: sma
    period: 50
decisions:
  rules:
    enter_long: fast crosses above slow
    exit_long: "fast crosses below slow"
`

function refusal(text: string): Problem {
  try {
    parseStrategy(text)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the strategy was accepted')
}

/** Refuses the valid strategy with one piece of its text replaced. */
function refusalOf(piece: string, replacement: string): Problem {
  expect(valid).toContain(piece)
  return refusal(valid.replace(piece, () => replacement))
}

test('the strategy these tests break is valid', () => {
  expect(parseStrategy(valid).strategy.name).toBe('sma_cross')
})

test('a misspelt parameter is shown with its line, its column and the nearest name', () => {
  const { code, message, errors } = refusalOf('    period: 50', '    perod: 50')
  expect(code).toBe('strategy-invalid')
  expect(message).toBe(`line 10, column 5: sma has no parameter "perod": did you mean 'period'?`)
  expect(errors).toEqual([
    {
      pointer: '/indicators/slow/perod',
      code: 'unknown_parameter',
      message: `sma has no parameter "perod": did you mean 'period'?`,
      line: 10,
      column: 5,
    },
  ])
})

test.each([
  ['an unknown key', 'version:', 'verison:', '/verison', 'unknown_key', '2:1', /did you mean 'version'/],
  [
    'an unknown nested key',
    'symbol: AAPL',
    'symbl: AAPL',
    '/training_data/symbols/symbl',
    'unknown_key',
    '4:28',
    /did you mean 'symbol'/,
  ],
  [
    'a key without a near match',
    'version: "3.0"',
    'risk_management: 1',
    '/risk_management',
    'unknown_key',
    '2:1',
    /the keys are name/,
  ],
  [
    'an unquoted version',
    '"3.0"',
    '3.0',
    '/version',
    'type',
    '2:10',
    /3 should be a text: write it in quotes/,
  ],
  ['an unknown version', '"3.0"', '"2.0"', '/version', 'enum', '2:10', /did you mean '3.0'/],
  ['a bad name', 'sma_cross', '../x', '/name', 'pattern', '1:7', /Name of the strategy/],
  [
    'a symbol with a slash',
    'AAPL',
    'AA/L',
    '/training_data/symbols/symbol',
    'pattern',
    '4:36',
    /Letters, digits and/,
  ],
  [
    'an unknown timeframe',
    '1d',
    '1day',
    '/training_data/timeframes/timeframe',
    'enum',
    '5:42',
    /one of 1m, 3m, 5m/,
  ],
  [
    'an unknown mode',
    'mode: single, symbol',
    'mode: singel, symbol',
    '/training_data/symbols/mode',
    'enum',
    '4:20',
    /did you mean 'single'/,
  ],
  [
    'an unknown indicator type',
    'type: sma, period: 20',
    'type: smma',
    '/indicators/fast/type',
    'unknown_indicator',
    '7:17',
    /did you mean 'sma'/,
  ],
  [
    'a type in capitals',
    'type: sma, period: 20',
    'type: RSI',
    '/indicators/fast/type',
    'unknown_indicator',
    '7:17',
    /did you mean 'rsi'/,
  ],
  [
    'a number in quotes',
    'period: 20',
    'period: "14"',
    '/indicators/fast/period',
    'type',
    '7:30',
    /"14" should be a whole number/,
  ],
  ['a fraction', 'period: 20', 'period: 14.5', '/indicators/fast/period', 'type', '7:30', /whole number/],
  ['not a number', 'period: 20', 'period: .nan', '/indicators/fast/period', 'type', '7:30', /whole number/],
  [
    'a period out of range',
    'period: 20',
    'period: 0',
    '/indicators/fast/period',
    'range',
    '7:30',
    /0 is outside 1 to 5000/,
  ],
  [
    'an unknown source',
    'period: 20',
    'source: cloze',
    '/indicators/fast/source',
    'enum',
    '7:30',
    /did you mean 'close'/,
  ],
  ['a reserved id', 'fast:', 'close:', '/indicators/close', 'reserved', '7:3', /word of the rule language/],
  ['a bad id', 'slow:', '2slow:', '/indicators/2slow', 'name', '8:3', /is not an id/],
  [
    'an indicator that is not a map',
    '{ type: sma, period: 20 }',
    'sma',
    '/indicators/fast',
    'type',
    '7:9',
    /should be a map of keys/,
  ],
  [
    'an indicator without a type',
    'type: sma, period: 20',
    'period: 20',
    '/indicators/fast/type',
    'required',
    '7:3',
    /'type' is missing/,
  ],
  [
    'a missing exit',
    '    exit_long: "fast crosses below slow"\n',
    '',
    '/decisions/rules/exit_long',
    'required',
    '12:3',
    /'exit_long' is missing/,
  ],
  [
    'a rule that is not a text',
    'fast crosses above slow',
    'true',
    '/decisions/rules/enter_long',
    'type',
    '13:17',
    /write it in quotes/,
  ],
  [
    'an unknown name in a rule',
    'fast crosses above',
    'fats crosses above',
    '/decisions/rules/enter_long',
    'unknown_name',
    '13:17',
    /did you mean 'fast'/,
  ],
  [
    'a fault inside a quoted rule',
    'below slow"',
    'under slow"',
    '/decisions/rules/exit_long',
    'syntax',
    '14:30',
    /column 14 of exit_long/,
  ],
  [
    'a number as rule',
    'fast crosses above slow',
    'fast + slow',
    '/decisions/rules/enter_long',
    'type',
    '13:17',
    /compare it/,
  ],
  [
    'a missing symbol',
    ', symbol: AAPL',
    '',
    '/training_data/symbols/symbol',
    'required',
    '4:3',
    /mode single needs it/,
  ],
  [
    'a list with mode single',
    'symbol: AAPL',
    'symbol: AAPL, list: [X]',
    '/training_data/symbols/list',
    'conflict',
    '4:42',
    /goes with mode multi_symbol/,
  ],
  [
    'another base timeframe',
    'timeframe: 1d',
    'timeframe: 1d, base_timeframe: 1h',
    '/training_data/timeframes/base_timeframe',
    'conflict',
    '5:62',
    /can only be 1d/,
  ],
])('%s is one fault at its place', (_name, piece, replacement, pointer, code, place, message) => {
  const { errors } = refusalOf(piece, replacement)
  // Renaming an id or key can also break what refers to it: the fault itself must be among the errors.
  const fault = errors.find(error => error.pointer === pointer && error.code === code)
  expect(errors.map(error => `${error.pointer} ${error.code}`)).toContain(`${pointer} ${code}`)
  expect(`${fault?.line}:${fault?.column}`).toBe(place)
  expect(fault?.message).toMatch(message)
})

test('several timeframes are refused for rules', () => {
  const frames = refusalOf(
    '{ mode: single, timeframe: 1d }',
    '{ mode: multi_timeframe, list: [1h, 1d], base_timeframe: 1h }',
  )
  expect(frames.errors).toHaveLength(1)
  expect(frames.message).toContain('multi_timeframe is not supported by strategies with rules')
})

test.each(['fuzzy_sets', 'nn_inputs', 'model', 'training'])(
  '%s beside rules is refused, and the message says which belongs where',
  key => {
    const { errors } = refusal(`${valid}${key}: {}\n`)
    expect(errors).toContainEqual(
      expect.objectContaining({ pointer: `/${key}`, code: 'mixed', line: 15, column: 1 }),
    )
    expect(errors.find(({ code }) => code === 'mixed')?.message).toBe(
      `strategies with decisions.rules do not take '${key}': it belongs to strategies with a model`,
    )
  },
)

test.each(['context_data', 'deployment'])('%s is refused as not supported', key => {
  const { errors } = refusal(`${valid}${key}: {}\n`)
  expect(errors).toEqual([
    expect.objectContaining({ pointer: `/${key}`, code: 'unsupported_key', line: 15, column: 1 }),
  ])
  expect(errors[0]?.message).toMatch(/is not supported/)
})

test('a model key of decisions is refused too', () => {
  expect(refusalOf('  rules:', '  confidence_threshold: 0.5\n  rules:').errors[0]).toMatchObject({
    code: 'mixed',
    line: 12,
  })
})

test('all faults are reported at once, in the order of the text', () => {
  const broken = valid
    .replace('sma_cross', 'a b')
    .replace('period: 20', 'perod: 20')
    .replace('above slow', 'above slwo')
  expect(refusal(broken).errors.map(error => `${error.line} ${error.code}`)).toEqual([
    '1 pattern',
    '7 unknown_parameter',
    '13 unknown_name',
  ])
})

test('a fault in a folded rule is placed at its start', () => {
  const { errors } = refusalOf('fast crosses above slow', '>-\n      fast crosses\n      over slow')
  expect(errors[0]).toMatchObject({ code: 'syntax', line: 13, column: 17 })
})
