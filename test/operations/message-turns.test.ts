import { expect, test } from '@jest/globals'
import { MessageTurns } from '../../src/operations/message-turns.ts'

test('of what waits under one name only the newest is done, in its place among all others', async () => {
  const turns = new MessageTurns()
  const attempt = { operation_id: 'op_1', attempt: 1 }
  const gate = Promise.withResolvers<void>()
  const done: string[] = []
  const say = (word: string) => async () => {
    done.push(word)
  }
  void turns.takeNewest(attempt, 'checkpoint', async () => {
    done.push('first')
    await gate.promise
  })
  await Promise.resolve()
  void turns.takeNewest(attempt, 'checkpoint', say('second'))
  void turns.take(attempt, say('metrics'))
  void turns.takeNewest(attempt, 'journal', say('journal'))
  void turns.takeNewest(attempt, 'checkpoint', say('third'))
  gate.resolve()
  await turns.settled(attempt)
  expect(done).toEqual(['first', 'metrics', 'journal', 'third'])
})
