import { expect, test } from '@jest/globals'
import { BucketRefusal, isLocal } from '../../src/bucket/bucket.ts'

test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES'])(
  '%s is a fault of the disk, with a path or without',
  code => {
    expect(isLocal(Object.assign(new Error(code), { code, syscall: 'write' }))).toBe(true)
    expect(isLocal(Object.assign(new Error(code), { code, syscall: 'open', path: '/x' }))).toBe(true)
  },
)

test('a broken connection is no fault of the disk', () => {
  const cause = Object.assign(new Error('read'), { code: 'ECONNRESET', syscall: 'read' })
  expect(isLocal(new TypeError('fetch failed', { cause }))).toBe(false)
  expect(isLocal(cause)).toBe(false)
})

test.each<['PUT' | 'GET', number, string, boolean]>([
  ['PUT', 400, 'EntityTooLarge', true],
  ['PUT', 413, '', true],
  ['PUT', 403, 'QuotaExceeded', true],
  ['PUT', 403, 'AccessDenied', false],
  ['PUT', 400, 'ExpiredToken', false],
  ['PUT', 400, 'BadDigest', false],
  ['PUT', 404, 'NoSuchBucket', false],
  ['GET', 400, 'InvalidRequest', false],
])('%s answered %i %s is final: %s', (method, status, code, isFinal) => {
  expect(new BucketRefusal({ method, key: 'a' }, status, code).isFinal).toBe(isFinal)
})
