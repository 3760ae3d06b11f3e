import { expect, test } from '@jest/globals'
import { collectGarbage } from '../../src/bucket/open.ts'

test('an object that cannot be deleted keeps no other from being deleted and forgotten', async () => {
  let keys = Array.from({ length: 450 }, (_, n) => `key~${String(n).padStart(3, '0')}`)
  const files = {
    garbage: async (limit: number, after = '') => keys.filter(key => key > after).slice(0, limit),
    forgetGarbage: async (gone: readonly string[]) => {
      keys = keys.filter(key => !gone.includes(key))
    },
  }
  const held = ['key~000', 'key~003', 'key~301']
  const bucket = {
    remove: async (key: string) => {
      if (held.includes(key)) throw new Error(`${key} is held`)
    },
  }
  await expect(collectGarbage(files, bucket)).rejects.toThrow('key~000 is held')
  expect(keys).toEqual(held)
})
