import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type BucketSettings, ConfigError } from '../config.ts'
import type { Log } from '../log.ts'
import { Problem } from '../problems.ts'
import { Bucket, BucketRefusal, describeBucket } from './bucket.ts'

/**
 * A bucket into which an object was written, read again and deleted: whatever is wrong with address, key or bucket shows
 * now.
 * @param scratch a folder for a temporary file  @throws {ConfigError} when it cannot be reached, or refuses the key
 */
export async function reachBucket(settings: BucketSettings, scratch: string, log: Log): Promise<Bucket> {
  const bucket = new Bucket(settings, log)
  try {
    await bucket.tryOut(join(scratch, `.${randomUUID()}.tmp`))
    return bucket
  } catch (error) {
    bucket.close()
    if (error instanceof BucketRefusal) throw new ConfigError([faultOf(error, settings)])
    if (error instanceof Problem) throw new ConfigError([`KTRDR_S3_ENDPOINT: ${error.message}`])
    throw error
  }
}

function faultOf({ code, status }: BucketRefusal, settings: BucketSettings): string {
  const place = `the bucket ${describeBucket(settings)}`
  const said = `(${status}${code === '' ? '' : ` ${code}`})`
  if (code === 'NoSuchBucket' || status === 404)
    return `KTRDR_ARCHIVE_URL: ${place} does not exist ${said}: make it first, ktrdr does not`
  if (code === 'InvalidAccessKeyId') return `AWS_ACCESS_KEY_ID is not known to ${place} ${said}`
  if (code === 'SignatureDoesNotMatch')
    return `AWS_SECRET_ACCESS_KEY is not the key of AWS_ACCESS_KEY_ID, or KTRDR_S3_REGION is wrong, for ${place} ${said}`
  if (
    code === 'PermanentRedirect' ||
    code === 'AuthorizationHeaderMalformed' ||
    status === 301 ||
    status === 307
  )
    return `KTRDR_S3_REGION ${settings.region} is not the region of ${place} ${said}`
  if (code === 'RequestTimeTooSkewed') return `the clock of this machine is wrong for ${place} ${said}`
  return `AWS_ACCESS_KEY_ID: the key may not put, get and delete objects in ${place} ${said}`
}
