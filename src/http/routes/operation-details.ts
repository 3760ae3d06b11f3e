import type { OperationsService } from '../../operations/service.ts'
import type { Some } from '../handlers.ts'

type Names =
  | 'getOperationMetrics'
  | 'getOperationLogs'
  | 'listOperationChildren'
  | 'listOperationCheckpoints'
  | 'listArtifacts'

/** What belongs to one operation, apart from the bytes of its artifacts. */
export function operationDetailRoutes(service: OperationsService): Some<Names> {
  return {
    getOperationMetrics: async ({ params, query }, response) => {
      response.json(await service.metrics(params.operation_id, query.after, query.limit))
    },
    getOperationLogs: async ({ params, query }, response) => {
      response.json(await service.logs(params.operation_id, query.after, query.limit))
    },
    listOperationChildren: async ({ params, query }, response) => {
      response.json(await service.children(params.operation_id, query.limit, query.cursor))
    },
    listOperationCheckpoints: async ({ params }, response) => {
      response.json(await service.checkpoints(params.operation_id))
    },
    listArtifacts: async ({ params }, response) => {
      response.json(await service.artifacts(params.operation_id))
    },
  }
}
