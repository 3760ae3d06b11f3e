import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import {
  newestReadable,
  pruneCheckpoints,
  readCheckpoint,
  removeCheckpoints,
  writeCheckpoint,
} from '../../src/archive/checkpoints.ts'
import { checkpointsFolder } from '../../src/archive/layout.ts'
import type { Checkpoint } from '../../src/operations/operation.ts'
import { makeHome, operationId } from './folder.ts'

function makeCheckpoints(attempts: readonly number[]) {
  const home = makeHome()
  const saved = attempts.map((attempt, step): Checkpoint => {
    const about = { label: `step ${step}`, best: false, now: 1000 }
    return { ...writeCheckpoint(home, operationId, attempt, { step }, about), metrics_seq: 0 }
  })
  const folder = checkpointsFolder(home, operationId)
  return { home, saved, folder, path: (at: number) => join(folder, saved[at]?.file ?? '') }
}

test('a state with maps, dates and typed arrays comes back', () => {
  const home = makeHome()
  const state = { weights: Float64Array.of(1, Number.NaN), seen: new Map([['a', 1n]]), at: new Date(5) }
  const checkpoint = writeCheckpoint(home, operationId, 1, state, { label: 'x', best: true, now: 7 })
  expect(readCheckpoint(home, operationId, checkpoint)).toEqual(state)
  expect(checkpoint).toMatchObject({ attempt: 1, saved_at: 7, label: 'x', best: true })
  expect(checkpoint.size_bytes).toBe(
    readFileSync(join(checkpointsFolder(home, operationId), checkpoint.file)).length,
  )
})

test('the newest checkpoint is restored, by attempt and order of saving, whatever the clock said', () => {
  const { home, saved } = makeCheckpoints([9, 9, 10])
  const found = newestReadable(home, operationId, [saved[1]!, saved[2]!, saved[0]!])
  expect(found).toEqual({ state: { step: 2 }, checkpoint: saved[2], damaged: [] })
})

test('a torn file, a flipped byte and a missing file fall back to the older checkpoint', () => {
  const { home, saved, path } = makeCheckpoints([1, 1, 1, 1, 1])
  const bytes = readFileSync(path(1))
  writeFileSync(path(1), bytes.subarray(0, bytes.length - 1))
  writeFileSync(path(2), bytes.subarray(0, 10))
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(path(3), bytes)
  rmSync(path(4))
  const found = newestReadable(home, operationId, saved)
  expect(found.state).toEqual({ step: 0 })
  expect(found.checkpoint).toEqual(saved[0])
  expect(found.damaged).toEqual([saved[4], saved[3], saved[2], saved[1]])
})

test('with nothing readable the damaged ones are named', () => {
  const { home, saved, path } = makeCheckpoints([1])
  writeFileSync(path(0), 'KTRDRCK1')
  expect(newestReadable(home, operationId, saved)).toEqual({ state: null, checkpoint: null, damaged: saved })
  expect(newestReadable(home, operationId, [])).toEqual({ state: null, checkpoint: null, damaged: [] })
})

test('another checkpoint under the same name is not taken for the one recorded', () => {
  const { home, saved, path } = makeCheckpoints([1, 1])
  writeFileSync(path(1), readFileSync(path(0)))
  expect(() => readCheckpoint(home, operationId, saved[1]!)).toThrow('damaged')
})

test('a writer killed half-way leaves a temporary file that is ignored and later removed', async () => {
  const { home, saved, folder } = makeCheckpoints([1])
  writeFileSync(join(folder, '.1-2.ckpt.0b0c.tmp'), 'KTRDRCK1 half of')
  expect(newestReadable(home, operationId, saved).state).toEqual({ step: 0 })
  const next = writeCheckpoint(home, operationId, 1, { step: 1 }, { label: 'y', best: false, now: 0 })
  const later = writeCheckpoint(home, operationId, 1, { step: 2 }, { label: 'z', best: false, now: 0 })
  expect([next.file, later.file]).toEqual(['1-2.ckpt', '1-3.ckpt'])
  await pruneCheckpoints(home, operationId, new Set([later.file]))
  expect(readdirSync(folder)).toEqual(['1-3.ckpt'])
})

test('pruning keeps what is named and what is newer, and with nothing named removes all', async () => {
  const { home, folder } = makeCheckpoints([1, 1, 1, 2])
  await pruneCheckpoints(home, operationId, new Set(['1-1.ckpt', '1-3.ckpt']))
  expect(readdirSync(folder).sort()).toEqual(['1-1.ckpt', '1-3.ckpt', '2-1.ckpt'])
  await pruneCheckpoints(home, operationId, new Set())
  await removeCheckpoints(home, operationId)
  expect(newestReadable(home, operationId, []).checkpoint).toBeNull()
})

test('a checkpoint record that names a path is refused', () => {
  const record = { file: '../../ktrdr.sqlite', sha256: 'a'.repeat(64) }
  expect(() => readCheckpoint(makeHome(), operationId, record)).toThrow('cannot be a checkpoint name')
})
