import type { RequestHandler } from 'express'
import { Problem } from '../problems.ts'

/** What a worker node answers: probes, its metrics, and what explains its refusals. */
const answered = /^\/(health\/|metrics$|problems\/)/

/** A worker node of a cluster runs operations and is asked nothing else. @throws {Problem} 'not-an-api-node' */
export const refuseClients: RequestHandler = (request, _response, next) => {
  if (!answered.test(request.path))
    throw new Problem('not-an-api-node', 'This node of the cluster runs operations and answers no clients.', {
      hint: 'Send the request to a node with KTRDR_ROLE=api or all.',
    })
  next()
}
