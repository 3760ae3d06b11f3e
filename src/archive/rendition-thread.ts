import { readFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { writeFileAtomicallySync } from './atomic.ts'
import { renderSlice } from './bars-slice.ts'
import type { RenditionTask } from './renditions.ts'
import { decodeTable, renderTable } from './tables.ts'
import { answerWith } from './thread-answer.ts'

const task = workerData as RenditionTask
if (task.kind === 'slice') {
  await answerWith(
    // Small results lie in memory that others share, which cannot be given away.
    () => new Uint8Array(renderSlice(task)),
    bytes => [bytes.buffer],
  )
} else {
  const { source, target, format } = task
  await answerWith(() =>
    writeFileAtomicallySync(target, renderTable(decodeTable(readFileSync(source)), format)),
  )
}
