import { workerData } from 'node:worker_threads'
import { type ImportTask, importBars } from './import-bars.ts'
import { answerWith } from './thread-answer.ts'

await answerWith(() => importBars(workerData as ImportTask))
