import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { variables } from '../src/variables.ts'
import { startProgram, stopPrograms } from './support/program.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const deploy = join(root, 'deploy')
const read = (file: string) => readFileSync(join(deploy, file), 'utf8')
const files = readdirSync(deploy, { recursive: true, withFileTypes: true, encoding: 'utf8' })
  .filter(entry => entry.isFile())
  .map(entry => join(entry.parentPath, entry.name).slice(deploy.length + 1))

afterAll(stopPrograms)

/** Whether a program of this machine can be run. */
const has = (program: string) => spawnSync(program, ['--version']).status === 0

type Service = {
  readonly image: string
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly deploy?: { readonly replicas: number }
}
type Compose = {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, null>>
}
const compose = parse(read('compose.yaml'), { merge: true }) as Compose

describe('compose.yaml', () => {
  test('runs Postgres, two API nodes and two workers that share database and archive, and what watches them', () => {
    const { services } = compose
    expect(Object.keys(services).sort()).toEqual(['api', 'grafana', 'postgres', 'prometheus', 'worker'])
    expect(services.postgres?.image).toMatch(/^postgres:16/)
    for (const role of ['api', 'worker']) {
      expect(services[role]).toMatchObject({
        environment: {
          KTRDR_ROLE: role,
          KTRDR_ARCHIVE_URL: 'file:///archive',
          KTRDR_DATABASE_URL_FILE: '/run/secrets/database_url',
        },
        volumes: expect.arrayContaining(['archive:/archive']),
        deploy: { replicas: 2 },
      })
    }
  })

  test('gives secrets as files that exist nowhere in the repository, and opens no port to other machines', () => {
    for (const [name, { secrets = [], ports = [], environment = {} }] of Object.entries(compose.services)) {
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret)
      for (const port of ports) expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:/)])
      for (const [variable, value] of Object.entries(environment))
        if (/PASSWORD|KEY|DATABASE_URL/.test(variable))
          expect([variable, value]).toEqual([
            expect.stringMatching(/_FILE$/),
            expect.stringMatching(/^\/run\/secrets\//),
          ])
    }
    const tracked = spawnSync('git', ['ls-files', 'deploy/secrets'], { cwd: root, encoding: 'utf8' })
    expect(tracked.stdout.trim().split('\n').filter(Boolean)).not.toContainEqual(
      expect.not.stringMatching(/\.gitignore$/),
    )
    expect(read('secrets/.gitignore')).toContain('*\n!.gitignore')
  })

  test('pins every image, declares every volume, and mounts only what is there', () => {
    for (const { image, volumes = [] } of Object.values(compose.services)) {
      expect(image).toMatch(/^[\w./-]+:(?!latest)[\w.-]+$/)
      for (const [source = ''] of volumes.map(volume => volume.split(':'))) {
        if (source.startsWith('./'))
          expect([source, existsSync(join(deploy, source))]).toEqual([source, true])
        else if (!source.startsWith('/')) expect(Object.keys(compose.volumes)).toContain(source)
      }
    }
  })
})

test('every variable of ktrdr that deploy/ names exists', () => {
  const named = files.flatMap(file =>
    [...read(file).matchAll(/KTRDR_[A-Z0-9_]+/g)].map(([name]) => [file, name]),
  )
  expect(named.length).toBeGreaterThan(10)
  const unknown = named.filter(([, name = '']) => !Object.hasOwn(variables, name.replace(/_FILE$/, '')))
  expect(unknown).toEqual([])
})

test('the image holds what the program needs, and nothing else', async () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  )
  const allowed = [...read('Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name = '']) => name)
  expect(copied.toSorted()).toEqual(allowed.toSorted())
  expect(read('Dockerfile.dockerignore')).toMatch(/^\*$/m)
  const image = mkdtempSync(join(tmpdir(), 'ktrdr-image-'))
  try {
    for (const name of copied) cpSync(join(root, name), join(image, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(image, 'node_modules'))
    const program = await startProgram({}, join(image, 'launch.mjs'))
    const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
    expect(await program.end((await program.submit('data_download', download)).operation_id)).toMatchObject({
      status: 'completed',
    })
    expect((await program.get('/api/v1/strategies/sma_cross')).status).toBe(200)
    expect((await program.get('/api/v1/docs/')).status).toBe(200)
  } finally {
    rmSync(image, { recursive: true, force: true })
  }
})

const onLinux = process.platform === 'linux' ? test : test.skip
onLinux(
  'launch.mjs becomes the server: its own process, with few malloc heaps and a small young generation',
  async () => {
    const { pid } = await startProgram({}, 'launch.mjs')
    const factsOf = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0')
    expect(factsOf('environ')).toContain('MALLOC_ARENA_MAX=2')
    expect(factsOf('cmdline')).toEqual(
      expect.arrayContaining(['--max-semi-space-size=8', join(root, 'src/main.ts')]),
    )
  },
)

test('what the program imports is a dependency, not one of development only', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const sources = ['src', 'workers'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => readFileSync(join(root, folder, name), 'utf8')),
  )
  const imported = sources.flatMap(source => [
    ...source.matchAll(/^(?:import (?!type)[^'\n]*|} )from '((?:@[^/']+\/)?[^./':][^/':]*)[^':]*'/gm),
  ])
  const names = new Set(imported.map(([, name = '']) => name))
  expect(names.size).toBeGreaterThan(10)
  expect([...names].filter(name => !Object.hasOwn(dependencies, name))).toEqual([])
})

test('the Dockerfile runs as nobody special, builds nothing, and starts without npm', () => {
  const lines = read('Dockerfile').split('\n')
  expect(lines.filter(line => /^(FROM|USER|CMD)/.test(line))).toEqual([
    expect.stringMatching(/^FROM node:2\d-\w+-slim$/),
    expect.stringMatching(/^USER [1-9]\d+:[1-9]\d+$/),
    'CMD ["node", "launch.mjs"]',
  ])
  expect(lines.filter(line => /^RUN.*\b(npm|npx)\b/.test(line))).toEqual([
    expect.stringContaining('npm ci --omit=dev'),
  ])
  expect(read('Dockerfile')).toMatch(/^HEALTHCHECK[\s\S]*\/health\/ready/m)
  expect(read('Dockerfile')).toContain('VOLUME ["/data"]')
})

type Panel = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }
type Rule = { readonly alert: string; readonly expr: string; readonly annotations: Record<string, string> }
const dashboard = JSON.parse(read('grafana/dashboards/ktrdr.json')) as { panels: Panel[] }
const alerts = parse(read('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }
const rules = alerts.groups.flatMap(group => group.rules)

describe('dashboard and alerts', () => {
  test('ask for metrics that a running server exports, and for labels that they have', async () => {
    const program = await startProgram()
    await program.end((await program.submit('exercise', { steps: 3 })).operation_id)
    const { text } = await program.get('/metrics')
    const exported = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name))
    const queries = [...dashboard.panels.flatMap(({ targets = [] }) => targets), ...rules].map(
      ({ expr }) => expr,
    )
    expect(queries.length).toBeGreaterThan(20)
    const asked = queries.flatMap(query => [...query.matchAll(/\b(?:ktrdr|http|nodejs|process)_\w+/g)])
    const missing = asked
      .map(([name]) => name.replace(/_(bucket|count|sum)$/, ''))
      .filter(name => !exported.has(name))
    expect(missing).toEqual([])
    const given = ['job', 'instance', 'role', ...[...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label)]
    const labels = queries.flatMap(query => [...query.matchAll(/[{,] ?(\w+)=~?"/g)].map(([, label]) => label))
    expect(labels.filter(label => !given.includes(label))).toEqual([])
  })

  test('every panel has a query and a place of its own, every alert says what to do', () => {
    for (const { title, targets } of dashboard.panels.filter(panel => 'targets' in panel))
      expect([title, targets?.every(({ expr }) => expr.length > 5)]).toEqual([title, true])
    const ids = dashboard.panels.map(panel => (panel as { id?: number }).id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { alert, annotations } of rules)
      expect([alert, Object.keys(annotations).sort()]).toEqual([alert, ['description', 'summary']])
  })

  test('Prometheus finds the nodes by the names of their services, with the key', () => {
    const config = parse(read('prometheus/prometheus.yml'))
    expect(config.rule_files).toEqual(['alerts.yml'])
    const [job] = config.scrape_configs
    expect(job.dns_sd_configs[0].names.every((name: string) => name in compose.services)).toBe(true)
    expect(job.authorization.credentials_file).toBe('/run/secrets/api_key')
    const provisioned = files.filter(file => file.startsWith('grafana/provisioning/'))
    expect(provisioned.map(file => parse(read(file)).apiVersion)).toEqual([1, 1])
  })

  const withPromtool = has('promtool') ? test : test.skip
  withPromtool('promtool finds nothing wrong', () => {
    const { status, stdout, stderr } = spawnSync(
      'promtool',
      ['check', 'rules', join(deploy, 'prometheus/alerts.yml')],
      {
        encoding: 'utf8',
      },
    )
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
  })
})

describe('ktrdr.service', () => {
  test('starts launch.mjs as a user of its own, with the file system closed but for its data folder', () => {
    const unit = read('ktrdr.service')
    for (const line of [
      'User=ktrdr',
      'ExecStart=/usr/bin/env node launch.mjs',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
    ])
      expect(unit.split('\n')).toContain(line)
    expect(unit).toMatch(/^StateDirectory=ktrdr$[\s\S]*/m)
    expect(unit).toContain('Environment=KTRDR_HOME=/var/lib/ktrdr')
  })

  const withSystemd = has('systemd-analyze') ? test : test.skip
  withSystemd('systemd finds nothing wrong', () => {
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', join(deploy, 'ktrdr.service')],
      {
        encoding: 'utf8',
      },
    )
    expect([status, stdout + stderr]).toEqual([0, ''])
  })
})

test('no secret stands in a file', () => {
  for (const file of files) {
    expect([file, /(password|api_key|secret)\s*[:=]\s*['"]?[A-Za-z0-9]{12,}/i.test(read(file))]).toEqual([
      file,
      false,
    ])
    expect([file, /postgres:\/\/\w+:[^%@\s]+@/.test(read(file))]).toEqual([file, false])
  }
})
