import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import type { ParamSpec } from '../../src/indicators/params.ts'
import { indicators } from '../../src/indicators/registry.ts'

/** Every example and default of openapi.yaml is what its own schema allows, and every answer has one. */
type Node = { readonly [key: string]: unknown }
const document = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as Node

const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema({ $id: 'openapi.yaml', ...document })

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** The faults of a value by the schema at a pointer. */
function faultsOf(pointer: string, value: unknown): string[] {
  const uri = pointer.split('/').map(encodeURIComponent).join('/')
  const validate = ajv.compile({ $ref: `openapi.yaml#${uri}` })
  validate(value)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${pointer} ${instancePath} ${message}`)
}

function resolve(node: Node): Node {
  if (typeof node.$ref !== 'string') return node
  return node.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Node)[key.replaceAll('~1', '/')], document) as Node
}

/** Calls `visit` for every object of the document that is not inside an example. */
function walk(node: unknown, pointer: string, visit: (node: Node, pointer: string) => void): void {
  if (typeof node !== 'object' || node === null || pointer === '/components/examples') return
  if (!Array.isArray(node)) visit(node as Node, pointer)
  for (const [key, value] of Object.entries(node))
    if (!['example', 'examples', 'default', 'enum', 'const'].includes(key) || pointer.endsWith('/properties'))
      walk(value, `${pointer}/${escaped(key)}`, visit)
}

test('every example and every default is what its schema allows', () => {
  const faults: string[] = []
  let checked = 0
  const check = (pointer: string, value: unknown) => {
    checked++
    faults.push(...faultsOf(pointer, value))
  }
  walk(document, '', (node, pointer) => {
    if (Array.isArray(node.examples)) for (const example of node.examples) check(pointer, example)
    else if (typeof node.examples === 'object' && node.schema !== undefined)
      for (const example of Object.values(node.examples as Node))
        check(`${pointer}/schema`, resolve(example as Node).value)
    // A map of properties may have some that are called `type` and `default`.
    const isSchema = !pointer.endsWith('/properties') && ['type', 'enum', '$ref'].some(key => key in node)
    if ('default' in node && isSchema) check(pointer, node.default)
  })
  expect(faults).toEqual([])
  expect(checked).toBeGreaterThan(80)
})

test('every answer with a body has an example, and every shared example is used', () => {
  const missing: string[] = []
  const binary = /parquet|arrow|\*\/\*|html/
  walk(document, '', (node, pointer) => {
    if (node.responses === undefined || pointer === '/components') return
    for (const [status, response] of Object.entries(node.responses as Record<string, Node>)) {
      const content = (resolve(response).content ?? {}) as Record<string, Node>
      for (const [type, { examples }] of Object.entries(content))
        if (/^2/.test(status) && !binary.test(type) && examples === undefined)
          missing.push(`${pointer} ${status} ${type}`)
    }
  })
  expect(missing).toEqual([])
  const text = JSON.stringify(document)
  for (const name of Object.keys((document.components as Record<string, Node>).examples ?? {}))
    expect([name, text.includes(`"#/components/examples/${name}"`)]).toEqual([name, true])
})

test('the event transcript is a stream of events, each with an id and data of its schema', () => {
  const transcript = resolve({ $ref: '#/components/examples/EventTranscript' }).value as string
  const events = transcript.split('\n\n').filter(block => block.includes('event: '))
  expect(events.map(block => /^event: (.*)$/m.exec(block)?.[1])).toEqual([
    'snapshot',
    'progress',
    'metrics',
    'status',
  ])
  for (const block of events) {
    expect(block).toMatch(/^id: \d+\nevent: \w+\ndata: \{.*\}$/)
    const data = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '')
    expect(faultsOf('/components/schemas/OperationEvent', data)).toEqual([])
  }
})

test('the columns of every table shown are as long as it has rows', () => {
  for (const name of ['BarsTable', 'TradesTable', 'EquityTable']) {
    const { rows, columns } = resolve({ $ref: `#/components/examples/${name}` }).value as {
      rows: number
      columns: Record<string, unknown[]>
    }
    expect(Object.values(columns).map(column => column.length)).toEqual(Object.keys(columns).map(() => rows))
  }
})

test('the contract lists every indicator with its parameters, their bounds and defaults', () => {
  const { description } = resolve({ $ref: '#/components/schemas/StrategyIndicator' })
  const lines = indicators.map(({ type, title, params }) => {
    const list = Object.entries(params).map(([name, param]) => `\`${name}\` (${describeParam(param)})`)
    return `* \`${type}\` ${title}: ${list.length === 0 ? 'no parameters' : list.join(', ')}`
  })
  expect(String(description).match(/^\* .*$/gm)).toEqual(lines)
})

function describeParam(param: ParamSpec): string {
  switch (param.type) {
    case 'integer':
    case 'number':
      return `${param.min}–${param.max}, default ${param.default}`
    case 'boolean':
      return `true or false, default ${param.default}`
    default:
      return `${param.enum.join(', ')}; default ${param.default}`
  }
}
