import { type Document, isAlias, isCollection, isScalar, type Node, visit } from 'yaml'
import { readYaml } from '../strategy/yaml-source.ts'
import { type FieldValues, parseFieldPath } from './field-path.ts'

/**
 * The text of a strategy with other values written in; comments and order stay as they are.
 * @param values by path; maps that are absent on the way are made
 */
export function writeValues(yamlText: string, values: FieldValues): string {
  const { document } = readYaml(yamlText)
  for (const [text, value] of Object.entries(values)) {
    const path = parseFieldPath(text)
    if (path === null) throw new TypeError(`${text} is no path of a field`)
    separateAliases(document, path)
    const present = document.getIn(path, true)
    // A text keeps how it is written only where it stays a text.
    if (isScalar(present) && typeof present.value === typeof value && typeof value !== 'string')
      present.value = value
    else document.setIn(path, value)
  }
  return document.toString({ lineWidth: 0 })
}

/** What several places share becomes their own on the way to a field, so that changing one changes no other. */
function separateAliases(document: Document, path: readonly (string | number)[]): void {
  for (let depth = 1; depth <= path.length; depth++) {
    const at = path.slice(0, depth)
    const node = document.getIn(at, true)
    if (isAlias(node)) {
      const copy = node.resolve(document)?.clone() as Node | undefined
      if (copy !== undefined) {
        forgetAnchors(copy)
        document.setIn(at, copy)
      }
    } else if ((isCollection(node) || isScalar(node)) && node.anchor !== undefined) {
      giveCopies(document, node.anchor, node)
    }
  }
}

/** Aliases of a node that is to change get copies of it as it is. */
function giveCopies(document: Document, anchor: string, node: Node): void {
  visit(document, {
    Alias: (_, alias) => {
      if (alias.source !== anchor) return undefined
      const copy = node.clone() as Node
      forgetAnchors(copy)
      return copy
    },
  })
}

function forgetAnchors(node: Node): void {
  visit(node, {
    Node: (_, part) => {
      if (isCollection(part) || isScalar(part)) delete part.anchor
    },
  })
}
