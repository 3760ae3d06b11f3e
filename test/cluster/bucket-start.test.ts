import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ConfigError, readConfig } from '../../src/config.ts'
import { type BucketServer, startBucket, stopBuckets } from '../support/bucket.ts'
import { withPostgres } from '../support/postgres.ts'
import { newCluster, startNode, stopPrograms } from '../support/program.ts'

afterAll(stopPrograms)
afterAll(stopBuckets)

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
const key = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
const database = { KTRDR_DATABASE_URL: 'postgres://u@127.0.0.1/d' }

test('a bucket needs a cluster and a key, and its name must be one', () => {
  const url = (value: string) => ({ KTRDR_ARCHIVE_URL: value })
  expect(faultsOf({ ...url('s3://bucket/a/b'), ...key, ...database })).toEqual([])
  expect(faultsOf({ ...url('s3://bucket'), ...key })).toEqual([
    expect.stringContaining('set KTRDR_DATABASE_URL'),
  ])
  expect(faultsOf({ ...url('s3://bucket'), ...database })).toEqual([
    expect.stringContaining('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'),
  ])
  for (const wrong of ['s3://', 's3://B', 's3://bucket/a b', 's3://bucket/../x/', 's3:/bucket', 'ftp://x/y'])
    expect([wrong, faultsOf({ ...url(wrong), ...key, ...database }).length]).toEqual([wrong, 1])
})

test('the prefix of the keys is what stands behind the bucket', () => {
  const { config } = readConfig({ KTRDR_ARCHIVE_URL: 's3://bucket/a/b/', ...key, ...database })
  expect(config.bucket).toMatchObject({
    ...{ bucket: 'bucket', prefix: 'a/b', region: 'us-east-1' },
    endpoint: 'https://s3.us-east-1.amazonaws.com',
  })
})

withPostgres(describe)('a node that cannot use its bucket does not start', () => {
  let bucket: BucketServer
  beforeAll(async () => {
    bucket = await startBucket()
  })

  test.each(['PUT', 'GET', 'DELETE'])('whose key may not %s', async forbidden => {
    bucket.front.refuses = method => (method === forbidden ? [403, 'AccessDenied'] : null)
    const started = startNode(await newCluster(bucket.environment()), 'all')
    await expect(started).rejects.toThrow('may not put, get and delete objects')
    bucket.front.refuses = () => null
  })

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'whose key id is unknown',
      { AWS_ACCESS_KEY_ID: 'NOBODY' },
      /AWS_ACCESS_KEY_ID is not known to the bucket/,
    ],
    ['whose key is wrong', { AWS_SECRET_ACCESS_KEY: 'swordfish' }, /AWS_SECRET_ACCESS_KEY is not the key of/],
    [
      'whose bucket is not there',
      { KTRDR_ARCHIVE_URL: 's3://nothing/x' },
      /s3:\/\/nothing\/x .*does not exist/,
    ],
  ])('%s', async (_, wrong, said) => {
    const cluster = await newCluster({ ...bucket.environment(), ...wrong })
    const started = startNode(cluster, 'all')
    await expect(started).rejects.toThrow(said)
    await expect(started).rejects.not.toThrow('swordfish')
  })
})
