import { expect, test } from '@jest/globals'
import { forEachAFewAtOnce } from '../../src/bucket/a-few-at-once.ts'

const numbers = Array.from({ length: 100 }, (_, n) => n)
const failAt =
  (seen: number[], ...bad: number[]) =>
  async (n: number) => {
    seen.push(n)
    await Promise.resolve()
    if (bad.includes(n)) throw new Error(`bad ${n}`)
  }

test('all is done, and never more than a few at once', async () => {
  let [now, most, done] = [0, 0, 0]
  await forEachAFewAtOnce(numbers, async () => {
    most = Math.max(most, ++now)
    await new Promise(setImmediate)
    now--
    done++
  })
  expect([done, most]).toEqual([100, 8])
})

test('after an error nothing more is begun', async () => {
  const seen: number[] = []
  await expect(forEachAFewAtOnce(numbers, failAt(seen, 3))).rejects.toThrow('bad 3')
  expect(seen.length).toBeLessThan(30)
})

test('an error that says nothing of the others keeps none of them, and gives way to one that does', async () => {
  const seen: number[] = []
  const isAlone = (error: unknown) => String(error).endsWith('bad 3')
  await expect(forEachAFewAtOnce(numbers, failAt(seen, 3), isAlone)).rejects.toThrow('bad 3')
  expect(seen).toHaveLength(100)
  await expect(forEachAFewAtOnce(numbers, failAt(seen, 3, 99), isAlone)).rejects.toThrow('bad 99')
})
