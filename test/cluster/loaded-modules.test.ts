import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { startBucket, stopBuckets } from '../support/bucket.ts'
import { withPostgres } from '../support/postgres.ts'
import { newCluster, startProgram, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)
afterAll(stopBuckets)

const hook = pathToFileURL(join(import.meta.dirname, 'note-modules.mjs'))
const ofACluster = /node_modules\/(pg|pg-boss|pg-\w+|aws4fetch)\/|src\/(cluster|bucket|store\/postgres)\//

/** Starts the program, runs an operation, and @returns the modules of a cluster that its main thread loaded. */
async function loadedBy(name: string, environment: Record<string, string>): Promise<string[]> {
  const file = join(tmpdir(), `ktrdr-modules-${process.pid}-${name}`)
  hook.searchParams.set('to', file)
  const program = await startProgram({ NODE_OPTIONS: `--import=${hook.href}`, ...environment })
  await program.end((await program.submit('exercise', { steps: 1 })).operation_id)
  await program.kill()
  const loaded = readFileSync(file, 'utf8').split('\n')
  expect(loaded.some(url => url.endsWith('/src/execution/local.ts'))).toBe(true)
  return loaded.filter(url => ofACluster.test(url))
}

test('a server by itself loads nothing of Postgres', async () => {
  expect(await loadedBy('alone', { KTRDR_DATABASE_URL: '' })).toEqual([])
})

withPostgres(describe)('beside it', () => {
  test('a node of a cluster does: the look above can see it', async () => {
    const { database } = await newCluster()
    const loaded = await loadedBy('node', { KTRDR_DATABASE_URL: database })
    for (const part of [
      '/node_modules/pg-boss/',
      '/node_modules/pg/',
      '/src/cluster/',
      '/src/store/postgres/',
    ])
      expect([part, loaded.some(url => url.includes(part))]).toEqual([part, true])
    const ofABucket = /aws4fetch|src\/bucket/
    expect(loaded.filter(url => ofABucket.test(url))).toEqual([])
    const stored = await loadedBy('bucket', {
      KTRDR_DATABASE_URL: database,
      ...(await startBucket()).environment(),
    })
    expect(stored.filter(url => ofABucket.test(url)).length).toBeGreaterThan(1)
  })
})
