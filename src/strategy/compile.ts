import type { BooleanNode, NumericNode } from './ast.ts'
import {
  compareColumns,
  compareNumber,
  joinTruths,
  markUnknown,
  negateTruths,
  settleTruths,
  type TruthStretch,
  unknown,
} from './column-loops.ts'
import { compileNumeric, type Place } from './column-operands.ts'
import { blockBars, RuleScratch } from './column-scratch.ts'
import { Crosses } from './crosses.ts'

/** Writes 1 or 0 for every bar in `from` ≤ i < `to`, one column per rule; what lies outside stays as it is. */
export type Rules = (signals: readonly Uint8Array[], from: number, to: number) => void

/**
 * Turns rules into loops over their columns, some thousand bars at a time: parsed once, and then nothing but those
 * loops runs per bar.
 * A rule is false on every bar where any operand it names is NaN (for crosses also on the bar
 * before), whatever `not`, `or` and `!=` would make of it: an unknown stays unknown up to the top. Division
 * by zero is NaN, so a rule with one is false on that bar.
 * `a crosses above b` at i: a[i−1] ≤ b[i−1] and a[i] > b[i]; `below` mirrored. On bar 0 nothing crosses.
 * @param columns one value per bar for every name the rules refer to, read while they run: of a window there must
 * then be the bars that are written and the one before them
 * @param scratch of rules that are run one after the other
 * @throws {TypeError} when a column is missing: a rule was parsed with other names
 */
export function compileRules(
  asts: readonly BooleanNode[],
  columns: Place['columns'],
  scratch = new RuleScratch(),
): Rules {
  const crosses = new Crosses()
  const fills = asts.map(ast => compileBoolean(ast, { columns, scratch, crosses, level: 0, marks: false }))
  return (signals, from, to) => {
    for (let start = from; start < to; start += blockBars) {
      const count = Math.min(blockBars, to - start)
      crosses.forget()
      fills.forEach((fill, k) => {
        fill(start, count, { truths: signals[k] as Uint8Array, at: start })
      })
    }
  }
}

/**
 * Index of the first bar where no operand of the rule is in its warm-up; a cross needs one bar more.
 * @param lookbacks index of the first value per name; 0 for names it does not hold, such as bar fields
 */
export function ruleLookback(ast: BooleanNode, lookbacks: Readonly<Record<string, number>>): number {
  switch (ast.kind) {
    case 'and':
    case 'or':
      return Math.max(ruleLookback(ast.left, lookbacks), ruleLookback(ast.right, lookbacks))
    case 'not':
      return ruleLookback(ast.operand, lookbacks)
    case 'compare':
      return Math.max(numericLookback(ast.left, lookbacks), numericLookback(ast.right, lookbacks))
    case 'cross':
      return Math.max(numericLookback(ast.left, lookbacks), numericLookback(ast.right, lookbacks)) + 1
    default:
      return ast satisfies never
  }
}

/** The names a rule refers to. */
export function ruleNames(ast: BooleanNode | NumericNode, into = new Set<string>()): Set<string> {
  if (ast.kind === 'reference') into.add(ast.name)
  if ('operand' in ast) ruleNames(ast.operand, into)
  if ('left' in ast) {
    ruleNames(ast.left, into)
    ruleNames(ast.right, into)
  }
  return into
}

type BooleanPlace = Place & {
  readonly crosses: Crosses
  /**
   * Whether unknowns have to be marked as such. Under nothing but `and` one is as good as false, and nobody looks for
   * them.
   */
  readonly marks: boolean
}

/** Writes the truths of `count` bars from bar `start` on. */
type TruthFill = (start: number, count: number, into: TruthStretch) => void

function compileBoolean(ast: BooleanNode, place: BooleanPlace): TruthFill {
  switch (ast.kind) {
    case 'and':
      return compileJunction(ast, place)
    case 'or':
      return settled(compileJunction(ast, { ...place, marks: true }), place)
    case 'not': {
      const operand = compileBoolean(ast.operand, { ...place, marks: true })
      const negated: TruthFill = (start, count, into) => {
        operand(start, count, into)
        negateTruths(into, count)
      }
      return settled(negated, place)
    }
    case 'compare':
      return compileComparison(ast, place)
    case 'cross':
      return compileCross(ast, place)
    default:
      return ast satisfies never
  }
}

/** Without marks where nobody asks for them. */
function settled(fill: TruthFill, { marks }: BooleanPlace): TruthFill {
  if (marks) return fill
  return (start, count, into) => {
    fill(start, count, into)
    settleTruths(into, count)
  }
}

function compileJunction(ast: BooleanNode & { kind: 'and' | 'or' }, place: BooleanPlace): TruthFill {
  const left = compileBoolean(ast.left, place)
  const right = compileBoolean(ast.right, { ...place, level: place.level + 1 })
  const truths = place.scratch.truths(place.level)
  return (start, count, into) => {
    left(start, count, into)
    right(start, count, { truths, at: 0 })
    joinTruths(ast.kind, into, truths, count)
  }
}

function compileComparison(ast: BooleanNode & { kind: 'compare' }, place: BooleanPlace): TruthFill {
  const { operator, left, right } = ast
  if (operator !== '==' && operator !== '!=') {
    if (right.kind === 'number') return compileWithNumber(operator, left, right.value, place)
    if (left.kind === 'number') return compileWithNumber(mirrored[operator], right, left.value, place)
  }
  switch (operator) {
    case '>':
      return compileOfColumns('<', right, left, place)
    case '>=':
      return compileOfColumns('<=', right, left, place)
    default:
      return compileOfColumns(operator, left, right, place)
  }
}

/** What a comparison is with its sides exchanged. */
const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

function compileWithNumber(
  operator: keyof typeof mirrored,
  column: NumericNode,
  right: number,
  place: BooleanPlace,
): TruthFill {
  const left = compileNumeric(column, place)
  return (start, count, into) => {
    left.fill(start, count)
    compareNumber(operator, { left, right }, into, count)
    if (place.marks) markUnknown(left, into, count)
  }
}

function compileOfColumns(
  operator: '<' | '<=' | '==' | '!=',
  leftNode: NumericNode,
  rightNode: NumericNode,
  place: BooleanPlace,
): TruthFill {
  const left = compileNumeric(leftNode, place)
  const right = compileNumeric(rightNode, { ...place, level: place.level + 1 })
  return (start, count, into) => {
    left.fill(start, count)
    right.fill(start, count)
    compareColumns(operator, { left, right }, into, count)
    if (!place.marks) return
    markUnknown(left, into, count)
    markUnknown(right, into, count)
  }
}

function compileCross(ast: BooleanNode & { kind: 'cross' }, place: BooleanPlace): TruthFill {
  const left = compileNumeric(ast.left, place)
  const right = compileNumeric(ast.right, { ...place, level: place.level + 1 })
  const pair = place.crosses.pair(ast.left, ast.right)
  const direction = ast.direction === 'above' ? 'up' : 'down'
  return (start, count, { truths, at }) => {
    // Bar 0 has none before it.
    const skipped = start === 0 ? 1 : 0
    if (skipped === 1) truths[at] = place.marks ? unknown : 0
    const rest = { truths, at: at + skipped }
    // Both are looked at from the bar before the first. The left one first: it uses the scratch columns of the right one.
    if (!pair.isKnown || place.marks)
      for (const operand of [left, right]) operand.fill(start + skipped - 1, count - skipped + 1)
    if (!pair.isKnown) pair.find(left, right, count - skipped)
    pair.write(direction, rest, count - skipped)
    if (!place.marks) return
    for (const operand of [left, right]) {
      markUnknown(operand, rest, count - skipped)
      markUnknown({ values: operand.values, at: operand.at + 1 }, rest, count - skipped)
    }
  }
}

function numericLookback(ast: NumericNode, lookbacks: Readonly<Record<string, number>>): number {
  let longest = 0
  for (const name of ruleNames(ast)) {
    if (Object.hasOwn(lookbacks, name)) longest = Math.max(longest, lookbacks[name] ?? 0)
  }
  return longest
}
