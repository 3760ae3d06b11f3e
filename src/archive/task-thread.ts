import { workerData } from 'node:worker_threads'
import { Calendars } from '../market/calendars.ts'
import type { TaskMessage } from './task-runner.ts'
import { doTask } from './tasks.ts'
import { answerWith } from './thread-answer.ts'

const { kind, data, calendars } = workerData as TaskMessage
await answerWith(
  () => {
    const result = doTask(kind, data, new Calendars(calendars))
    // Small results lie in memory that others share, which cannot be given away.
    return result instanceof Uint8Array ? new Uint8Array(result) : result
  },
  result => (result instanceof Uint8Array ? [result.buffer] : []),
)
