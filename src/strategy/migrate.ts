import { type Document, isMap, isScalar, isSeq, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { findLabelTool, indicatorTypes } from '../indicators/registry.ts'
import { type FieldError, Problem } from '../problems.ts'
import { findFormerGrammar } from './former-grammar.ts'
import { formerIndicatorTypes, formerMembershipTypes } from './former-names.ts'
import { nearest } from './nearest.ts'
import { findOversized } from './oversized.ts'
import { pointerTo } from './schema-errors.ts'
import { fieldOf, isRecord } from './written.ts'
import { type Path, readYaml, type YamlSource } from './yaml-source.ts'

const idPattern = /^[a-zA-Z][a-zA-Z0-9_]{0,63}$/

/** What is noted while a document is changed. */
class Notes {
  readonly changes: string[] = []
  readonly errors: FieldError[] = []
  private readonly source: YamlSource

  constructor(source: YamlSource) {
    this.source = source
  }

  /** @param path as long as the document is as it was written there */
  refuse(path: Path, message: string): void {
    const position = this.source.locate(path, 'key')
    this.errors.push({ pointer: pointerTo(path), code: 'not_migratable', message, ...position })
  }
}

/**
 * Brings a strategy of version 1 or 2 to version 3: the list of indicators becomes a map by `feature_id` (else `name`),
 * every fuzzy set names the indicator of its own key, and `nn_inputs` are all fuzzy sets on all timeframes. Comments
 * stay where their part stays. A text of version 3 is answered as it is. The result may still have faults: what the
 * former versions let pass, such as keys without effect, is left for `parseStrategy` to show.
 * @returns the text, and each change in words; none when it is version 3 already
 * @throws {Problem} 'strategy-invalid' when the text is not YAML, or indicators cannot become a map by id
 */
export function migrateStrategy(yamlText: string): {
  readonly yaml: string
  readonly changes: readonly string[]
} {
  const source = readYaml(yamlText)
  const { document, value } = source
  if (!isRecord(value))
    throw new Problem('strategy-invalid', 'the text is not a map of keys: nothing can be migrated')
  const [oversized] = findOversized(value)
  if (oversized !== undefined) throw new Problem('strategy-invalid', oversized.message)
  if (findFormerGrammar(value) === null) return { yaml: yamlText, changes: [] }
  const notes = new Notes(source)
  const ids = migrateIndicators(document, notes)
  const sets = migrateFuzzySets(document, ids, notes)
  if (notes.errors.length > 0) {
    throw new Problem('strategy-invalid', `the strategy cannot be migrated: ${notes.errors[0]?.message}`, {
      errors: notes.errors,
      hint: 'Give every indicator an id of its own (feature_id), and every fuzzy set the id of its indicator.',
    })
  }
  addInputs(document, sets, notes)
  setVersion(document, fieldOf(value, 'version'), notes)
  return { yaml: document.toString({ lineWidth: 0 }), changes: notes.changes }
}

/** @returns the ids, in the order of the list */
function migrateIndicators(document: Document, notes: Notes): readonly string[] {
  const list = document.get('indicators')
  const map = new YAMLMap<Scalar<string>, Node>()
  if (!isSeq<Node>(list)) return []
  list.items.forEach((item, i) => {
    const entry = readEntry(item, key => map.has(key))
    if (typeof entry === 'string' || !isMap(item)) {
      notes.refuse(['indicators', i], `indicator ${i + 1} ${String(entry)}`)
      return
    }
    const { id, type } = entry
    const known = nameIndicatorType(type)
    for (const key of ['feature_id', 'name', 'type']) item.delete(key)
    item.items.unshift(new Pair(new Scalar('type'), new Scalar(known)))
    map.items.push(new Pair(moveComment(item, new Scalar(id)), item))
    if (known !== type) notes.changes.push(`indicators: '${type}' is called '${known}' now`)
  })
  if (typeof list.commentBefore === 'string') map.commentBefore = list.commentBefore
  if (typeof list.comment === 'string') map.comment = list.comment
  document.set('indicators', map)
  notes.changes.unshift('indicators: the list is a map by feature_id now')
  return map.items.map(({ key }) => key.value)
}

/** Id and type of an entry of the list, or what keeps it from having them. */
function readEntry(
  item: Node,
  isTaken: (id: string) => boolean,
): { readonly id: string; readonly type: string } | string {
  if (!isMap(item)) return 'is not a map'
  const id = item.get('feature_id') ?? item.get('name')
  const type = item.get('type') ?? item.get('name')
  if (typeof id !== 'string' || !idPattern.test(id))
    return "has no feature_id or name of letters, digits and '_' that can be its id"
  if (typeof type !== 'string') return 'has no name or type that says what it is'
  if (isTaken(id)) return `would have the id '${id}' as another has: give each a feature_id`
  if (findLabelTool(type.toLowerCase()) !== undefined)
    return `is a ${type}, which repaints: it can label, but not be an indicator`
  return { id, type }
}

/** The name the type has today; as written where there is none. */
function nameIndicatorType(written: string): string {
  const type = written.toLowerCase()
  return formerIndicatorTypes.get(type) ?? (indicatorTypes.includes(type) ? type : written)
}

/** A comment above a map stands above the key it is given. */
function moveComment(item: Node, key: Scalar<string>): Scalar<string> {
  if (typeof item.commentBefore === 'string') key.commentBefore = item.commentBefore
  if (item.spaceBefore === true) key.spaceBefore = true
  item.commentBefore = null
  item.spaceBefore = false
  return key
}

/** The comment that stands before the first entry of a map is the map's own: it goes with that entry. */
function unshiftPair(map: YAMLMap, key: string, value: string): void {
  const first = map.items[0]?.key
  if (typeof map.commentBefore === 'string' && isScalar(first)) {
    first.commentBefore = map.commentBefore
    map.commentBefore = null
  }
  map.items.unshift(new Pair(new Scalar(key), new Scalar(value)))
}

/** @returns the keys of the sets */
function migrateFuzzySets(document: Document, ids: readonly string[], notes: Notes): readonly string[] {
  const sets = document.get('fuzzy_sets')
  if (!isMap<Node, Node | null>(sets)) return []
  const keys: string[] = []
  for (const { key, value: set } of sets.items) {
    const id = isScalar(key) ? String(key.value) : ''
    keys.push(id)
    if (!isMap(set)) continue
    nameMembershipTypes(id, set, notes)
    if (set.has('indicator')) continue
    if (!ids.includes(id)) {
      const guess = nearest(id, ids)
      const hint = guess === null ? '' : `: did you mean '${guess}'?`
      notes.refuse(['fuzzy_sets', id], `the fuzzy set '${id}' is called like no indicator${hint}`)
      continue
    }
    unshiftPair(set, 'indicator', id)
    notes.changes.push(`fuzzy_sets: '${id}' names its indicator`)
  }
  return keys
}

function nameMembershipTypes(id: string, set: YAMLMap, { changes }: Notes): void {
  for (const { value: term } of set.items) {
    if (!isMap(term)) continue
    const type = term.get('type')
    const known = typeof type === 'string' ? formerMembershipTypes.get(type) : undefined
    if (known === undefined) continue
    term.set('type', known)
    changes.push(`fuzzy_sets: '${String(type)}' in '${id}' is called '${known}' now`)
  }
}

/** Before `model`, where people look for it; at the end where there is none. */
function addInputs(document: Document, sets: readonly string[], { changes }: Notes): void {
  const { contents } = document
  if (sets.length === 0 || !isMap(contents) || contents.has('nn_inputs')) return
  const inputs = new YAMLSeq()
  for (const fuzzy_set of sets) {
    const input = document.createNode({ fuzzy_set, timeframes: 'all' }, { flow: true })
    inputs.items.push(input)
  }
  const at = contents.items.findIndex(({ key }) => isScalar(key) && key.value === 'model')
  contents.items.splice(at === -1 ? contents.items.length : at, 0, new Pair(new Scalar('nn_inputs'), inputs))
  changes.push('nn_inputs: every fuzzy set on all timeframes')
}

function setVersion(document: Document, former: unknown, { changes }: Notes): void {
  const version = new Scalar('3.0')
  version.type = 'QUOTE_DOUBLE'
  const { contents } = document
  if (former !== undefined || !isMap(contents)) document.set('version', version)
  else {
    const name = contents.items.findIndex(({ key }) => isScalar(key) && key.value === 'name')
    contents.items.splice(name + 1, 0, new Pair(new Scalar('version'), version))
  }
  changes.push(`version: "3.0"${former === undefined ? '' : ` instead of ${JSON.stringify(former)}`}`)
}
