import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Operation, type Problem, type Program, startProgram, stopPrograms } from '../support/program.ts'

let program: Program
beforeAll(async () => {
  program = await startProgram()
})
afterAll(stopPrograms)

const submit = <T>(raw: Buffer, headers: Record<string, string> = {}) =>
  program.request<T>('POST', '/api/v1/operations', {
    raw,
    headers: { 'content-type': 'application/json', ...headers },
  })

/** A request whose strategy is called as the bytes say. */
const requestWith = (name: Buffer) =>
  Buffer.concat([Buffer.from('{"type":"backtesting","params":{"strategy":"'), name, Buffer.from('"}}')])

test.each([
  ['Latin 1', Buffer.from([0x63, 0x61, 0x66, 0xe9])],
  ['a character cut short', Buffer.from('株').subarray(0, 2)],
  ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
  ['a character written too long', Buffer.from([0xc0, 0xaf])],
])('JSON with %s in it is refused as malformed, not repaired', async (_what, name) => {
  const bytes = requestWith(name)
  const packed = await submit<Problem>(gzipSync(bytes), { 'content-encoding': 'gzip' })
  for (const { status, body } of [await submit<Problem>(bytes), packed]) {
    expect([status, body.code]).toEqual([400, 'malformed-json'])
    expect(body.errors).toEqual([{ pointer: '/body', code: 'encoding', message: 'the text is not UTF-8' }])
  }
})

test('JSON in UTF-8 is read with every character', async () => {
  const { status, body } = await submit<Problem>(Buffer.from('{"type":"exercise","params":{},"é 株 🙂":1}'))
  expect([status, body.errors[0]?.message]).toEqual([400, expect.stringContaining("unknown key 'é 株 🙂'")])
  const good = await submit<Operation>(Buffer.from('{"type":"exercise","params":{"steps":1}}'))
  expect(good.status).toBe(202)
})
