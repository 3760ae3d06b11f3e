import { hash } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLog } from '../../src/log.ts'
import type { ArchiveFiles, NewArchiveFile } from '../../src/store/postgres/archive-files.ts'
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { freshDatabase, stopPostgres, withPostgres } from '../support/postgres.ts'

let store: PostgresStore | null = null
let files: ArchiveFiles
afterAll(async () => {
  await store?.close()
  await stopPostgres()
})

const sha = (text: string) => hash('sha256', text)

/** A small file, whose content lies in its row. */
const small = (path: string, text: string, everywhere = false): NewArchiveFile => ({
  ...{ path, sha256: sha(text), size_bytes: text.length, object_key: null, content: Buffer.from(text) },
  everywhere,
})
/** A file whose bytes were uploaded under a key. */
const large = (path: string, key: string): NewArchiveFile => ({
  ...{ path, sha256: sha(key), size_bytes: 9, object_key: key, content: null, everywhere: false },
})
const put = (...list: NewArchiveFile[]) => files.store({ files: list, needs: [], replace: null, touched: [] })
const upload = async (path: string, key: string) => {
  await files.beginUploads([key])
  return put(large(path, key))
}
const paths = async (folder: string) => (await files.below(folder)).map(({ path }) => path)

withPostgres(describe)('the names of an archive in a bucket', () => {
  beforeEach(async () => {
    await store?.close()
    store = await PostgresStore.open(await freshDatabase(), { origin: 'node_test', log: createLog('silent') })
    files = store.archiveFiles()
  })

  test('of two who replace the same text only one succeeds, and everybody can see that something changed', async () => {
    const change = await files.change()
    const write = (text: string, expected: string | null) =>
      files.store({
        ...{ files: [small('strategies/x.yaml', text, true)], needs: [], touched: [] },
        replace: { path: 'strategies/x.yaml', expected, gone: false },
      })
    expect(await write('first', null)).toBe('stored')
    const both = await Promise.all([write('second', sha('first')), write('third', sha('first'))])
    expect([...both].sort()).toEqual(['changed', 'stored'])
    const [kept] = ['second', 'third'].filter((_, i) => both[i] === 'stored')
    expect((await files.find(['strategies/x.yaml']))[0]?.sha256).toBe(sha(kept ?? ''))
    expect(await files.change()).toBe(change + 2)
    // A statement that is repeated because its answer was lost.
    expect(await write(kept ?? '', sha('first'))).toBe('stored')
  })

  test('files are named together or not at all, and not without what they need', async () => {
    await files.beginUploads(['a~1'])
    expect(await put(large('models/m/a', 'a~1'), large('models/m/b', 'never-begun'))).toBe('swept')
    expect(await paths('models')).toEqual([])
    const needs = ['bars/X/1d/segments/gone.arrow']
    const manifest = small('bars/X/1d/manifest.json', '{}', true)
    const replace = { path: manifest.path, expected: null, gone: false }
    expect(await files.store({ files: [manifest], needs, replace, touched: [] })).toBe('swept')
    expect(await files.find([manifest.path])).toEqual([])
    expect(await put(large('models/m/a', 'a~1'))).toBe('stored')
    expect(await put(large('models/m/a', 'a~1'))).toBe('stored')
  })

  test('an object that lost its name is deleted, never one that has one', async () => {
    await upload('artifacts/op/1/x', 'x~1')
    await upload('artifacts/op/2/x', 'x~2')
    await files.beginUploads(['x~3'])
    expect(await files.garbage(10)).toEqual([])
    await files.remove([], 'artifacts/op', 'artifacts/op/2')
    expect(await paths('artifacts')).toEqual(['artifacts/op/2/x'])
    expect(await files.garbage(10)).toEqual(['x~1'])
    // Stored anew under its name: the old object goes.
    await upload('artifacts/op/2/x', 'x~4')
    expect((await files.garbage(10)).sort()).toEqual(['x~1', 'x~2'])
    // What is doomed cannot be given a name any more.
    expect(await put(large('artifacts/op/3/x', 'x~1'))).toBe('swept')
    await files.forgetGarbage(['x~1', 'x~2', 'x~3'])
    expect(await files.garbage(10)).toEqual([])
    expect(await put(large('artifacts/op/3/x', 'x~3'))).toBe('stored')
  })

  test('a sweep keeps what the dataset is, what operations use, what they consist of, and what is young', async () => {
    const folder = 'bars/X/1d'
    const segment = async (name: string) => {
      await upload(`${folder}/segments/${sha(name)}.arrow`, `${name}~`)
      return { sha256: sha(name) }
    }
    const version = async (...segments: { sha256: string }[]) => {
      const text = JSON.stringify({ segments })
      await put(small(`${folder}/versions/${sha(text)}.json`, text))
      return sha(text)
    }
    const [shared, now, used, waste] = [
      await segment('shared'),
      await segment('now'),
      await segment('used'),
      await segment('waste'),
    ]
    const present = await version(shared, now)
    const inUse = await version(shared, used)
    await version(shared, waste)
    await put(
      small(`${folder}/manifest.json`, JSON.stringify({ sha256: present, partitions: [shared, now] }), true),
    )
    const all = await paths(folder)
    expect(await files.sweepBars([inUse], 3_600_000)).toBe(0)
    expect(await paths(folder)).toEqual(all)
    expect(await files.sweepBars([inUse], 0)).toBe(1)
    expect(await paths(`${folder}/versions`)).toEqual(
      [present, inUse].sort().map(one => `${folder}/versions/${one}.json`),
    )
    expect(await files.garbage(10)).toEqual(['waste~'])
    // Without its manifest only what is in use stays.
    await files.remove([`${folder}/manifest.json`])
    expect(await files.sweepBars([inUse], 0)).toBe(1)
    expect(await files.sweepBars([], 0)).toBe(2)
    expect(await paths(folder)).toEqual([])
  })

  test('snapshots go when no operation names them and they are old', async () => {
    for (const text of ['a', 'b']) await put(small(`snapshots/${sha(text)}.yaml`, text))
    await files.sweepSnapshots([sha('a')], 3_600_000)
    expect(await paths('snapshots')).toHaveLength(2)
    await files.sweepSnapshots([sha('a')], 0)
    expect(await paths('snapshots')).toEqual([`snapshots/${sha('a')}.yaml`])
  })
})
