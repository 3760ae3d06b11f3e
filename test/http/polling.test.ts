import { afterAll, expect, test } from '@jest/globals'
import { startProgram, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)

test('the short way and the way through the validator answer a polled operation alike', async () => {
  const program = await startProgram({ KTRDR_VALIDATE_RESPONSES: 'false' })
  const { operation_id: id } = await program.submit('exercise', { steps: 3 })
  await program.end(id)
  const path = `/api/v1/operations/${id}`
  const plain = { 'accept-encoding': 'identity' }
  const short = await program.get(path, plain)
  const long = await program.get(`${path}?wait=0`, plain)
  expect(short.status).toBe(200)
  expect(short.body).toEqual(long.body)
  const namesOf = (headers: Headers) =>
    [...headers.keys()].filter(name => !['date', 'vary'].includes(name)).sort()
  expect(namesOf(short.headers)).toEqual(namesOf(long.headers))
  const etag = short.headers.get('etag') ?? ''
  for (const url of [path, `${path}?wait=0`])
    expect((await program.get(url, { 'if-none-match': etag })).status).toBe(304)
  const missing = '/api/v1/operations/op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'
  const [one, other] = [
    await program.get<{ code: string }>(missing),
    await program.get<{ code: string }>(`${missing}?wait=0`),
  ]
  expect([one.status, one.body.code]).toEqual([404, 'operation-not-found'])
  expect([other.status, other.body.code]).toEqual([404, 'operation-not-found'])
})

test('the short way asks for the key too', async () => {
  const program = await startProgram({ KTRDR_VALIDATE_RESPONSES: 'false', KTRDR_API_KEY: 'open sesame' })
  const path = '/api/v1/operations/op_01JD0Q4Z5N3V8K2M7P6R9T1W0X'
  expect((await program.get(path)).status).toBe(401)
  expect((await program.get(path)).headers.get('www-authenticate')).toBe('Bearer')
  expect((await program.get(path, { authorization: 'Bearer open' })).status).toBe(401)
  expect((await program.get(path, { authorization: 'Bearer open sesame' })).status).toBe(404)
})
