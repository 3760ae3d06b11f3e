import type { OperationQueries } from '../../operations/queries.ts'
import type { Some } from '../handlers.ts'

type Names =
  | 'getOperationMetrics'
  | 'getOperationLogs'
  | 'listOperationChildren'
  | 'listOperationCheckpoints'
  | 'listArtifacts'

/** What belongs to one operation, apart from the bytes of its artifacts. */
export function operationDetailRoutes(queries: OperationQueries): Some<Names> {
  return {
    getOperationMetrics: async ({ params, query }, response) => {
      response.json(await queries.metrics(params.operation_id, query.after, query.limit))
    },
    getOperationLogs: async ({ params, query }, response) => {
      response.json(await queries.logs(params.operation_id, query.after, query.limit))
    },
    listOperationChildren: async ({ params, query }, response) => {
      response.json(await queries.children(params.operation_id, query.limit, query.cursor))
    },
    listOperationCheckpoints: async ({ params }, response) => {
      response.json(await queries.checkpoints(params.operation_id))
    },
    listArtifacts: async ({ params }, response) => {
      response.json(await queries.artifacts(params.operation_id))
    },
  }
}
