import type { Renditions } from '../../archive/renditions.ts'
import { tableMediaTypes } from '../../archive/tables.ts'
import type { OperationQueries } from '../../operations/queries.ts'
import { type FileAnswer, sendFile } from '../file-response.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { chooseTableFormat, contentTypeOf } from '../table-format.ts'

/** The bytes an operation produced. Tables come in any format, other files as they are. */
export function artifactRoutes(queries: OperationQueries, renditions: Renditions): Some<'getArtifact'> {
  return {
    getArtifact: async (request, response) =>
      sendFile(request, response, await chooseFile(queries, renditions, request)),
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
