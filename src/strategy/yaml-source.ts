import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import { type FieldError, Problem } from '../problems.ts'

/** UTF-8 bytes of a strategy file. */
export const maxYamlBytes = 256 * 1024

/** Lines and signs of a file: the time of the parser grows with what stands between them. */
export const maxYamlPieces = 6000
const pieces = /[\n,:[\]{}&*!"']/g

/** Uses of `*alias` in a file, counting what they multiply to. */
const maxAliases = 50

/** Nesting of lists and maps written with brackets or on one line. */
export const maxYamlDepth = 32
const dashes = new RegExp(`(?:[-?:][ \\t]+){${maxYamlDepth}}`)

/** Nesting by indentation, estimated: one level for each column at which something starts. */
const maxIndents = 64

/** Where in the structure: keys of maps and indexes of lists, from the top. */
export type Path = readonly (string | number)[]

export type Position = { readonly line: number; readonly column: number }

/** A parsed YAML text that remembers where everything stands. */
export type YamlSource = {
  /** With its comments, for those who change the text. */
  readonly document: Document
  /** Plain data. */
  readonly value: unknown
  /** 1-based position of the value at `path`, or of its key; of the nearest parent where it is absent. */
  locate(path: Path, part: 'key' | 'value'): Position
  /** Position of character `column` (1-based) of the text at `path`; of its start where lines are folded. */
  locateInText(path: Path, column: number): Position
}

/**
 * Reads YAML 1.2 (core schema): one document, string keys, no duplicate keys, no tags of its own.
 * @throws {Problem} 'strategy-invalid' with every fault of syntax and its position
 */
export function readYaml(text: string): YamlSource {
  // Every character takes a byte or more: a text that is too long need not be encoded to know it.
  const bytes = text.length > maxYamlBytes ? text.length : new TextEncoder().encode(text).length
  if (bytes > maxYamlBytes) {
    const message = `the text has ${bytes} bytes or more, but at most ${maxYamlBytes} are read`
    throw new Problem('strategy-invalid', message)
  }
  if (hasTooManyPieces(text)) {
    const message = `the text has too many lines, commas, colons, brackets, quotes and & * !: at most ${maxYamlPieces} are read`
    throw new Problem('strategy-invalid', message)
  }
  const tooDeep = 'the text is nested too deeply'
  if (isTooDeep(text)) throw new Problem('strategy-invalid', tooDeep)
  const lines = new LineCounter()
  try {
    const document = parse(text, lines)
    return {
      document,
      value: document.toJS({ maxAliasCount: maxAliases }),
      locate: (path, part) => positionAt(lines, findOffset(document, path, part)),
      locateInText: (path, column) => positionAt(lines, findTextOffset(document, text, { path, column })),
    }
  } catch (error) {
    // The parser recurses over nesting, and reports aliases that multiply or point nowhere as ReferenceError.
    if (error instanceof RangeError) throw new Problem('strategy-invalid', tooDeep)
    if (error instanceof ReferenceError) throw new Problem('strategy-invalid', error.message)
    throw error
  }
}

function parse(text: string, lines: LineCounter): Document {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    // Compares every key with every other: a file of keys would take seconds. See findRepeatedKeys.
    uniqueKeys: false,
    logLevel: 'error',
  })
  // An unknown tag is only a warning to the parser.
  const faults = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    code: code.toLowerCase(),
    message,
    offset: pos[0],
  }))
  if (faults.length === 0) faults.push(...findRepeatedKeys(document))
  if (faults.length === 0) return document
  const errors: FieldError[] = faults.slice(0, 50).map(({ code, message, offset }) => ({
    pointer: '',
    code,
    message,
    ...positionAt(lines, offset),
  }))
  throw new Problem('strategy-invalid', `the text is not valid YAML: ${errors[0]?.message}`, { errors })
}

function findRepeatedKeys(document: Document): { code: string; message: string; offset: number }[] {
  const repeated: { code: string; message: string; offset: number }[] = []
  const check = (map: YAMLMap) => {
    const seen = new Set<string>()
    for (const { key } of map.items) {
      if (!isScalar(key)) continue
      const name = String(key.value)
      const offset = key.range?.[0] ?? 0
      if (seen.has(name))
        repeated.push({ code: 'duplicate_key', message: `the key '${name}' occurs twice`, offset })
      seen.add(name)
    }
  }
  visit(document, { Map: (_, map) => check(map) })
  return repeated
}

function hasTooManyPieces(text: string): boolean {
  let count = 0
  for (const _ of text.matchAll(pieces)) if (++count > maxYamlPieces) return true
  return false
}

/** Whether brackets, dashes or indentation nest deeper than any strategy needs; those inside texts count too. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') depth++
    else if ((character === ']' || character === '}') && depth > 0) depth--
    if (depth > maxYamlDepth) return true
  }
  return dashes.test(text) || isIndentedTooDeep(text)
}

function isIndentedTooDeep(text: string): boolean {
  /** Columns of the blocks that are open, outermost first. */
  const open: number[] = []
  for (const line of text.split('\n')) {
    const start = line.search(/[^ \t\r]/)
    if (start === -1 || line[start] === '#') continue
    while ((open.at(-1) ?? -1) >= start) open.pop()
    open.push(start)
    // In `- - a`, every dash opens a block, and what follows the last one too.
    const [compact = ''] = /^(?:[-?:][ \t]+)*/.exec(line.slice(start)) ?? []
    for (const {
      index,
      0: { length },
    } of compact.matchAll(/[-?:][ \t]+/g))
      open.push(start + index + length)
    if (open.length > maxIndents) return true
  }
  return false
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/** The node at a path and the key that leads to it, as far down as the path exists. */
function findNode(
  document: Document,
  path: Path,
): { key: Node | null; value: Node | null; complete: boolean } {
  let key: Node | null = null
  let value = document.contents as Node | null
  for (const step of path) {
    if (isAlias(value)) value = value.resolve(document) ?? null
    if (isMap<Node, Node | null>(value)) {
      const pair = value.items.find(item => isScalar(item.key) && String(item.key.value) === String(step))
      if (pair === undefined) return { key, value, complete: false }
      key = pair.key
      value = pair.value
    } else if (isSeq<Node>(value) && typeof step === 'number' && value.items[step] !== undefined) {
      key = null
      value = value.items[step]
    } else return { key, value, complete: false }
  }
  return { key, value, complete: true }
}

function findOffset(document: Document, path: Path, part: 'key' | 'value'): number {
  const { key, value, complete } = findNode(document, path)
  const node = part === 'key' || !complete ? (key ?? value) : (value ?? key)
  return node?.range?.[0] ?? 0
}

function findTextOffset(document: Document, text: string, at: { path: Path; column: number }): number {
  const { value } = findNode(document, at.path)
  const node = isAlias(value) ? value.resolve(document) : value
  const start = node?.range?.[0]
  if (start === undefined || !isScalar(node) || typeof node.value !== 'string') return start ?? 0
  const quote = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0
  const first = start + quote
  return text.startsWith(node.value, first) ? first + at.column - 1 : start
}
