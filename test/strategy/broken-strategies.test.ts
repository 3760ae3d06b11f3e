import { expect, test } from '@jest/globals'
import { Problem } from '../../src/problems.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { brokenInputs } from '../fixtures/broken-inputs.ts'
import { brokenOrders, ordered } from '../fixtures/broken-orders.ts'
import { brokenQuantiles, fitted } from '../fixtures/broken-quantiles.ts'
import { brokenRules } from '../fixtures/broken-rules.ts'
import { model, rules } from '../fixtures/broken-strategies.ts'
import { brokenTraining } from '../fixtures/broken-training.ts'

/** Refuses a text with one piece of it replaced. */
function errorsOf(text: string, piece: string, replacement: string) {
  expect(text).toContain(piece)
  try {
    parseStrategy(text.replace(piece, () => replacement))
  } catch (error) {
    if (error instanceof Problem) return error.errors
    throw error
  }
  throw new Error('the strategy was accepted')
}

test('the strategies these tests break are valid and free of remarks', () => {
  expect(parseStrategy(model).warnings).toEqual([])
  expect(parseStrategy(rules).warnings).toEqual([])
  expect(parseStrategy(ordered).warnings).toEqual([])
  expect(parseStrategy(fitted).warnings).toEqual([])
})

test.each([
  ...[...brokenInputs, ...brokenTraining].map(broken => ({ text: model, broken })),
  ...brokenQuantiles.map(broken => ({ text: fitted, broken })),
  ...brokenOrders.map(broken => ({ text: ordered, broken })),
  ...brokenRules.map(broken => ({ text: rules, broken })),
])('$broken.0 is refused at its place, with what to do', ({ text, broken }) => {
  const [, piece, replacement, place, pointer, code, message] = broken
  const errors = errorsOf(text, piece, replacement)
  // What breaks one part can break what refers to it: the fault itself must be among the errors.
  const shown = errors.map(error => `${error.line}:${error.column} ${error.pointer} ${error.code}`)
  expect(shown).toContain(`${place} ${pointer} ${code}`)
  expect(errors.find(error => error.pointer === pointer && error.code === code)?.message).toMatch(message)
})

test('faults of every part come at once, in the order of the text', () => {
  const broken = model
    .replace('source: rsi_14', 'source: rsi_41')
    .replace('[0, 25, 60]', '[0, 60, 25]')
    .replace('timeframes: [1d]', 'timeframes: 1d')
    .replace('dropout: 0.1', 'dropout: 2')
    .replace('train: 0.7', 'train: 0.8')
    .replace('zigzag_threshold', 'zigzag_treshold')
  expect(errorsOf(broken, 'neuro', 'neuro').map(({ line, code }) => `${line} ${code}`)).toEqual([
    '7 enum',
    '12 order',
    '16 type',
    '19 range',
    '26 sum',
    '27 unknown_key',
  ])
})
