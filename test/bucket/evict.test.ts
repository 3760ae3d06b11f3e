import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { evict } from '../../src/bucket/evict.ts'

const home = mkdtempSync(join(tmpdir(), 'ktrdr-copy-'))
afterAll(() => rmSync(home, { recursive: true }))

const hourMs = 3_600_000
const now = Date.parse('2026-01-01T00:00:00Z')

const write = (path: string, ageMs: number) => {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), path)
  utimesSync(join(home, path), (now - ageMs) / 1000, (now - ageMs) / 1000)
}

test('a copy is cleared of what has no name any more, not of what is young, named, or kept by every node', async () => {
  const op = 'op_01ARZ3NDEKTSV4RRFFQ69G5FAV'
  const named = [
    `artifacts/${op}/2/equity.arrow`,
    'bars/ABC/1d/segments/1.arrow',
    'bars/ABC/1d/versions/2.json',
    'models/mdl_1/weights.safetensors',
    `artifacts/${op}/2/params.json`,
  ]
  const rendered = [`artifacts/${op}/2/equity.csv`, 'bars/ABC/1d/renditions/2.csv']
  const kept = ['bars/ABC/1d/manifest.json', 'models/mdl_1/manifest.json', 'strategies/x.yaml']
  const young = [`artifacts/${op}/3/equity.arrow`, 'snapshots/young.yaml']
  const staged = ['bars/ABC/1d/segments/.3.arrow.uuid.tmp']
  const waste = [
    `artifacts/${op}/1/equity.arrow`,
    `artifacts/${op}/1/equity.csv`,
    'bars/ABC/1d/segments/9.arrow',
    'bars/ABC/1d/renditions/9.csv',
    `checkpoints/${op}/1-1.ckpt`,
    'snapshots/old.yaml',
  ]
  for (const path of [...named, ...rendered, ...kept, ...waste]) write(path, 2 * hourMs)
  for (const path of staged) write(path, 20 * hourMs)
  for (const path of young) write(path, hourMs / 2)
  const files = {
    find: async (paths: readonly string[]) =>
      named
        .filter(path => paths.includes(path))
        .map(path => ({ path, sha256: '', size_bytes: 0, stored_at: 0, object_key: path, content: null })),
  }
  expect(await evict(home, files, now)).toBe(waste.length)
  expect(waste.filter(path => existsSync(join(home, path)))).toEqual([])
  const left = [...named, ...rendered, ...kept, ...staged, ...young]
  expect(left.filter(path => !existsSync(join(home, path)))).toEqual([])
})
