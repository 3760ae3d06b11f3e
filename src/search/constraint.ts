import type { BooleanNode, NumericNode } from '../strategy/ast.ts'
import { parseRule } from '../strategy/expression.ts'
import type { RuleError } from '../strategy/lexer.ts'
import type { FieldValues } from './field-path.ts'

/** What has to hold between the values of a trial. */
export type Constraint = {
  /** As written, with the values of fields that are not varied in place of their paths: it can be read without them. */
  readonly text: string
  readonly accepts: (values: FieldValues) => boolean
}

/** Names with points and brackets, which the rule language does not know. */
const paths = /[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d+\])+/g

/**
 * Reads a constraint such as `indicators.fast.period * 2 < indicators.slow.period`: a condition of the rule language,
 * without crosses, over paths of numbers.
 * @param varied paths whose values come with each trial
 * @param fixed other paths of the strategy, with their values
 */
export function parseConstraint(
  text: string,
  { varied, fixed }: { readonly varied: readonly string[]; readonly fixed: ReadonlyMap<string, number> },
):
  | { readonly constraint: Constraint; readonly errors: readonly [] }
  | { readonly constraint: null; readonly errors: readonly RuleError[] } {
  const known = [...new Set([...varied, ...fixed.keys()])]
  // A path becomes a plain name of the same length, so that the columns of errors stay what they are.
  const byName = new Map(known.map(path => [nameOf(path), path]))
  for (const [path] of text.matchAll(paths)) if (!byName.has(nameOf(path))) byName.set(nameOf(path), path)
  const toPaths = (message: string) => message.replaceAll(/\w+/g, word => byName.get(word) ?? word)
  const { ast, errors } = parseRule(text.replaceAll(paths, nameOf), known.map(nameOf))
  if (ast === null)
    return { constraint: null, errors: errors.map(error => ({ ...error, message: toPaths(error.message) })) }
  const cross = findCross(ast)
  if (cross !== null) {
    const message = 'there are no bars to cross on here: compare with < or >'
    return { constraint: null, errors: [{ code: 'cross', message, column: cross.column }] }
  }
  const read = (name: string): Quantity => {
    const path = byName.get(name) ?? name
    const value = Number(fixed.get(path))
    return varied.includes(path) ? values => Number(values[path]) : () => value
  }
  const inlined = text.replaceAll(paths, path => {
    const value = varied.includes(path) ? undefined : fixed.get(path)
    return value === undefined ? path : value < 0 ? `(${value})` : String(value)
  })
  return { constraint: { text: inlined, accepts: compileCondition(ast, read) }, errors: [] }
}

function nameOf(path: string): string {
  return path.replaceAll(/\W/g, '_')
}

function findCross(ast: BooleanNode): BooleanNode | null {
  if (ast.kind === 'cross') return ast
  if (ast.kind === 'compare') return null
  if (ast.kind === 'not') return findCross(ast.operand)
  return findCross(ast.left) ?? findCross(ast.right)
}

type Condition = (values: FieldValues) => boolean
type Quantity = (values: FieldValues) => number

/** A condition made ready to be asked of many points. @param read what a name stands for */
function compileCondition(ast: BooleanNode, read: (name: string) => Quantity): Condition {
  switch (ast.kind) {
    case 'and':
    case 'or': {
      const [left, right] = [compileCondition(ast.left, read), compileCondition(ast.right, read)]
      return ast.kind === 'and' ? at => left(at) && right(at) : at => left(at) || right(at)
    }
    case 'not': {
      const operand = compileCondition(ast.operand, read)
      return at => !operand(at)
    }
    case 'compare':
      return compare(ast.operator, compileQuantity(ast.left, read), compileQuantity(ast.right, read))
    case 'cross':
      throw new TypeError('the constraint has not been checked: it has a cross')
    default:
      return ast satisfies never
  }
}

function compare(
  operator: Extract<BooleanNode, { kind: 'compare' }>['operator'],
  left: Quantity,
  right: Quantity,
): Condition {
  switch (operator) {
    case '<':
      return at => left(at) < right(at)
    case '<=':
      return at => left(at) <= right(at)
    case '>':
      return at => left(at) > right(at)
    case '>=':
      return at => left(at) >= right(at)
    case '==':
      return at => left(at) === right(at)
    case '!=':
      return at => left(at) !== right(at)
    default:
      return operator satisfies never
  }
}

function compileQuantity(ast: NumericNode, read: (name: string) => Quantity): Quantity {
  switch (ast.kind) {
    case 'number': {
      const { value } = ast
      return () => value
    }
    case 'reference':
      return read(ast.name)
    case 'negate': {
      const operand = compileQuantity(ast.operand, read)
      return at => -operand(at)
    }
    case 'arithmetic':
      return calculate(ast.operator, compileQuantity(ast.left, read), compileQuantity(ast.right, read))
    default:
      return ast satisfies never
  }
}

function calculate(operator: '+' | '-' | '*' | '/', left: Quantity, right: Quantity): Quantity {
  switch (operator) {
    case '+':
      return at => left(at) + right(at)
    case '-':
      return at => left(at) - right(at)
    case '*':
      return at => left(at) * right(at)
    case '/':
      return at => left(at) / right(at)
    default:
      return operator satisfies never
  }
}
