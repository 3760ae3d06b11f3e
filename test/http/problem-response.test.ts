import { expect, test } from '@jest/globals'
import { answerProblem } from '../../src/http/problem-response.ts'
import { createLog } from '../../src/log.ts'
import { Problem } from '../../src/problems.ts'

const silent = createLog('silent')
const asking = { requestId: 'req_1', url: '/api/v1/operations?limit=1', method: 'GET' }

test.each(['queue-full', 'too-many-streams', 'draining', 'database-unavailable'] as const)(
  'a refusal that passes by itself says after how many seconds to ask again: %s',
  code => {
    const { status, headers, body } = answerProblem(new Problem(code, 'not now'), asking, silent)
    expect([429, 503]).toContain(status)
    expect(headers['Retry-After']).toMatch(/^[1-9]\d*$/)
    expect(body).toMatchObject({ code, retryable: true, instance: '/api/v1/operations' })
  },
)

test('a refusal that does not pass by itself says no time', () => {
  const { headers } = answerProblem(new Problem('operation-not-found', 'none'), asking, silent)
  expect(headers).not.toHaveProperty('Retry-After')
})
