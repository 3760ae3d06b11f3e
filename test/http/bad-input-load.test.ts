import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Problem, type Program, stopPrograms } from '../support/program.ts'
import { startDeclaredProgram } from './declared.ts'

let program: Program
beforeAll(async () => {
  program = await startDeclaredProgram()
})
afterAll(stopPrograms)

const post = (raw: string, contentType = 'application/json') =>
  program.request<Problem>('POST', '/api/v1/operations', { raw, headers: { 'content-type': contentType } })

test('three thousand different content-type parameters cost no memory', async () => {
  const residentMb = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]) / 1024
  const send = async (from: number, to: number) => {
    for (let i = from; i < to; i += 20) {
      const batch = Array.from({ length: 20 }, (_, n) =>
        post('{"type":"exercise","params":{"steps":0}}', `application/json; v=${i + n}`),
      )
      for (const answer of await Promise.all(batch)) expect(answer.status).toBe(400)
    }
  }
  await send(0, 500)
  const before = residentMb()
  await send(500, 3_000)
  expect(residentMb() - before).toBeLessThan(50)
})

test('a thousand bad requests of every kind leave no 5xx, and the server ready', async () => {
  const bodies = [
    '',
    '{',
    'null',
    '0',
    '"x"',
    '[]',
    '{}',
    '{"type":1}',
    '{"type":"exercise"}',
    '{"type":"exercise","params":[]}',
    '{"type":"exercise","params":{"steps":1e400}}',
    '{"__proto__":{"x":1},"type":"exercise","params":{}}',
    `{"type":"${'x'.repeat(10_000)}","params":{}}`,
  ]
  for (let round = 0; round < 80; round++) {
    const answers = await Promise.all(bodies.map(body => post(body)))
    for (const answer of answers) expect(answer.status).toBeLessThan(500)
  }
  expect((await program.get('/health/ready')).status).toBe(200)
})
