import type { BooleanNode, NumericNode } from './ast.ts'

type Columns = Readonly<Record<string, Float64Array>>
type NumberAt = (i: number) => number
/** 1 true, 0 false, −1 unknown because an operand is NaN. */
type TruthAt = (i: number) => number

/**
 * Turns a rule into closures over its columns: parsed once, then called per bar.
 * The result is false on every bar where any operand the rule names is NaN (for crosses also on the bar
 * before), whatever `not`, `or` and `!=` would make of it: an unknown stays unknown up to the top. Division
 * by zero is NaN, so a rule with one is false on that bar.
 * `a crosses above b` at i: a[i−1] ≤ b[i−1] and a[i] > b[i]; `below` mirrored. On bar 0 nothing crosses.
 * @param columns one value per bar for every name the rule refers to
 * @throws {TypeError} when a column is missing: the rule was parsed with other names
 */
export function compileRule(ast: BooleanNode, columns: Columns): (i: number) => boolean {
  const truth = compileBoolean(ast, columns)
  return i => truth(i) === 1
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

function numericLookback(ast: NumericNode, lookbacks: Readonly<Record<string, number>>): number {
  let longest = 0
  for (const name of ruleNames(ast)) {
    if (Object.hasOwn(lookbacks, name)) longest = Math.max(longest, lookbacks[name] ?? 0)
  }
  return longest
}

function compileBoolean(ast: BooleanNode, columns: Columns): TruthAt {
  switch (ast.kind) {
    case 'and':
    case 'or':
      return compileJunction(ast.kind, compileBoolean(ast.left, columns), compileBoolean(ast.right, columns))
    case 'not': {
      const operand = compileBoolean(ast.operand, columns)
      return i => {
        const truth = operand(i)
        return truth === -1 ? -1 : 1 - truth
      }
    }
    case 'compare':
      return compileComparison(ast, columns)
    case 'cross': {
      const left = compileNumeric(ast.left, columns)
      const right = compileNumeric(ast.right, columns)
      return ast.direction === 'above' ? compileCross(left, right) : compileCross(right, left)
    }
    default:
      return ast satisfies never
  }
}

/** Both sides are always read: an unknown side makes the whole unknown. */
function compileJunction(kind: 'and' | 'or', left: TruthAt, right: TruthAt): TruthAt {
  const isAnd = kind === 'and'
  return i => {
    const a = left(i)
    const b = right(i)
    if (a === -1 || b === -1) return -1
    return isAnd ? a & b : a | b
  }
}

function compileComparison(ast: BooleanNode & { kind: 'compare' }, columns: Columns): TruthAt {
  const left = compileNumeric(ast.left, columns)
  const right = compileNumeric(ast.right, columns)
  const known =
    (compare: (a: number, b: number) => boolean): TruthAt =>
    i => {
      const a = left(i)
      const b = right(i)
      if (Number.isNaN(a) || Number.isNaN(b)) return -1
      return compare(a, b) ? 1 : 0
    }
  switch (ast.operator) {
    case '<':
      return known((a, b) => a < b)
    case '<=':
      return known((a, b) => a <= b)
    case '>':
      return known((a, b) => a > b)
    case '>=':
      return known((a, b) => a >= b)
    case '==':
      return known((a, b) => a === b)
    case '!=':
      return known((a, b) => a !== b)
    default:
      return ast.operator satisfies never
  }
}

/** `rising` was not above `other` and now is. */
function compileCross(rising: NumberAt, other: NumberAt): TruthAt {
  return i => {
    if (i === 0) return -1
    const before = rising(i - 1)
    const otherBefore = other(i - 1)
    const now = rising(i)
    const otherNow = other(i)
    if (Number.isNaN(before) || Number.isNaN(otherBefore) || Number.isNaN(now) || Number.isNaN(otherNow))
      return -1
    return before <= otherBefore && now > otherNow ? 1 : 0
  }
}

function compileNumeric(ast: NumericNode, columns: Columns): NumberAt {
  switch (ast.kind) {
    case 'number': {
      const { value } = ast
      return () => value
    }
    case 'reference': {
      const column = Object.hasOwn(columns, ast.name) ? columns[ast.name] : undefined
      if (column === undefined)
        throw new TypeError(`the rule refers to '${ast.name}', but there is no such column`)
      return i => column[i] as number
    }
    case 'negate': {
      const operand = compileNumeric(ast.operand, columns)
      return i => -operand(i)
    }
    case 'arithmetic':
      return compileArithmetic(
        ast.operator,
        compileNumeric(ast.left, columns),
        compileNumeric(ast.right, columns),
      )
    default:
      return ast satisfies never
  }
}

function compileArithmetic(operator: '+' | '-' | '*' | '/', left: NumberAt, right: NumberAt): NumberAt {
  switch (operator) {
    case '+':
      return i => left(i) + right(i)
    case '-':
      return i => left(i) - right(i)
    case '*':
      return i => left(i) * right(i)
    case '/':
      return i => {
        const divisor = right(i)
        return divisor === 0 ? Number.NaN : left(i) / divisor
      }
    default:
      return operator satisfies never
  }
}
