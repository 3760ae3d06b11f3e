import { expect, test } from '@jest/globals'
import type { BooleanNode, NumericNode } from '../../src/strategy/ast.ts'
import { parseRule } from '../../src/strategy/expression.ts'

const names = ['fast', 'slow', 'rsi_14', 'open', 'high', 'low', 'close', 'volume']

/** The tree with every operation in parentheses. */
function written(node: BooleanNode | NumericNode): string {
  switch (node.kind) {
    case 'number':
      return String(node.value)
    case 'reference':
      return node.name
    case 'negate':
      return `(-${written(node.operand)})`
    case 'not':
      return `(not ${written(node.operand)})`
    case 'and':
    case 'or':
      return `(${written(node.left)} ${node.kind} ${written(node.right)})`
    case 'cross':
      return `(${written(node.left)} crosses ${node.direction} ${written(node.right)})`
    case 'arithmetic':
    case 'compare':
      return `(${written(node.left)} ${node.operator} ${written(node.right)})`
  }
}

function tree(text: string): string {
  const { ast, errors } = parseRule(text, names)
  return ast === null ? JSON.stringify(errors) : written(ast)
}

test.each([
  ['fast > slow', '(fast > slow)'],
  ['fast + slow * 2 > 1', '((fast + (slow * 2)) > 1)'],
  ['fast - slow - 1 >= 0', '(((fast - slow) - 1) >= 0)'],
  ['(fast + slow) / 2 != close', '(((fast + slow) / 2) != close)'],
  ['--fast < -1', '((-(-fast)) < (-1))'],
  ['fast * -2 < 0', '((fast * (-2)) < 0)'],
  ['not fast > slow and close > 1', '((not (fast > slow)) and (close > 1))'],
  ['close > 1 or close > 2 and close > 3', '((close > 1) or ((close > 2) and (close > 3)))'],
  ['(close > 1 or close > 2) and close > 3', '(((close > 1) or (close > 2)) and (close > 3))'],
  ['fast crosses above slow + 1', '(fast crosses above (slow + 1))'],
  [
    'rsi_14 crosses below 30 and not not close>.5',
    '((rsi_14 crosses below 30) and (not (not (close > 0.5))))',
  ],
  ['close\n  ==\t1.5e3', '(close == 1500)'],
])('%j means %s', (text, meaning) => {
  expect(tree(text)).toBe(meaning)
})

test.each([
  ['fast', 'type', 1, /compare it with something/],
  ['close > 1 and fast', 'type', 15, /'and' takes conditions/],
  ['(close > 1) + 2 > 3', 'type', 2, /'\+' takes numbers/],
  ['(close > 1) == (fast > 1)', 'type', 17, /takes numbers/],
  ['not fast', 'type', 5, /'not' takes conditions/],
  ['-(fast > 1) < 2', 'type', 3, /'-' takes numbers/],
  ['(fast > 1) crosses above slow', 'type', 2, /'crosses' takes numbers/],
  ['1 < close < 3', 'syntax', 11, /do not chain/],
  ['fast crosses slow', 'syntax', 14, /'above' or 'below'/],
  ['fast crosses above slow crosses below 1', 'syntax', 25, /do not chain/],
  ['fast >', 'syntax', 7, /the end of the rule/],
  ['(fast > 1', 'syntax', 10, /parenthesis of column 1 is not closed/],
  ['fast > 1)', 'syntax', 9, /'\)' was not expected/],
  ['fast = 1', 'syntax', 6, /use '=='/],
  ['fast > 1 && slow > 1', 'syntax', 10, /use 'and'/],
  ['!fast', 'syntax', 1, /use 'not'/],
  ['fast > 1 AND slow > 1', 'syntax', 10, /did you mean 'and'/],
  ['fast > and', 'syntax', 8, /not the word 'and'/],
  ['true', 'syntax', 1, /not the word 'true'/],
  ['fast.value > 1', 'unknown_name', 1, /the names are fast, slow/],
  ['fast. value > 1', 'syntax', 5, /an output is written id.output/],
  ['fast > 1e999', 'number', 8, /too large/],
  ['fast > “1”', 'syntax', 8, /'“' is not part/],
  ['', 'syntax', 1, /the end of the rule/],
  ['fats > 1', 'unknown_name', 1, /did you mean 'fast'/],
  ['close > zzzzzzz', 'unknown_name', 9, /the names are fast, slow/],
])('%j is refused as %s at column %d', (text, code, column, message) => {
  const { ast, errors } = parseRule(text, names)
  expect(ast).toBeNull()
  expect(errors[0]).toMatchObject({ code, column })
  expect(errors[0]?.message).toMatch(message)
})

test('every unknown name is reported', () => {
  const { errors } = parseRule('fats > slwo and rsi14 > 3', names)
  expect(errors.map(error => error.column)).toEqual([1, 8, 17])
})

test('a name that every object has is unknown', () => {
  expect(parseRule('constructor > 1', names).errors).toHaveLength(1)
})

test.each([
  ['parentheses', `${'('.repeat(900)}1 > 0${')'.repeat(900)}`, 'too_deep'],
  ['minus signs', `${'-'.repeat(1900)}1 > 0`, 'too_deep'],
  ['nots', `${'not '.repeat(490)}1 > 0`, 'too_deep'],
  ['text', `1 > ${'0'.repeat(100_000)}`, 'too_long'],
])('too many %s are refused without a crash', (_name, text, code) => {
  expect(parseRule(text, names).errors[0]).toMatchObject({ code })
})

test('64 levels of parentheses are accepted', () => {
  expect(parseRule(`${'('.repeat(64)}1 > 0${')'.repeat(64)}`, names).ast).not.toBeNull()
})
