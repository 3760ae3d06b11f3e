import { BroadcastChannel, setEnvironmentData, threadId } from 'node:worker_threads'
import { afterAll, expect, test } from '@jest/globals'
import { announcementKey, isAsking, newAsking, refresh } from '../../src/archive/exchange.ts'

const channel = new BroadcastChannel('exchange-asking')
afterAll(() => {
  setEnvironmentData(announcementKey, undefined)
  channel.close()
})

test('a thread is known to wait for as long as one of its questions is not answered', async () => {
  setEnvironmentData(announcementKey, { home: '/copy', channel: channel.name, asking: newAsking() })
  const questions: string[] = []
  const both = Promise.withResolvers<void>()
  channel.onmessage = event => {
    const { data } = event as { data: { id: string } }
    if (questions.push(data.id) === 2) both.resolve()
  }
  const reply = (to: string | undefined) => channel.postMessage({ to, outcome: 'done', answer: null })
  expect(isAsking('/copy', threadId)).toBe(false)
  const asked = [refresh('/copy'), refresh('/copy')]
  await both.promise
  expect([isAsking('/copy', threadId), isAsking('/copy', threadId + 1)]).toEqual([true, false])
  reply(questions[0])
  await Promise.race(asked)
  expect(isAsking('/copy', threadId)).toBe(true)
  reply(questions[1])
  await Promise.all(asked)
  expect([isAsking('/copy', threadId), isAsking('/other', threadId)]).toEqual([false, false])
})
