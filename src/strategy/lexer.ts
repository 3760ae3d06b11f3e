/** A fault in a rule. `column` is the 1-based character of the rule text. */
export type RuleError = { readonly code: string; readonly message: string; readonly column: number }

/** Thrown inside this room to leave the recursion; `parseRule` turns it into data. */
export class RuleSyntaxError extends Error {
  readonly fault: RuleError

  constructor(fault: RuleError) {
    super(fault.message)
    this.fault = fault
  }
}

export type Token = {
  readonly kind: 'number' | 'name' | 'operator' | 'end'
  readonly text: string
  /** 1-based. */
  readonly column: number
}

/** Words of the language and bar fields: an indicator may not be called so. */
export const reservedNames: readonly string[] = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'and',
  'or',
  'not',
  'crosses',
  'above',
  'below',
  'true',
  'false',
]

/** Characters of a rule. */
export const maxRuleLength = 2000

const pattern =
  /\s+|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)|(?<operator><=|>=|==|!=|[-+*/()<>])/y

const advice: Readonly<Record<string, string>> = {
  '=': "use '==' to compare",
  '&': "use 'and'",
  '|': "use 'or'",
  '!': "use 'not'",
  '.': 'an output is written id.output, without spaces',
  '%': 'there is no percent or remainder operator',
  '^': 'there is no power operator',
}

/** The tokens of a rule, ended by one of kind `end`. @throws {RuleSyntaxError} at a character that starts no token */
export function tokenise(text: string): readonly Token[] {
  if (text.length > maxRuleLength) {
    const message = `the rule has ${text.length} characters, but at most ${maxRuleLength} are read`
    throw new RuleSyntaxError({ code: 'too_long', message, column: 1 })
  }
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
      const hint = advice[character]
      const message = `'${character}' is not part of the rule language${hint === undefined ? '' : `: ${hint}`}`
      throw new RuleSyntaxError({ code: 'syntax', message, column: at + 1 })
    }
    const { number, name, operator } = match.groups ?? {}
    const column = at + 1
    if (number !== undefined) tokens.push({ kind: 'number', text: number, column })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, column })
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator, column })
    at = pattern.lastIndex
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 })
  return tokens
}
