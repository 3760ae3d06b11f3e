import { expect, test } from '@jest/globals'
import { type FieldError, Problem } from '../src/problems.ts'

const errorsOf = (length: number): FieldError[] =>
  Array.from({ length }, (_, i) => ({ pointer: `/body/${i}`, code: 'unknown_key', message: 'is not known' }))

test('a problem lists its first hundred errors and says how many there are', () => {
  const errors = errorsOf(100_000)
  const advised = new Problem('params-invalid', 'no', { errors, hint: 'Correct them.' })
  expect(advised.errors).toEqual(errors.slice(0, 100))
  expect(advised.hint).toBe('Correct them. There are 100000 errors, the first 100 are listed.')
  const bare = new Problem('params-invalid', 'no', { errors })
  expect(bare.hint).toBe('There are 100000 errors, the first 100 are listed.')
})

test('a hundred errors are all listed, without a hint nobody gave', () => {
  const problem = new Problem('params-invalid', 'no', { errors: errorsOf(100) })
  expect([problem.errors.length, problem.hint]).toEqual([100, undefined])
})

test('a detail that repeats a huge request is cut', () => {
  expect(new Problem('invalid-request', 'x'.repeat(1_000_000)).message).toHaveLength(4_001)
})

test('a problem that crosses threads says once how many errors there are', () => {
  const { code, detail, ...more } = new Problem('params-invalid', 'no', { errors: errorsOf(101) }).toData()
  expect(new Problem(code, detail, more).toData()).toEqual({ code, detail, ...more })
})
