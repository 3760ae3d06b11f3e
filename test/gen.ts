import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { drawTransitions } from '../src/operations/lifecycle.ts'

/**
 * Writes every generated file. With `--check` it writes nothing and fails when one of them is stale.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const check = process.argv.includes('--check')

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null

/** The strategy grammar as a JSON Schema of its own: the component and everything it refers to. */
function strategySchema(): string {
  const document = parse(readFileSync(`${root}openapi.yaml`, 'utf8'))
  const schemas: Record<string, Json> = document.components.schemas
  const definitions: Record<string, Json> = {}
  const visit = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(visit)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, key === '$ref' ? refer(String(item)) : visit(item)]),
    )
  }
  const refer = (reference: string): string => {
    const name = reference.slice('#/components/schemas/'.length)
    if (!(name in definitions)) {
      definitions[name] = null
      definitions[name] = visit(schemas[name] ?? null)
    }
    return `#/$defs/${name}`
  }
  const strategy = visit(schemas.Strategy ?? null) as { [key: string]: Json }
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...strategy, $defs: definitions }
  return `/** Generated from openapi.yaml by \`npm run gen\`. */\nexport const strategySchema = ${JSON.stringify(schema, null, 2)} as const\n`
}

function apiTypes(): string {
  const types = execFileSync(
    'npx',
    ['--no-install', 'openapi-typescript', 'openapi.yaml', '--default-non-nullable=false'],
    {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  return types.slice(types.indexOf('/**'))
}

/** README with the picture of the transition table in its place. */
function readme(): string {
  const text = readFileSync(`${root}README.md`, 'utf8')
  return text.replace(
    /(<!-- statuses -->\n)[\s\S]*?(<!-- \/statuses -->)/,
    (_all, open, close) => `${open}\`\`\`mermaid\n${drawTransitions()}\n\`\`\`\n${close}`,
  )
}

const outputs: Record<string, () => string> = {
  'src/openapi.gen.ts': apiTypes,
  'src/strategy/schema.gen.ts': strategySchema,
  'README.md': readme,
}

const stale = Object.entries(outputs).filter(([file, make]) => {
  const text = make()
  if (text === readFileSync(root + file, 'utf8')) return false
  if (!check) writeFileSync(root + file, text)
  return true
})
for (const [file] of stale) console.log(`${check ? 'stale' : 'written'}: ${file}`)
if (check && stale.length > 0) process.exit(1)
