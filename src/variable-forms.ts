import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CalendarDefinition } from './market/calendar.ts'
import { parseCalendarDefinitions } from './market/calendars.ts'

/*
 * The forms that values of variables have: each reads the text of one, or throws an Error whose message follows the
 * variable's name.
 */

/** A whole number of a range, ends included. */
export const integer = (min: number, max: number) => (text: string) => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new Error(`must be a whole number from ${min} to ${max}`)
  return value
}

/** One of a few words. */
export const oneOf =
  <const T extends string>(...words: readonly T[]) =>
  (text: string): T => {
    const found = words.find(word => word === text)
    if (found === undefined) throw new Error(`must be one of ${words.join(', ')}`)
    return found
  }

/** The start of every URL of a vendor; empty = where the vendor lives. */
export const address = (value: string): string => {
  if (value === '') return ''
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.search}${url.hash}${url.username}` !== '')
    throw new Error(
      'must be an http or https address without name, password and query, e.g. http://127.0.0.1:9000',
    )
  return value.replace(/\/+$/, '')
}

/** Where the operations of a cluster are; null when unset. The password in it is never part of a message. */
export const databaseUrl = (value: string): string | null => {
  if (value === '') return null
  const url = URL.parse(value)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2)
    throw new Error('must be postgres://user:password@host:port/database')
  return value
}

/** A folder that every node reaches, by its absolute path, or a bucket. */
export type ArchivePlace =
  | { readonly kind: 'folder'; readonly path: string }
  /** @param prefix of every key, without slashes at its ends; may be empty */
  | { readonly kind: 'bucket'; readonly bucket: string; readonly prefix: string }

/** Where the files of a cluster are; null when unset. */
export const archivePlace = (value: string): ArchivePlace | null => {
  if (value === '') return null
  const url = URL.parse(value)
  if (url?.protocol === 's3:') return bucketIn(value)
  if (url === null || url.protocol !== 'file:' || url.hostname !== '' || url.pathname.length < 2)
    throw new Error(
      'must be file:///absolute/folder, a folder that every node reaches by this path, or s3://bucket/prefix',
    )
  return { kind: 'folder', path: resolve(fileURLToPath(url)) }
}

function bucketIn(value: string): ArchivePlace {
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/(?!\.)[A-Za-z0-9._=-]+)*)\/?$/.exec(value)
  const [, bucket, path] = found ?? []
  if (bucket === undefined || path === undefined)
    throw new Error('must be s3://bucket/prefix, both of letters, digits, dots and dashes')
  return { kind: 'bucket', bucket, prefix: path.slice(1) }
}

/** A path that must be absolute, so that it does not depend on where the server was started; null when unset. */
export const absolutePath = (value: string): string | null => {
  if (value !== '' && !isAbsolute(value)) throw new Error('must be an absolute path')
  return value === '' ? null : resolve(value)
}

/** The calendars in the operator's file. */
export const calendars = (value: string): readonly CalendarDefinition[] => {
  const path = absolutePath(value)
  if (path === null) return []
  try {
    return parseCalendarDefinitions(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new Error(
      `names ${path}, which cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** An id of ccxt. */
export const exchangeId = (value: string): string => {
  if (!/^[a-z0-9_]{2,32}$/.test(value)) throw new Error('must be a ccxt exchange id, e.g. binance')
  return value
}

/** `true` or `false`. */
export const flag = (text: string) => oneOf('true', 'false')(text) === 'true'
/** Any text. */
export const text = (value: string) => value

/** Headers carry printable ASCII; a key of another kind would never match. */
export const apiKey = (value: string): string | null => {
  if (value === '') return null
  if (!/^[\x21-\x7e]([\x20-\x7e]{6,}[\x21-\x7e])$/.test(value))
    throw new Error('must be at least 8 printable ASCII characters')
  return value
}
