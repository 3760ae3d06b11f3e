import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from '@jest/globals'
import { startProgram, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)
const root = fileURLToPath(new URL('../..', import.meta.url))

test('with a key, everything but health, documentation and problem pages needs it, in either header', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'ktrdr-key-')), 'key')
  writeFileSync(file, 'a long secret\n')
  const program = await startProgram({ KTRDR_API_KEY_FILE: file })
  for (const path of [
    '/health/live',
    '/health/ready',
    '/api/v1/openapi.json',
    '/problems/queue-full',
    '/api/v1/docs/',
    '/api/v1/redoc',
    '/api/v1/redoc/',
  ]) {
    expect([path, (await program.get(path)).status]).toEqual([path, 200])
  }
  for (const path of [
    '/api/v1/operations',
    '/api/v1/system',
    '/metrics',
    '/api/v1/events',
    '/api/v1/operations/op_01JD0Q4Z5N3V8K2M7P6R9T1W0X',
  ]) {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'notbearer a long secret' },
      { 'x-api-key': '' },
    ]) {
      const refused = await program.get(path, headers)
      expect([path, refused.status, refused.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        expect.stringMatching(/^Bearer/),
      ])
    }
  }
  expect((await program.get('/api/v1/system', { authorization: 'Bearer a long secret' })).status).toBe(200)
  expect((await program.get('/api/v1/system', { 'x-api-key': 'a long secret' })).status).toBe(200)
  expect(program.output).not.toContain('a long secret')
})

test('an address others can reach is refused without a key, and every fault of the configuration is listed at once', () => {
  const start = (environment: Record<string, string>) =>
    spawnSync(process.execPath, ['src/main.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', ...environment },
      timeout: 20_000,
    })
  const open = start({ KTRDR_HOST: '0.0.0.0' })
  expect([open.status, open.stderr]).toEqual([78, expect.stringMatching(/KTRDR_API_KEY/)])
  const empty = join(mkdtempSync(join(tmpdir(), 'ktrdr-key-')), 'key')
  writeFileSync(empty, '\n')
  for (const environment of [
    { KTRDR_API_KEY_FILE: empty },
    { KTRDR_API_KEY: 'schlüssel' },
    { KTRDR_API_KEY: 'short' },
  ]) {
    const refused = start(environment)
    expect([refused.status, refused.stderr]).toEqual([78, expect.stringMatching(/KTRDR_API_KEY/)])
  }
  const bad = start({ KTRDR_PORT: '99999', KTRDR_THREADS: 'two', KTRDR_LOG_LEVEL: 'loud' })
  expect(bad.status).toBe(78)
  for (const name of ['KTRDR_PORT', 'KTRDR_THREADS', 'KTRDR_LOG_LEVEL']) expect(bad.stderr).toContain(name)
})

test('PORT is honoured, an unknown setting warns with the nearest match, a taken port says so', async () => {
  const program = await startProgram({ KTRDR_THREAD: '3' })
  expect(program.output).toMatch(/KTRDR_THREAD is not a setting.*KTRDR_THREADS/)
  const { port } = new URL(program.url)
  const second = spawnSync(process.execPath, ['src/main.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH ?? '',
      PORT: port,
      KTRDR_HOME: mkdtempSync(join(tmpdir(), 'ktrdr-second-')),
    },
    timeout: 20_000,
  })
  expect(second.status).toBe(1)
  expect(second.stderr).toContain(`Port ${port}`)
})

test('answers carry a request id and strict headers, and plain http is never upgraded', async () => {
  const program = await startProgram()
  const own = await program.get('/api/v1/system', { 'x-request-id': 'my-request-0001' })
  expect(own.headers.get('x-request-id')).toBe('my-request-0001')
  const made = await program.get('/api/v1/system', { 'x-request-id': 'bad id!' })
  expect(made.headers.get('x-request-id')).toMatch(/^req_/)
  const policy = own.headers.get('content-security-policy') ?? ''
  expect(policy).toMatch(/default-src 'none'/)
  expect(policy).not.toMatch(/upgrade-insecure-requests/)
  expect(own.headers.get('strict-transport-security')).toBeNull()
  expect(own.headers.get('x-powered-by')).toBeNull()
})
