import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from '@jest/globals'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { describeStore } from './conformance.ts'
import { newOperation } from './new-operation.ts'

const freshFile = () => join(mkdtempSync(join(tmpdir(), 'ktrdr-store-')), 'ktrdr.sqlite')

describeStore('the SQLite store', async () => SqliteStore.open(freshFile()))

test('what was written is there after a reopen', async () => {
  const file = freshFile()
  const first = SqliteStore.open(file)
  const operation = newOperation()
  await first.create(operation, { idempotency: null, queueMax: 10 })
  await first.close()
  const second = SqliteStore.open(file)
  expect(await second.get(operation.operation_id)).toMatchObject({
    status: 'pending',
    params: operation.params,
  })
  await second.close()
})

test('a file with a newer schema is refused', async () => {
  const file = freshFile()
  await SqliteStore.open(file).close()
  const database = new DatabaseSync(file)
  database.exec('pragma user_version = 999')
  database.close()
  expect(() => SqliteStore.open(file)).toThrow(/newer ktrdr/)
})

test('the database itself refuses a row whose facts contradict its status', async () => {
  const file = freshFile()
  const store = SqliteStore.open(file)
  await store.create(newOperation(), { idempotency: null, queueMax: 10 })
  await store.close()
  const database = new DatabaseSync(file)
  expect(() => database.exec(`update operations set status = 'completed'`)).toThrow(/CHECK/)
  expect(() => database.exec(`update operations set status = 'succeeded'`)).toThrow(/CHECK/)
  expect(() => database.exec('update operations set progress = 100')).toThrow(/CHECK/)
  expect(() => database.exec(`update operations set problem = '{}'`)).toThrow(/CHECK/)
  database.close()
})

test('of many writes in one transaction a failing one fails alone', async () => {
  const store = SqliteStore.open(freshFile())
  const operation = newOperation()
  const results = await Promise.allSettled([
    store.create(operation, { idempotency: null, queueMax: 10 }),
    store.create(operation, { idempotency: null, queueMax: 10 }),
    store.create(newOperation(), { idempotency: null, queueMax: 10 }),
  ])
  expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  await store.close()
})

test('a file that is open already is refused, until it is closed', async () => {
  const file = freshFile()
  const first = SqliteStore.open(file)
  expect(() => SqliteStore.open(file)).toThrow(/Another ktrdr is running/)
  await first.close()
  await SqliteStore.open(file).close()
})
