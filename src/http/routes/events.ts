import type { Some } from '../handlers.ts'
import type { SseStreams } from '../sse.ts'

/** Server-sent events. */
export function eventRoutes(streams: SseStreams): Some<'streamOperationEvents' | 'streamEvents'> {
  return {
    streamOperationEvents: (request, response) =>
      streams.followOne(request.params.operation_id, {
        request,
        response,
        lastEventId: request.get('Last-Event-ID'),
      }),
    streamEvents: (request, response) =>
      streams.followMany(request.query.operation_id ?? null, {
        request,
        response,
        lastEventId: request.get('Last-Event-ID'),
      }),
  }
}
