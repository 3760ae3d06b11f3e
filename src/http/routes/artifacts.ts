import type { Renditions } from '../../archive/renditions.ts'
import { tableMediaTypes } from '../../archive/tables.ts'
import type { OperationQueries } from '../../operations/queries.ts'
import { type FileAnswer, sendFile } from '../file-response.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { securityHeaders } from '../security-headers.ts'
import { chooseTableFormat, contentTypeOf } from '../table-format.ts'

/** A report brings its own script and style, and may reach nothing else: neither the network nor this server's pages. */
const pagePolicy = securityHeaders({
  'default-src': ["'none'"],
  'script-src': ["'unsafe-inline'"],
  'style-src': ["'unsafe-inline'"],
  'img-src': ['data:'],
  'frame-ancestors': ["'none'"],
  sandbox: ['allow-scripts'],
})

/** The bytes an operation produced. Tables come in any format, other files as they are. */
export function artifactRoutes(queries: OperationQueries, renditions: Renditions): Some<'getArtifact'> {
  return {
    getArtifact: async (request, response) => {
      const file = await chooseFile(queries, renditions, request)
      if (file.contentType.startsWith('text/html')) response.set(pagePolicy)
      await sendFile(request, response, file)
    },
  }
}

async function chooseFile(
  queries: OperationQueries,
  renditions: Renditions,
  request: ApiRequest<'getArtifact'>,
): Promise<FileAnswer> {
  const { operation_id, name } = request.params
  const { artifact, path } = await queries.artifact(operation_id, name)
  if (artifact.media_type !== tableMediaTypes.arrow) {
    return {
      path,
      contentType: contentTypeOf(artifact.media_type),
      filename: artifact.file,
      etag: `"${artifact.sha256}"`,
    }
  }
  const format = chooseTableFormat(request)
  return {
    path: await renditions.renditionOf(path, format),
    contentType: contentTypeOf(tableMediaTypes[format]),
    filename: `${artifact.name}.${format}`,
    // The stored table decides the bytes of every rendition.
    etag: `"${artifact.sha256}-${format}"`,
  }
}
