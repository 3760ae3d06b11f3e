import { isRecord } from '../strategy/written.ts'
import type { Path } from '../strategy/yaml-source.ts'

/** What a field of a strategy can be set to. */
export type FieldValue = number | string | boolean

/** Fields by their paths, as `indicators.fast.period` or `layers[0]`. */
export type FieldValues = Readonly<Record<string, FieldValue>>

/** A path as people write it. */
const pattern = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d{1,4}\])*$/

/** Deeper is no field of any strategy. */
const maxSteps = 16

/** The steps of a path such as `a.b[2].c`, or null when it is not one. */
export function parseFieldPath(text: string): Path | null {
  if (text.length > 500 || !pattern.test(text)) return null
  const steps = [...text.matchAll(/[A-Za-z_][\w-]*|\d+(?=\])/g)].map(([step]) =>
    /^\d/.test(step) ? Number(step) : step,
  )
  return steps.length > maxSteps ? null : steps
}

/** A path as people write it. */
export function formatFieldPath(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
}

/** What stands at a path, or undefined. */
export function readField(value: unknown, path: Path): unknown {
  let part = value
  for (const step of path) {
    if (typeof step === 'number') part = Array.isArray(part) ? part[step] : undefined
    else part = isRecord(part) && Object.hasOwn(part, step) ? part[step] : undefined
  }
  return part
}

/**
 * The same data with another value at a path; maps that are absent on the way are made, nothing given is changed.
 * @returns undefined where the path leads through something that is neither a map nor an entry of a list
 */
export function writeField(value: unknown, path: Path, field: FieldValue): unknown {
  const [step, ...rest] = path
  if (step === undefined) return field
  if (typeof step === 'number') {
    if (!Array.isArray(value) || step >= value.length) return undefined
    const entry = writeField(value[step], rest, field)
    return entry === undefined ? undefined : value.with(step, entry)
  }
  if (value !== undefined && !isRecord(value)) return undefined
  const present = value !== undefined && Object.hasOwn(value, step) ? value[step] : undefined
  const entry = writeField(present, rest, field)
  return entry === undefined ? undefined : { ...value, [step]: entry }
}

/** Paths and values of all numbers, texts and flags of some data, in their order. */
export function listFields(value: unknown): readonly { readonly path: string; readonly value: FieldValue }[] {
  const fields: { path: string; value: FieldValue }[] = []
  const visit = (part: unknown, path: Path): void => {
    if (typeof part === 'number' || typeof part === 'string' || typeof part === 'boolean')
      fields.push({ path: formatFieldPath(path), value: part })
    else if (Array.isArray(part)) for (const [i, entry] of part.entries()) visit(entry, [...path, i])
    else if (isRecord(part)) for (const [key, entry] of Object.entries(part)) visit(entry, [...path, key])
  }
  visit(value, [])
  return fields
}
