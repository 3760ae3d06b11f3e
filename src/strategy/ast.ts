/** An expression whose value is a number. `column` is the 1-based character of the rule where it starts. */
export type NumericNode =
  | { readonly kind: 'number'; readonly value: number; readonly column: number }
  | { readonly kind: 'reference'; readonly name: string; readonly column: number }
  | { readonly kind: 'negate'; readonly operand: NumericNode; readonly column: number }
  | {
      readonly kind: 'arithmetic'
      readonly operator: '+' | '-' | '*' | '/'
      readonly left: NumericNode
      readonly right: NumericNode
      readonly column: number
    }

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!='

/** An expression whose value is true or false. */
export type BooleanNode =
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: NumericNode
      readonly right: NumericNode
      readonly column: number
    }
  | {
      readonly kind: 'cross'
      readonly direction: 'above' | 'below'
      readonly left: NumericNode
      readonly right: NumericNode
      readonly column: number
    }
  | {
      readonly kind: 'and' | 'or'
      readonly left: BooleanNode
      readonly right: BooleanNode
      readonly column: number
    }
  | { readonly kind: 'not'; readonly operand: BooleanNode; readonly column: number }

/** Whether the node's value is true or false. */
export function isBoolean(node: NumericNode | BooleanNode): node is BooleanNode {
  return (
    node.kind === 'compare' ||
    node.kind === 'cross' ||
    node.kind === 'and' ||
    node.kind === 'or' ||
    node.kind === 'not'
  )
}

/** Whether the text is a comparison operator. */
export function isComparison(text: string): text is Comparison {
  return text === '<' || text === '<=' || text === '>' || text === '>=' || text === '==' || text === '!='
}
