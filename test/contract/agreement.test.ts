import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { metricDefinitions } from '../../src/backtest/metric-definitions.ts'
import { symbolForm } from '../../src/market/symbol.ts'
import { catalogue, operationTypes, paramsSchemaOf, resultSchemaOf } from '../../src/operations/catalogue.ts'
import { drawTransitions, statuses } from '../../src/operations/lifecycle.ts'
import { problems } from '../../src/problems.ts'
import { variables } from '../../src/variables.ts'
import { vendors } from '../../src/vendors/registry.ts'

/** What is said in two places must be the same in both: contract, catalogue, workers, problems, configuration, README. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(root + file, 'utf8')
const document = parse(read('openapi.yaml'))
const schemas = document.components.schemas
const readme = read('README.md')

const sources = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'workers'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter(file => file.endsWith('.ts') && !file.endsWith('.gen.ts') && existsSync(root + file))

test('the contract and the code list the same problem codes, and each is raised somewhere and explained', () => {
  expect([...schemas.ProblemCode.enum].sort()).toEqual(Object.keys(problems).sort())
  const code = sources
    .filter(file => file !== 'src/problems.ts')
    .map(read)
    .join('\n')
  for (const [name, problem] of Object.entries(problems)) {
    expect([name, code.includes(`'${name}'`)]).toEqual([name, true])
    expect(problem.title.length).toBeGreaterThan(10)
    expect(problem.advice.length).toBeGreaterThan(10)
  }
})

test('the contract, the catalogue and the workers list the same operation types', () => {
  expect([...schemas.OperationType.enum].sort()).toEqual([...operationTypes].sort())
  expect(Object.keys(schemas.OperationCreate.discriminator.mapping).sort()).toEqual(
    operationTypes.filter(type => catalogue[type].internal !== true).sort(),
  )
  const workers = operationTypes.flatMap(type => {
    const spec = catalogue[type]
    return spec.kind === 'worker' ? [spec.worker] : []
  })
  expect(
    readdirSync(`${root}workers`)
      .filter(
        file =>
          !['collect-garbage.ts', 'downloads.ts', 'harness.ts', 'reports.ts'].includes(file) &&
          !/^research-(?!report)/.test(file),
      )
      .sort(),
  ).toEqual(workers.sort())
  for (const type of operationTypes) {
    expect(schemas).toHaveProperty(paramsSchemaOf(type))
    expect(schemas).toHaveProperty(resultSchemaOf(type))
    expect(schemas.OperationType.description).toContain(`\`${type}\``)
    expect(readme).toContain(`\`${type}\``)
  }
})

test('the contract and the transition table list the same statuses', () => {
  expect(schemas.OperationStatus.enum).toEqual(statuses)
})

test('the contract and the registries list the same vendors and backtest metrics', () => {
  expect(schemas.VendorName.enum).toEqual(Object.keys(vendors))
  expect(schemas.MetricName.enum).toEqual(Object.keys(metricDefinitions))
  expect(Object.keys(schemas.BacktestMetrics.properties).sort()).toEqual(
    Object.keys(metricDefinitions).sort(),
  )
  expect([...schemas.BacktestMetrics.required].sort()).toEqual(Object.keys(metricDefinitions).sort())
})

test('the contract and the archive take the same symbols', () => {
  expect(schemas.Symbol.pattern).toBe(symbolForm.source)
})

test('every operation of the contract is described, tagged, and every 202 links on', () => {
  for (const path of Object.values<Record<string, Record<string, unknown>>>(document.paths)) {
    for (const [method, operation] of Object.entries(path)) {
      if (method === 'parameters') continue
      expect(operation).toMatchObject({
        operationId: expect.any(String),
        description: expect.any(String),
        tags: [expect.any(String)],
      })
      const responses = operation.responses as Record<string, { $ref?: string }>
      expect(responses.default).toEqual({ $ref: '#/components/responses/Problem' })
      const { $ref } = responses['202'] ?? {}
      if (responses['202'] !== undefined && operation.operationId !== 'drainWorker')
        expect($ref).toBe('#/components/responses/OperationAccepted')
    }
  }
  expect(Object.keys(document.components.responses.OperationAccepted.links)).toContain('getOperation')
  expect(Object.keys(document.components.responses.NodeDraining.links)).toContain('listWorkers')
})

test("README's picture of the statuses is the transition table's", () => {
  expect(readme).toContain(drawTransitions())
})

test("README's configuration table has every variable with its unit and default, and no other", () => {
  const rows = [...readme.matchAll(/^\| `((?:KTRDR|AWS)_\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, name, unit, fallback, about]) => [name, unit, fallback, about],
  )
  const machine = ['KTRDR_NODE', 'KTRDR_THREADS']
  const expected = Object.entries(variables).map(([name, variable]) => [
    name,
    variable.unit,
    machine.includes(name) ? 'of the machine' : variable.default === '' ? '' : `\`${variable.default}\``,
    variable.about,
  ])
  expect(rows).toEqual(expected)
})

test("README names every room, and every room's notes that README links exist", () => {
  for (const entry of readdirSync(`${root}src`, { withFileTypes: true })) {
    if (entry.isDirectory()) expect(readme).toContain(`\`${entry.name}\``)
  }
  for (const [, link] of readme.matchAll(/\]\(((?:src|bench|examples)\/[^)#]+)\)/g))
    expect([link, existsSync(root + link)]).toEqual([link, true])
})

test('the shipped generated files are fresh', () => {
  expect(
    execFileSync(process.execPath, ['test/gen.ts', '--check'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, npm_config_loglevel: 'silent' },
    }),
  ).toBe('')
})

test('the pure rooms import nothing from outside', () => {
  for (const file of sources.filter(name =>
    /^src\/(market|indicators|fuzzy|strategy|features|backtest|statistics|search|research|lookahead|labels|training|model)\//.test(
      name,
    ),
  )) {
    const imports = [...read(file).matchAll(/from '([^']+)'/g)].map(([, from]) => from ?? '')
    const impure = imports.filter(
      from =>
        from.startsWith('node:') ||
        /(http|store|execution|feed|archive|operations|vendors)\//.test(from) ||
        /\/(clock|log|config)\.ts$/.test(from),
    )
    expect([file, impure]).toEqual([file, []])
    expect([file, /Date\.now|Math\.random/.test(read(file))]).toEqual([file, false])
  }
})

test('no path is taken from a URL as it stands: a folder may have a space in its name', () => {
  for (const file of sources) expect([file, /\.url\)\.pathname/.test(read(file))]).toEqual([file, false])
})

test('each outside library stays in its room', () => {
  const homes: Record<string, RegExp> = {
    piscina: /^src\/execution\/(thread-)?pool\.ts$/,
    express: /^src\/http\//,
    'node:sqlite': /^src\/store\/sqlite\//,
    'apache-arrow': /^src\/archive\//,
    aws4fetch: /^src\/bucket\/bucket\.ts$/,
  }
  for (const file of sources) {
    for (const [, library = ''] of read(file).matchAll(/from '([^']+)'/g)) {
      const home = homes[library]
      if (home !== undefined) expect([file, library, home.test(file)]).toEqual([file, library, true])
    }
  }
})
