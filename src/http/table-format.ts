import type { Request } from 'express'
import { type TableFormat, tableMediaTypes } from '../archive/tables.ts'
import { Problem } from '../problems.ts'

const formats = Object.keys(tableMediaTypes) as TableFormat[]
const mediaTypes = Object.values(tableMediaTypes)

/** The format `Accept` asks for; JSON for clients without a preference. @throws {Problem} 'not-acceptable' */
export function chooseTableFormat(request: Pick<Request, 'accepts'>): TableFormat {
  const accepted = request.accepts([...mediaTypes])
  const chosen = formats.find(format => tableMediaTypes[format] === accepted)
  if (chosen === undefined) throw new Problem('not-acceptable', `Available: ${mediaTypes.join(', ')}.`)
  return chosen
}

/** The media type as a header, which names the encoding of text. */
export function contentTypeOf(mediaType: string): string {
  return mediaType.startsWith('text/') || /[/+](json|yaml)$/.test(mediaType)
    ? `${mediaType}; charset=utf-8`
    : mediaType
}
