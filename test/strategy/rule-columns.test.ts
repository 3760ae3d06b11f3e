import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BooleanNode, NumericNode } from '../../src/strategy/ast.ts'
import { blockBars, RuleScratch } from '../../src/strategy/column-scratch.ts'
import { compileRule } from '../fixtures/compile-rule.ts'

type Columns = Readonly<Record<string, Float64Array>>
type Truth = boolean | 'unknown'

const column = 1
const names = ['a', 'b', 'c'] as const

/** Bar by bar, as the documentation of the rules says it. */
function numberAt(node: NumericNode, columns: Columns, i: number): number {
  switch (node.kind) {
    case 'number':
      return node.value
    case 'reference':
      return columns[node.name]?.[i] ?? Number.NaN
    case 'negate':
      return -numberAt(node.operand, columns, i)
    default: {
      const left = numberAt(node.left, columns, i)
      const right = numberAt(node.right, columns, i)
      if (node.operator === '/') return right === 0 ? Number.NaN : left / right
      return node.operator === '+' ? left + right : node.operator === '-' ? left - right : left * right
    }
  }
}

function truthAt(node: BooleanNode, columns: Columns, i: number): Truth {
  switch (node.kind) {
    case 'not': {
      const truth = truthAt(node.operand, columns, i)
      return truth === 'unknown' ? truth : !truth
    }
    case 'and':
    case 'or': {
      const left = truthAt(node.left, columns, i)
      const right = truthAt(node.right, columns, i)
      if (left === 'unknown' || right === 'unknown') return 'unknown'
      return node.kind === 'and' ? left && right : left || right
    }
    case 'compare': {
      const left = numberAt(node.left, columns, i)
      const right = numberAt(node.right, columns, i)
      if (Number.isNaN(left) || Number.isNaN(right)) return 'unknown'
      const order = { '<': left < right, '<=': left <= right, '>': left > right, '>=': left >= right }
      return node.operator === '=='
        ? left === right
        : node.operator === '!='
          ? left !== right
          : order[node.operator]
    }
    default: {
      if (i === 0) return 'unknown'
      const sign = node.direction === 'above' ? 1 : -1
      const [before, now] = [i - 1, i].map(at => [
        sign * numberAt(node.left, columns, at),
        sign * numberAt(node.right, columns, at),
      ]) as [[number, number], [number, number]]
      if ([...before, ...now].some(Number.isNaN)) return 'unknown'
      return before[0] <= before[1] && now[0] > now[1]
    }
  }
}

const { numeric, rule } = fc.letrec<{ numeric: NumericNode; rule: BooleanNode }>(tie => ({
  numeric: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...names).map(name => ({ kind: 'reference' as const, name, column })),
    fc.constantFrom(0, 1, 2, 3).map(value => ({ kind: 'number' as const, value, column })),
    tie('numeric').map(operand => ({ kind: 'negate' as const, operand, column })),
    fc
      .tuple(
        fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
        tie('numeric'),
        tie('numeric'),
      )
      .map(([operator, left, right]) => ({ kind: 'arithmetic' as const, operator, left, right, column })),
  ),
  rule: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(
        fc.constantFrom(
          '<' as const,
          '<=' as const,
          '>' as const,
          '>=' as const,
          '==' as const,
          '!=' as const,
        ),
        tie('numeric'),
        tie('numeric'),
      )
      .map(([operator, left, right]) => ({ kind: 'compare' as const, operator, left, right, column })),
    fc
      .tuple(fc.constantFrom('above' as const, 'below' as const), tie('numeric'), tie('numeric'))
      .map(([direction, left, right]) => ({ kind: 'cross' as const, direction, left, right, column })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), tie('rule'), tie('rule'))
      .map(([kind, left, right]) => ({ kind, left, right, column })),
    tie('rule').map(operand => ({ kind: 'not' as const, operand, column })),
  ),
}))

const values = [Number.NaN, Number.NEGATIVE_INFINITY, -1, -0, 0, 1, 2, 3]

/** A column of few different values, so that they are often equal, zero or unknown. */
function columnOf(length: number, seed: number): Float64Array {
  let state = seed
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return values[(state >>> 16) % values.length] ?? Number.NaN
  })
}

const lengths = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  fc.integer({ min: blockBars - 1, max: blockBars + 2 }),
  fc.constant(2 * blockBars + 1),
)

test('a rule evaluated over columns is what it is bar by bar, whatever is unknown', () => {
  const scratch = new RuleScratch()
  fc.assert(
    fc.property(rule, lengths, fc.nat(50), fc.integer(), (ast, length, from, seed) => {
      const columns = Object.fromEntries(names.map((name, k) => [name, columnOf(length, seed + k)]))
      const signal = new Uint8Array(length)
      compileRule(ast, columns, scratch)(signal, from)
      const expected = Array.from(signal, (_, i) => (i >= from && truthAt(ast, columns, i) === true ? 1 : 0))
      expect([...signal]).toEqual(expected)
    }),
    { numRuns: 400 },
  )
})

test('what is before the first bar asked for stays as it is', () => {
  const signal = new Uint8Array(6).fill(9)
  const ast = {
    kind: 'compare',
    operator: '>',
    left: { kind: 'reference', name: 'a', column },
    right: { kind: 'number', value: 1, column },
    column,
  } as const
  compileRule(ast, { a: Float64Array.of(2, 2, 2, 0, 2, 0) })(signal, 3)
  expect([...signal]).toEqual([9, 9, 9, 0, 1, 0])
})

test('a rule evaluated again and with the scratch of others gives the same', () => {
  fc.assert(
    fc.property(fc.array(rule, { minLength: 2, maxLength: 4 }), fc.integer(), (asts, seed) => {
      const columns = Object.fromEntries(names.map((name, k) => [name, columnOf(60, seed + k)]))
      const scratch = new RuleScratch()
      const shared = asts.map(ast => compileRule(ast, columns, scratch))
      const evaluate = (run: (typeof shared)[number]) => {
        const signal = new Uint8Array(60)
        run(signal, 0)
        return signal
      }
      const first = shared.map(evaluate)
      expect(shared.map(evaluate)).toEqual(first)
      expect(asts.map(ast => evaluate(compileRule(ast, columns)))).toEqual(first)
    }),
  )
})

test('an expression of numbers alone is compared as such', () => {
  fc.assert(
    fc.property(numeric, numeric, (left, right) => {
      const columns = { a: Float64Array.of(1), b: Float64Array.of(2), c: Float64Array.of(Number.NaN) }
      const ast = { kind: 'compare', operator: '<=', left, right, column } as const
      const signal = new Uint8Array(1)
      compileRule(ast, columns)(signal, 0)
      expect(signal[0] === 1).toBe(truthAt(ast, columns, 0) === true)
    }),
  )
})
