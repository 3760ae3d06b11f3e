import { workerData } from 'node:worker_threads'
import { type Publication, publishBars } from './publish.ts'
import { answerWith } from './thread-answer.ts'

await answerWith(() => publishBars(workerData as Publication))
