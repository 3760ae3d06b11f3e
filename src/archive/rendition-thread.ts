import { readFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { writeFileAtomicallySync } from './atomic.ts'
import type { RenditionTask } from './renditions.ts'
import { decodeTable, renderTable } from './tables.ts'

// One task per thread: what rendering allocates goes with it.
const { source, target, format } = workerData as RenditionTask
writeFileAtomicallySync(target, renderTable(decodeTable(readFileSync(source)), format))
