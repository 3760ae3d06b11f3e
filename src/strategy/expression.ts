import { type BooleanNode, isBoolean, isComparison, type NumericNode } from './ast.ts'
import { type RuleError, RuleSyntaxError, reservedNames, type Token, tokenise } from './lexer.ts'
import { nearest } from './nearest.ts'

/** Unknown names listed for one rule. */
const maxUnknownNames = 20

type Node = NumericNode | BooleanNode

/** Nesting of parentheses, `not` and minus signs. Chains of operators are bounded by the length of the rule. */
export const maxRuleDepth = 64

/**
 * Reads a rule. Binding, loosest first: or, and, not, comparisons and crosses (which do not chain), + -, * /,
 * unary minus. `#` comments and assignments do not exist.
 * @param names the names that may be referred to: indicator ids and bar fields
 * @returns the tree, or every fault found: unknown names (at most 20), or the first error of syntax or type
 */
export function parseRule(
  text: string,
  names: readonly string[],
):
  | { readonly ast: BooleanNode; readonly errors: readonly [] }
  | { readonly ast: null; readonly errors: readonly RuleError[] } {
  try {
    const parser = new RuleParser(tokenise(text), names)
    const ast = parser.parse()
    return parser.unknown.length === 0 ? { ast, errors: [] } : { ast: null, errors: parser.unknown }
  } catch (error) {
    if (!(error instanceof RuleSyntaxError)) throw error
    return { ast: null, errors: [error.fault] }
  }
}

class RuleParser {
  readonly unknown: RuleError[] = []
  private readonly tokens: readonly Token[]
  private readonly names: readonly string[]
  private at = 0
  private depth = 0

  constructor(tokens: readonly Token[], names: readonly string[]) {
    this.tokens = tokens
    this.names = names
  }

  parse(): BooleanNode {
    const node = this.or()
    if (this.token.kind !== 'end') this.refuseRest()
    if (isBoolean(node)) return node
    return this.fail(
      'type',
      'a rule must be true or false, but this is a number: compare it with something',
      node.column,
    )
  }

  private refuseRest(): never {
    const { kind, text, column } = this.token
    const guess = kind === 'name' ? nearest(text, ['and', 'or', 'crosses']) : null
    const hint = guess === null ? '' : `: did you mean '${guess}'?`
    return this.fail('syntax', `${show(this.token)} was not expected here${hint}`, column)
  }

  private or(): Node {
    let left = this.and()
    while (this.takeName('or')) {
      left = {
        kind: 'or',
        left: this.boolean(left, 'or'),
        right: this.boolean(this.and(), 'or'),
        column: left.column,
      }
    }
    return left
  }

  private and(): Node {
    let left = this.not()
    while (this.takeName('and')) {
      left = {
        kind: 'and',
        left: this.boolean(left, 'and'),
        right: this.boolean(this.not(), 'and'),
        column: left.column,
      }
    }
    return left
  }

  private not(): Node {
    const { column } = this.token
    if (!this.takeName('not')) return this.comparison()
    return {
      kind: 'not',
      operand: this.boolean(
        this.nested(() => this.not()),
        'not',
      ),
      column,
    }
  }

  private comparison(): Node {
    const left = this.sum()
    const operator = this.token
    if (isComparison(operator.text) && operator.kind === 'operator') {
      this.at++
      const right = this.numeric(this.sum(), operator.text)
      this.refuseChain()
      return {
        kind: 'compare',
        operator: operator.text,
        left: this.numeric(left, operator.text),
        right,
        column: left.column,
      }
    }
    if (!this.takeName('crosses')) return left
    const direction = this.token.text
    if (direction !== 'above' && direction !== 'below') {
      return this.fail('syntax', "'crosses' is followed by 'above' or 'below'", this.token.column)
    }
    this.at++
    const right = this.numeric(this.sum(), 'crosses')
    this.refuseChain()
    return { kind: 'cross', direction, left: this.numeric(left, 'crosses'), right, column: left.column }
  }

  private refuseChain(): void {
    const { text, column } = this.token
    if (!isComparison(text) && text !== 'crosses') return
    this.fail('syntax', "comparisons do not chain: write 'a < b and b < c'", column)
  }

  private sum(): Node {
    let left = this.product()
    for (let operator = this.token.text; operator === '+' || operator === '-'; operator = this.token.text) {
      this.at++
      left = {
        kind: 'arithmetic',
        operator,
        left: this.numeric(left, operator),
        right: this.numeric(this.product(), operator),
        column: left.column,
      }
    }
    return left
  }

  private product(): Node {
    let left = this.unary()
    for (let operator = this.token.text; operator === '*' || operator === '/'; operator = this.token.text) {
      this.at++
      left = {
        kind: 'arithmetic',
        operator,
        left: this.numeric(left, operator),
        right: this.numeric(this.unary(), operator),
        column: left.column,
      }
    }
    return left
  }

  private unary(): Node {
    const { text, column } = this.token
    if (text !== '-') return this.primary()
    this.at++
    return {
      kind: 'negate',
      operand: this.numeric(
        this.nested(() => this.unary()),
        '-',
      ),
      column,
    }
  }

  private primary(): Node {
    const { kind, text, column } = this.token
    if (kind === 'number') {
      this.at++
      const value = Number(text)
      if (!Number.isFinite(value)) this.fail('number', `${text} is too large`, column)
      return { kind: 'number', value, column }
    }
    if (kind === 'name') return this.reference()
    if (text !== '(') return this.fail('syntax', `a value was expected, not ${show(this.token)}`, column)
    this.at++
    const inner = this.nested(() => this.or())
    if (this.token.text !== ')')
      this.fail(
        'syntax',
        `the parenthesis of column ${column} is not closed before ${show(this.token)}`,
        this.token.column,
      )
    this.at++
    return inner
  }

  private reference(): Node {
    const { text: name, column } = this.token
    this.at++
    if (this.names.includes(name)) return { kind: 'reference', name, column }
    if (reservedNames.includes(name))
      this.fail('syntax', `a value was expected, not the word '${name}'`, column)
    if (this.unknown.length >= maxUnknownNames) return { kind: 'reference', name, column }
    const guess = nearest(name, [...this.names, 'and', 'or', 'not', 'crosses'])
    const hint = guess === null ? `the names are ${this.names.join(', ')}` : `did you mean '${guess}'?`
    this.unknown.push({ code: 'unknown_name', message: `there is no '${name}': ${hint}`, column })
    return { kind: 'reference', name, column }
  }

  private get token(): Token {
    return this.tokens[this.at] ?? { kind: 'end', text: '', column: 1 }
  }

  private takeName(word: string): boolean {
    if (this.token.kind !== 'name' || this.token.text !== word) return false
    this.at++
    return true
  }

  private nested<T>(read: () => T): T {
    if (this.depth >= maxRuleDepth)
      this.fail('too_deep', `the rule is nested more than ${maxRuleDepth} deep`, this.token.column)
    this.depth++
    const result = read()
    this.depth--
    return result
  }

  private numeric(node: Node, operator: string): NumericNode {
    if (!isBoolean(node)) return node
    return this.fail('type', `'${operator}' takes numbers, but this is true or false`, node.column)
  }

  private boolean(node: Node, word: string): BooleanNode {
    if (isBoolean(node)) return node
    return this.fail(
      'type',
      `'${word}' takes conditions, but this is a number: compare it with something`,
      node.column,
    )
  }

  private fail(code: string, message: string, column: number): never {
    // A misspelt word makes the syntax around it look wrong: the misspelling is the better message.
    throw new RuleSyntaxError(this.unknown[0] ?? { code, message, column })
  }
}

function show(token: Token): string {
  return token.kind === 'end' ? 'the end of the rule' : `'${token.text}'`
}
