import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { announcementKey, newAsking } from '../../src/archive/exchange.ts'
import { modelFolder } from '../../src/archive/layout.ts'
import { storeResults } from '../../src/operations/exchanged-files.ts'

/** A copy whose exchange takes whatever it is given. */
const home = mkdtempSync(join(tmpdir(), 'ktrdr-copy-'))
const channel = new BroadcastChannel('stored-results')
beforeAll(() => {
  setEnvironmentData(announcementKey, { home, channel: channel.name, asking: newAsking() })
  channel.onmessage = event => {
    const { data } = event as { data: { id: string } }
    channel.postMessage({ to: data.id, outcome: 'done', answer: null })
  }
})
afterAll(() => {
  setEnvironmentData(announcementKey, undefined)
  channel.close()
  rmSync(home, { recursive: true })
})

const attempt = { operation_id: 'op_01ARZ3NDEKTSV4RRFFQ69G5FAV', attempt: 1, type: 'training' } as const
const resultOf = (model: string) => ({ artifacts: [], result: { model_id: model } })

test('what waits for a bucket is young at every try, however old it is', async () => {
  const model = 'mdl_0123456789abcdef0123456789'
  const path = join(modelFolder(home, model), 'weights.safetensors')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'weights')
  utimesSync(path, 1, 1)
  await storeResults(home, attempt, resultOf(model))
  expect(statSync(path).mtimeMs).toBeGreaterThan(1_600_000_000_000)
})

test('a model that is not there is not stored as if it were', async () => {
  const stored = storeResults(home, attempt, resultOf('mdl_0123456789abcdef012345678a'))
  await expect(stored).rejects.toThrow('there is nothing in')
})
